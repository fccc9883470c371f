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
)

// prepareProftpd writes a configuration and makes the command that runs it,
// and a function that waits until it listens.
func (s *Server) prepareProftpd(cfg ServerConfig) (listening func(context.Context) error, err error) {
	if cfg.NoAnonymous || len(cfg.Users) != 0 {
		return nil, errors.New("it serves anonymous users only here")
	}
	if strings.ContainsAny(cfg.Root, "\n\r\"\\%>") {
		return nil, fmt.Errorf("root %q has characters that its configuration gives a meaning", cfg.Root)
	}
	program, err := FindProgram("proftpd")
	if err != nil {
		return nil, err
	}
	anonymous, err := anonymousUser()
	if err != nil {
		return nil, err
	}
	group, err := groupOf(anonymous)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(s.host.lab.dir, fmt.Sprintf("proftpd-%d", cfg.Port))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	conf := filepath.Join(dir, "proftpd.conf")
	if err := os.WriteFile(conf, proftpdConf(cfg, anonymous, group, dir), 0o644); err != nil {
		return nil, err
	}
	s.cmd = reexec(roleInit, program.Path, "--nodaemon", "--quiet", "--config", conf)
	s.cmd.Env = append(s.cmd.Env, program.Env()...)
	// As with vsftpd: there is a process for every session.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	return s.awaitListening, nil
}

// proftpdConf returns the configuration file, proftpd.conf(5). All that it
// writes is in dir.
func proftpdConf(cfg ServerConfig, anonymous, group, dir string) []byte {
	write := "AllowAll"
	if cfg.ReadOnly {
		write = "DenyAll"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `ServerType standalone
ServerName "xftp lab"
# One socket for both families; the address itself would be looked up by the
# host's name.
UseIPv6 on
DefaultAddress 127.0.0.1
DefaultServer on
Port %[1]d
User %[2]s
Group %[6]s
Umask 022
UseReverseDNS off
AuthOrder mod_auth_unix.c
RequireValidShell off
UseFtpUsers off
DelayEngine off
WtmpLog off
TransferLog none
SystemLog none
PidFile %[3]s/pid
ScoreboardFile %[3]s/scoreboard
AllowOverwrite on
AllowStoreRestart on
AllowRetrieveRestart on
UseSendfile on
<Anonymous "%[4]s">
  User %[2]s
  Group %[6]s
  UserAlias anonymous %[2]s
  UserAlias ftp %[2]s
  RequireValidShell off
  AnonRequirePassword off
  <Limit WRITE>
    %[5]s
  </Limit>
</Anonymous>
`, cfg.Port, anonymous, dir, cfg.Root, write, group)
	return b.Bytes()
}

// groupOf returns the name of a user's first group.
func groupOf(name string) (string, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return "", err
	}
	g, err := user.LookupGroupId(u.Gid)
	if err != nil {
		return "", err
	}
	return g.Name, nil
}
