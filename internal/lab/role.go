package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/seed-54eb6215/xftp/internal/lab/relay"
)

// The environment tells a process of this executable that it is to be one of
// the lab's own.
const (
	roleEnv   = "XFTP_LAB_ROLE"
	configEnv = "XFTP_LAB_CONFIG" // the role's configuration in JSON

	roleServer = "ftp-server" // the embedded server
	roleInit   = "init"       // first process of a namespace, see runInit
	roleRelay  = "relay"      // see package relay
	roleKeeper = "keeper"     // holds a lab with a name, see Up

	// readyFD is the descriptor on which a server reports that it listens,
	// by one byte. The relay has its control socket there, and a keeper a
	// pipe for its upReply.
	readyFD = 3
)

// Main turns the process into one of the lab's own if it was started as
// one, and then does not return. It has to be called first in main, and in
// TestMain, of every program that starts a server.
func Main() {
	role, ok := os.LookupEnv(roleEnv)
	if !ok {
		return
	}
	if err := act(role); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func act(role string) error {
	switch role {
	case roleServer:
		return actServer()
	case roleInit:
		return runInit(os.Args)
	case roleRelay:
		return actRelay()
	case roleKeeper:
		return actKeeper()
	}
	return fmt.Errorf("%s: unknown role %q", roleEnv, role)
}

func actServer() error {
	var cfg embeddedConfig
	if err := readConfig(&cfg); err != nil {
		return err
	}
	return serveEmbedded(cfg, os.NewFile(readyFD, "ready"))
}

func actRelay() error {
	var cfg relay.Config
	if err := readConfig(&cfg); err != nil {
		return err
	}
	return relay.Run(cfg, os.NewFile(readyFD, "control"))
}

// readConfig reads what withConfig wrote.
func readConfig(cfg any) error {
	if err := json.Unmarshal([]byte(os.Getenv(configEnv)), cfg); err != nil {
		return fmt.Errorf("%s: %w", configEnv, err)
	}
	return nil
}

// withConfig gives a command of reexec its configuration.
func withConfig(cmd *exec.Cmd, cfg any) error {
	b, err := json.Marshal(cfg)
	if err != nil {
		return err
	}
	cmd.Env = append(cmd.Env, configEnv+"="+string(b))
	return nil
}

// reexec returns a command that runs this executable in a role.
func reexec(role string, args ...string) *exec.Cmd {
	// Not os.Executable: the file may have been replaced or removed since.
	cmd := exec.Command("/proc/self/exe", args...)
	if len(args) == 0 {
		cmd.Args[0] = "xftp-lab-" + role
	} else {
		cmd.Args = args
	}
	cmd.Env = append(os.Environ(), roleEnv+"="+role)
	return cmd
}

// initMounts are what the program of runInit is to see in the file system, for
// itself alone. The process has to have a mount namespace of its own.
type initMounts struct {
	Memory   string // a new file system in memory is mounted there
	ReadOnly string // nothing can be written below it
}

func (m initMounts) make() error {
	// What others mount and unmount still arrives here.
	if err := unix.Mount("", "/", "none", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return os.NewSyscallError("mount /", err)
	}
	if err := unix.Mount("lab", m.Memory, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0700"); err != nil {
		return os.NewSyscallError("mount "+m.Memory, err)
	}
	if m.ReadOnly == "" {
		return nil
	}
	err := unix.Mount(m.ReadOnly, m.ReadOnly, "", unix.MS_BIND, "")
	if err == nil {
		err = unix.Mount("", m.ReadOnly, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, "")
	}
	return os.NewSyscallError("mount "+m.ReadOnly, err)
}

// runInit is the first process of a process namespace: it runs a program,
// whose path and arguments args are, waits for whatever processes lose their
// parent, and ends with the program. All of them end with this process.
//
// vsftpd cannot be the first process itself. It would inherit processes of
// its sessions, and it gives up when a child ends that it did not start.
func runInit(args []string) error {
	if os.Getpid() != 1 {
		return fmt.Errorf("%s: not the first process of a namespace", roleInit)
	}
	var mounts initMounts
	if os.Getenv(configEnv) != "" {
		if err := errors.Join(readConfig(&mounts), mounts.make()); err != nil {
			return err
		}
	}
	if err := errors.Join(os.Unsetenv(roleEnv), os.Unsetenv(configEnv)); err != nil {
		return err
	}
	program, err := syscall.ForkExec(args[0], args, &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: []uintptr{0, 1, 2},
	})
	if err != nil {
		return fmt.Errorf("start %s: %w", args[0], err)
	}
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return fmt.Errorf("wait: %w", err)
		case pid == program:
			return fmt.Errorf("%s ended: exit status %d", args[0], status.ExitStatus())
		}
	}
}
