package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Exec makes the calling process a program in a namespace of the lab of that
// name; role is client, server or relay. It returns only if that fails. The
// program is looked up in PATH. As with ip-netns(8), /sys is that of the
// namespace.
//
// The error wraps ErrDown if there is no such lab, and is an *exec.Error if
// there is no such program, or an *os.SyscallError of execve if it cannot be
// run.
func Exec(name, role string, argv, env []string) error {
	if err := execIn(name, role, argv, env); err != nil {
		return fmt.Errorf("lab: exec: %w", err)
	}
	return nil
}

func execIn(name, role string, argv, env []string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if !isHeld(name) {
		return errors.Join(ErrDown, Sweep())
	}
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return err
	}
	// The thread never leaves the namespace: it becomes the program, or the
	// caller ends with the error.
	runtime.LockOSThread()
	ns, err := os.Open(filepath.Join(netnsDir, namedPrefix(name)+"-"+role))
	if errors.Is(err, os.ErrNotExist) && role == "relay" {
		return ErrNoRelay
	}
	if err != nil {
		return err
	}
	defer ns.Close()
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
		return os.NewSyscallError("setns", err)
	}
	if err := ownSys(); err != nil {
		return err
	}
	return os.NewSyscallError("execve", syscall.Exec(path, argv, env))
}

// ownSys gives the thread a /sys that shows the interfaces of its network
// namespace. Nobody else sees it; mounts that others make still arrive here,
// and so does their end.
func ownSys() error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	if err := unix.Mount("", "/", "none", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return os.NewSyscallError("mount /", err)
	}
	if err := unix.Unmount("/sys", unix.MNT_DETACH); err != nil && err != unix.EINVAL {
		return os.NewSyscallError("unmount /sys", err)
	}
	return os.NewSyscallError("mount /sys", unix.Mount("lab", "/sys", "sysfs", 0, ""))
}
