package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// prepareVsftpd writes a configuration and makes the command that runs it,
// and a function that waits until it listens.
func (s *Server) prepareVsftpd(cfg ServerConfig) (listening func(context.Context) error, err error) {
	if cfg.NoAnonymous || len(cfg.Users) != 0 {
		return nil, errors.New("it serves anonymous users only here")
	}
	if strings.ContainsAny(cfg.Root, "\n\r") {
		return nil, fmt.Errorf("line break in root %q", cfg.Root)
	}
	program, err := FindProgram("vsftpd")
	if err != nil {
		return nil, err
	}
	anonymous, err := anonymousUser()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(s.host.lab.dir, fmt.Sprintf("vsftpd-%d", cfg.Port))
	empty := filepath.Join(dir, "empty")
	if err := os.MkdirAll(empty, 0o755); err != nil {
		return nil, err
	}
	conf := filepath.Join(dir, "vsftpd.conf")
	if err := os.WriteFile(conf, vsftpdConf(cfg, anonymous, empty), 0o644); err != nil {
		return nil, err
	}
	s.cmd = reexec(roleInit, program.Path, conf)
	s.cmd.Env = append(s.cmd.Env, program.Env()...)
	// The server forks for every session. In a process namespace they all
	// end with the first process, and with this one.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	return s.awaitListening, nil
}

// vsftpdConf returns the configuration file, vsftpd.conf(5).
func vsftpdConf(cfg ServerConfig, anonymous, empty string) []byte {
	yesNo := map[bool]string{true: "YES", false: "NO"}
	write := yesNo[!cfg.ReadOnly]
	var b bytes.Buffer
	for _, option := range [][2]string{
		// One socket for both families.
		{"listen_ipv6", "YES"},
		{"listen_port", strconv.Itoa(cfg.Port)},
		{"background", "NO"},

		{"anonymous_enable", "YES"},
		{"local_enable", "NO"},
		{"ftp_username", anonymous},
		{"nopriv_user", "nobody"},
		{"anon_root", cfg.Root},
		{"secure_chroot_dir", empty},
		{"anon_world_readable_only", "NO"},

		{"write_enable", write},
		{"anon_upload_enable", write},
		{"anon_mkdir_write_enable", write},
		{"anon_other_write_enable", write}, // rename, delete
		{"anon_umask", "022"},

		{"pasv_enable", "YES"},
		{"port_enable", "YES"},
		{"connect_from_port_20", "YES"},
		{"ascii_upload_enable", "YES"},
		{"ascii_download_enable", "YES"},
		{"mdtm_write", write},

		// No logs, no namespaces or filters of its own,
		// which not every kernel has.
		{"tcp_wrappers", "NO"},
		{"xferlog_enable", "NO"},
		{"isolate", "NO"},
		{"isolate_network", "NO"},
		{"seccomp_sandbox", "NO"},
	} {
		fmt.Fprintf(&b, "%s=%s\n", option[0], option[1])
	}
	return b.Bytes()
}

// anonymousUser returns the user that anonymous sessions run as. Installing
// the package would make one; here it is one that each system has. vsftpd
// goes through his home directory, so that has to be there, and nobody's
// often is not.
func anonymousUser() (string, error) {
	for _, name := range []string{"ftp", "nobody", "daemon", "bin"} {
		u, err := user.Lookup(name)
		if err != nil || u.Uid == "0" {
			continue
		}
		if info, err := os.Stat(u.HomeDir); err == nil && info.IsDir() {
			return name, nil
		}
	}
	return "", errors.New("no user for anonymous sessions: neither ftp, nobody, daemon nor bin has a home directory")
}

// awaitListening waits until a socket of the namespace listens on the port.
// vsftpd does not report it by itself, and a connection would already be a
// session.
func (s *Server) awaitListening(ctx context.Context) error {
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
// port, on all addresses of both families.
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
