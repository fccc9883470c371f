package lab

import (
	"errors"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// setThreaded has the kernel receive for an interface in a thread of its own
// (threaded NAPI), and not wherever the sender happens to run. It runs in the
// namespace, whose sysfs is mounted nowhere.
func setThreaded(name string) error {
	fs, err := mountSysfs()
	if err != nil {
		return fmt.Errorf("mount sysfs: %w", err)
	}
	defer unix.Close(fs)
	fd, err := unix.Openat(fs, filepath.Join("class/net", name, "threaded"), unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open the switch for threaded receiving: %w", err)
	}
	_, err = unix.Write(fd, []byte("1"))
	if err = errors.Join(err, unix.Close(fd)); err != nil {
		return fmt.Errorf("switch to threaded receiving: %w", err)
	}
	return nil
}

// mountSysfs returns a sysfs of the thread's network namespace, which has no
// place among the files and goes when the descriptor is closed.
func mountSysfs() (int, error) {
	context, err := unix.Fsopen("sysfs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, err
	}
	defer unix.Close(context)
	if err := unix.FsconfigCreate(context); err != nil {
		return -1, err
	}
	return unix.Fsmount(context, unix.FSMOUNT_CLOEXEC, 0)
}
