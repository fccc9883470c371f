package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ErrDown says that no lab of this name is up.
var ErrDown = errors.New("no lab of this name is up")

// UpConfig describes a lab that outlives the process that makes it.
type UpConfig struct {
	// Name of the lab, see CheckName. Its namespaces are xftp-NAME-client,
	// xftp-NAME-server and, if there is one, xftp-NAME-relay.
	Name string

	Lab Config

	// Server is started on the server host, unless it is nil. An empty Root
	// is a new directory, which goes with the lab.
	Server *ServerConfig
}

// Up makes a lab that is there until Down. A process of its own, the keeper,
// holds it: this executable again, in a session of its own. If the keeper is
// killed, the next Sweep removes the lab. The context bounds Up alone. A process
// that outlives the lab is the keeper's parent still, and may wait(2) for it.
//
// The error wraps ErrExists if there is a lab of this name.
func Up(ctx context.Context, cfg UpConfig) (Info, error) {
	info, err := startKeeper(ctx, cfg)
	if err != nil {
		return Info{}, fmt.Errorf("lab: up: %w", err)
	}
	return info, nil
}

// upReply is what a keeper tells the process that started it.
type upReply struct {
	Info   Info
	Error  string `json:",omitempty"`
	Exists bool   `json:",omitempty"`
}

func startKeeper(ctx context.Context, cfg UpConfig) (Info, error) {
	if err := CheckName(cfg.Name); err != nil {
		return Info{}, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return Info{}, err
	}
	defer r.Close()
	defer w.Close()
	cmd := reexec(roleKeeper)
	if err := withConfig(cmd, cfg); err != nil {
		return Info{}, err
	}
	cmd.ExtraFiles = []*os.File{w} // becomes readyFD
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return Info{}, err
	}
	w.Close() // the end of the pipe is then the keeper's
	stop := context.AfterFunc(ctx, func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it cleans up, and closes the pipe
	})
	defer stop()
	said, err := io.ReadAll(r)
	if err != nil {
		return Info{}, err
	}
	var reply upReply
	if err := json.Unmarshal(said, &reply); err != nil {
		return Info{}, errors.Join(context.Cause(ctx), fmt.Errorf("the keeper died: %w", cmd.Wait()))
	}
	if reply.Error != "" {
		_ = cmd.Wait() // why it ended is known
		switch {
		case ctx.Err() != nil:
			return Info{}, context.Cause(ctx)
		case reply.Exists:
			return Info{}, ErrExists
		}
		return Info{}, errors.New(reply.Error)
	}
	if !stop() { // the signal came too late to keep it from starting
		_ = cmd.Wait()
		return Info{}, context.Cause(ctx)
	}
	return reply.Info, cmd.Process.Release()
}

// Down removes the lab of a name, and returns when it is gone. Processes that
// others have started in its namespaces lose the link. The context unblocks it.
//
// The error wraps ErrDown if there is none.
func Down(ctx context.Context, name string) error {
	if err := down(ctx, name); err != nil {
		return fmt.Errorf("lab: down: %w", err)
	}
	return nil
}

// downLongest is how long a keeper may take to clean up before it is killed.
const downLongest = 10 * time.Second

func down(ctx context.Context, name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	o, ok := readOwner(name)
	if !ok {
		return errors.Join(ErrDown, Sweep())
	}
	fd, err := unix.PidfdOpen(o.pid, 0)
	if errors.Is(err, unix.ESRCH) || err == nil && !o.alive() {
		if err == nil {
			unix.Close(fd) // another process has the id now
		}
		return errors.Join(ErrDown, Sweep())
	}
	if err != nil {
		return os.NewSyscallError("pidfd_open", err)
	}
	defer unix.Close(fd)
	for _, signal := range []unix.Signal{unix.SIGTERM, unix.SIGKILL} {
		if err := unix.PidfdSendSignal(fd, signal, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
			return os.NewSyscallError("pidfd_send_signal", err)
		}
		gone, err := awaitExit(ctx, fd, downLongest)
		if err != nil {
			return err
		}
		if gone {
			break
		}
	}
	// What it could not remove, or all of it if it had to be killed.
	return Sweep()
}

// awaitExit waits until the process has ended, and reports false if it has not
// within the limit.
func awaitExit(ctx context.Context, pidfd int, limit time.Duration) (bool, error) {
	for end := time.Now().Add(limit); time.Now().Before(end); {
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, 50) // milliseconds, then ctx is looked at
		if err != nil && !errors.Is(err, unix.EINTR) {
			return false, os.NewSyscallError("poll", err)
		}
		if n > 0 {
			return true, nil
		}
	}
	return false, nil
}

// Status asks the keeper of a lab about it. The context unblocks it.
//
// The error wraps ErrDown if there is no such lab.
func Status(ctx context.Context, name string) (Info, error) {
	a, err := askKeeper(ctx, name, keeperRequest{})
	if err != nil {
		return Info{}, fmt.Errorf("lab: status: %w", err)
	}
	return a.Info, nil
}

// SetImpairment changes the impairment of a lab that has a relay, see
// Relay.Set.
//
// The error wraps ErrDown if there is no such lab, and ErrNoRelay if its hosts
// are joined directly.
func SetImpairment(ctx context.Context, name string, change func(*Impairment)) (Info, error) {
	a, err := askKeeper(ctx, name, keeperRequest{})
	if err == nil && a.NoRelay {
		err = ErrNoRelay
	}
	if err == nil {
		change(&a.Impairment)
		a, err = askKeeper(ctx, name, keeperRequest{Set: &a.Impairment})
	}
	if err != nil {
		return Info{}, fmt.Errorf("lab: set: %w", err)
	}
	return a.Info, nil
}

func askKeeper(ctx context.Context, name string, r keeperRequest) (a keeperAnswer, err error) {
	if err := CheckName(name); err != nil {
		return a, err
	}
	if !isHeld(name) {
		return a, errors.Join(ErrDown, Sweep())
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", controlPath(name))
	if err != nil {
		return a, fmt.Errorf("ask the keeper: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err = json.NewEncoder(conn).Encode(r); err == nil {
		err = json.NewDecoder(conn).Decode(&a)
	}
	switch {
	case ctx.Err() != nil:
		return a, context.Cause(ctx)
	case err != nil:
		return a, fmt.Errorf("ask the keeper: %w", err)
	case a.Error != "":
		return a, errors.New(a.Error)
	}
	return a, nil
}

// Names returns the names of the labs that are up.
func Names() ([]string, error) {
	entries, err := os.ReadDir(stateDir)
	if err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("lab: %w", err)
	}
	var names []string
	for _, e := range entries {
		if CheckName(e.Name()) == nil && isHeld(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func controlPath(name string) string { return filepath.Join(stateDir, name, "control") }
