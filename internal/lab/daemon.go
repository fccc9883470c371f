package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A daemon is a server that is a program of Debian's, with all that its
// configuration speaks of.
type daemon struct {
	ServerConfig
	certificate

	program Program
	dir     string // for its files
	account account
}

// daemonKind is what one of these programs has of its own.
type daemonKind struct {
	// forbidden are characters that its configuration gives a meaning, so
	// that the name of a root cannot have them.
	forbidden string

	// configure writes the configuration below d.dir and returns the
	// arguments of the program.
	configure func(s *Server, d daemon) (args []string, err error)

	// mounts says what the program is to see of the file system; nil is all.
	mounts func(d daemon) initMounts
}

var daemonKinds = map[Kind]daemonKind{
	Vsftpd:   {forbidden: "\n\r", configure: configureVsftpd},
	Proftpd:  {forbidden: "\n\r\"\\%>", configure: configureProftpd},
	Pureftpd: {forbidden: "\n\r", configure: configurePureftpd, mounts: pureftpdMounts},
}

// prepareDaemon writes a configuration and makes the command that runs the
// program, and a function that waits until it listens.
func (s *Server) prepareDaemon(cfg ServerConfig) (listening func(context.Context) error, err error) {
	kind, ok := daemonKinds[cfg.Kind]
	if !ok {
		return nil, errors.New("unknown server")
	}
	if cfg.NoAnonymous || len(cfg.Users) != 0 {
		return nil, errors.New("it serves anonymous users only here")
	}
	if strings.ContainsAny(cfg.Root, kind.forbidden) {
		return nil, fmt.Errorf("root %q has characters that its configuration gives a meaning", cfg.Root)
	}
	d := daemon{ServerConfig: cfg, certificate: s.cert, dir: s.dir()}
	if d.program, err = FindServer(cfg.Kind); err != nil {
		return nil, err
	}
	if d.account, err = anonymousAccount(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return nil, err
	}
	args, err := kind.configure(s, d)
	if err != nil {
		return nil, err
	}
	s.cmd = reexec(roleInit, append([]string{d.program.Path}, args...)...)
	s.cmd.Env = append(s.cmd.Env, d.program.Env()...)
	// Such a server forks for every session. In a process namespace they all
	// end with the first process, and with this one.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	if kind.mounts != nil {
		s.cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWNS
		if err := withConfig(s.cmd, kind.mounts(d)); err != nil {
			return nil, err
		}
	}
	return s.awaitListening, nil
}

// dir returns the directory for the server's files.
func (s *Server) dir() string {
	return filepath.Join(s.host.lab.dir, fmt.Sprintf("%s-%d", s.kind, s.port))
}

// account is the user that anonymous sessions run as.
type account struct {
	user, group string
	uid, gid    string // in decimal
}

// anonymousAccount returns a user that each system has: installing a package
// would make one. vsftpd goes through his home directory, so that has to be
// there, and nobody's often is not.
func anonymousAccount() (account, error) {
	for _, name := range []string{"ftp", "nobody", "daemon", "bin"} {
		u, err := user.Lookup(name)
		if err != nil || u.Uid == "0" {
			continue
		}
		if info, err := os.Stat(u.HomeDir); err != nil || !info.IsDir() {
			continue
		}
		g, err := user.LookupGroupId(u.Gid)
		if err != nil {
			return account{}, err
		}
		return account{name, g.Name, u.Uid, u.Gid}, nil
	}
	return account{}, errors.New("no user for anonymous sessions: neither ftp, nobody, daemon nor bin has a home directory")
}

// listenLongest is how long a program may take until it listens.
const listenLongest = 30 * time.Second

// awaitListening waits until sockets of the namespace listen on the port. The
// programs do not report it by themselves, and a connection would already be a
// session.
func (s *Server) awaitListening(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, listenLongest, fmt.Errorf("it runs, and does not listen after %v", listenLongest))
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	return s.host.Do(func() error {
		for {
			if ok, err := listens(s.port); ok || err != nil {
				return err
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	})
}

// listens reports whether a socket of the thread's namespace listens on the
// port, on all addresses. It looks at IPv6 alone: there is one socket for both
// families, or that of IPv6 comes last.
func listens(port int) (bool, error) {
	b, err := os.ReadFile("/proc/thread-self/net/tcp6")
	if err != nil {
		return false, err
	}
	for line := range bytes.Lines(b) {
		// proc_pid_net(5): slot, local address, remote address, state; all
		// in hexadecimal. 0A is TCP_LISTEN.
		f := strings.Fields(string(line))
		if len(f) > 3 && f[1] == fmt.Sprintf("%032X:%04X", 0, port) && f[3] == "0A" {
			return true, nil
		}
	}
	return false, nil
}
