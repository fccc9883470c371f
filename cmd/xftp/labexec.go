package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/seed-54eb6215/xftp/internal/lab"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// What a shell exits with for a command that it cannot run.
const (
	exitCannotRun = 126
	exitNotFound  = 127
)

func newLabExec(out *output) *cobra.Command {
	var o labOptions
	cmd := &cobra.Command{
		Use:   "exec client|server|relay -- COMMAND [ARG]...",
		Short: "Run a program on a host of a lab",
		Long: `Exec runs a program in a namespace of a lab. xftp becomes the program, so signals
reach it, and its exit code is that of this command; 127 and 126 say that it was
not found or cannot be run, as a shell does. Without flags before it, the -- may
be left out.

On client and server the variables XFTP_IFACE and XFTP_ADDRESS are set to the
host's interface and its spare addresses, and XFTP_CACERT to the authority of the
server's certificate if it has one, so that an xftp there needs no network flags.`,
		Example: `  sudo xftp lab exec client -- xftp get ftp://10.99.0.2/file
  sudo xftp lab exec client -- ping -c 3 10.99.0.2
  sudo xftp lab exec server -- tcpdump -ni eth0`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 || !slices.Contains([]string{"client", "server", "relay"}, args[0]) {
				return &usageError{"needs client, server or relay, and a command", "as in: xftp lab exec client -- ping -c 3 10.99.0.2"}
			}
			if err := o.begin(cmd); err != nil {
				return err
			}
			ctx, stop := context.WithTimeout(cmd.Context(), labPatience)
			defer stop()
			info, err := lab.Status(ctx, o.name)
			if err != nil {
				return o.explain(err)
			}
			err = lab.Exec(o.name, args[0], args[1:], labEnv(info, args[0]))
			code := cannotRun(err)
			if code == 0 {
				return o.explain(err)
			}
			out.fail("lab exec", args[1], errors.Unwrap(errors.Unwrap(err)), "")
			return &reportedError{code}
		},
	}
	o.addName(cmd)
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return &usageError{err.Error(), "put -- before the command if it has flags of its own"}
	})
	return cmd
}

// cannotRun returns the exit code of a shell for a program that cannot be run,
// or 0 if err is about something else.
func cannotRun(err error) int {
	var lookUp *exec.Error
	var call *os.SyscallError
	switch {
	case errors.As(err, &lookUp) && errors.Is(err, os.ErrPermission):
		return exitCannotRun
	case errors.As(err, &lookUp):
		return exitNotFound
	case errors.As(err, &call) && call.Syscall == "execve" && errors.Is(err, unix.ENOENT):
		return exitNotFound
	case errors.As(err, &call) && call.Syscall == "execve":
		return exitCannotRun
	}
	return 0
}

// labEnv returns the environment for a program on a host. What the caller has
// set for interfaces of the machine does not hold there.
func labEnv(info lab.Info, role string) []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains([]string{"XFTP_IFACE", "XFTP_ADDRESS", "XFTP_GATEWAY", "XFTP_QUEUE"}, name) ||
			name == "XFTP_CACERT" && info.FTP != nil && info.FTP.CAFile != ""
	})
	if info.FTP != nil && info.FTP.CAFile != "" {
		env = append(env, "XFTP_CACERT="+info.FTP.CAFile)
	}
	host := map[string]*lab.HostInfo{"client": &info.Client, "server": &info.Server}[role]
	if host == nil {
		return env
	}
	return append(env, "XFTP_IFACE="+host.Interface, fmt.Sprintf("XFTP_ADDRESS=%s,%s", host.SpareIPv4, host.SpareIPv6))
}
