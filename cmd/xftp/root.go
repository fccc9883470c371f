package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

// run runs the command line args and returns the exit code.
func run(args []string) int {
	out := newOutput()
	root := newRoot(out)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(context.Background())
	verb := strings.TrimPrefix(cmd.CommandPath(), "xftp")
	if out.lost != nil {
		out.fail(verb, "", out.lost, "")
		if err == nil {
			return exitTransfer
		}
	}
	if err == nil {
		return exitOK
	}
	if code := new(reportedError); errors.As(err, &code) {
		return code.code
	}
	out.fail(verb, "", err, hintFor(err, &options{}))
	return exitCode(err)
}

// A reportedError is one whose text is printed already.
type reportedError struct{ code int }

func (e *reportedError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// newRoot builds the command tree.
func newRoot(out *output) *cobra.Command {
	var version bool // cobra's own flag would take -v, which is --verbose
	root := &cobra.Command{
		Use:   "xftp",
		Short: "FTP over AF_XDP and a network stack of its own",
		Long: `xftp moves files to and from FTP servers. Its TCP connections never touch the
kernel's sockets: they live in a network stack inside xftp, which sends and
receives raw frames on one queue of a network interface through AF_XDP.

  sudo xftp get ftp://192.0.2.1/file --iface eth1 --address 192.0.2.7/24
  xftp get ftp://192.0.2.1/file --net kernel    # ordinary sockets, no root

With ftpes:// in the URL the server is asked for TLS before the login (port 21),
with ftps:// TLS is there from the start (port 990); ftp:// is in clear. None of
them becomes another.

Who logs in is said by the URL, ftp://user:password@host/; else by the variables
XFTP_USER and XFTP_PASSWORD, of which the password goes to one host only; else by a
netrc file (--netrc-file, $NETRC or ~/.netrc), where an entry is for its machine,
its login and, if it has one, its port, and a default entry for anonymous logins
only; and a user without a password is asked for it on the terminal. A password in
a URL is masked in what ps shows of xftp, but not in the history of a shell, nor in
what ps shows of sudo.

Nearly every flag --some-flag can also be set by the variable XFTP_SOME_FLAG and by
the key some-flag in $XDG_CONFIG_HOME/xftp/config.toml (usually
~/.config/xftp/config.toml). The flag beats the variable, which beats the file.

Exit codes: 0 all done, 1 a transfer failed, 2 wrong usage, 3 the network path
could not be set up, 130 and 143 after SIGINT and SIGTERM.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{fmt.Sprintf("unknown verb %q", redactURL(args[0])), "the verbs are listed by: xftp --help"}
			}
			if version {
				return printVersion(out)
			}
			writeHelp(out.stderr, cmd)
			return &reportedError{exitUsage}
		},
	}
	root.Flags().BoolVar(&version, "version", false, "print what the verb version does")
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { writeHelp(out.stdout, cmd) })
	root.SetUsageFunc(func(cmd *cobra.Command) error { writeHelp(out.stderr, cmd); return nil })
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		text := passwords.ReplaceAllString(err.Error(), "$1:***@") // a URL where a value should be
		if cmd == root {
			return &usageError{text, "flags come after the verb, and are listed by: xftp VERB --help"}
		}
		return &usageError{text, "the flags are listed by: " + cmd.CommandPath() + " --help"}
	})
	root.AddCommand(newGet(out), newPut(out), newList(out), newCat(out), newMirror(out), newStat(out),
		newMkdir(out), newRm(out), newRmdir(out), newMv(out), newChmod(out), newLab(out), newDemo(out), newVersion(out))
	return root
}

// atLeast is cobra.MinimumNArgs as a usage error.
func atLeast(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < n {
			return &usageError{"needs " + what, "see: " + cmd.CommandPath() + " --help"}
		}
		return nil
	}
}

// noArgs is cobra.NoArgs as a usage error.
func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("takes no arguments")
	}
	return nil
}

// begin is what every verb that talks to a server does first: it takes the
// flags from where they come from, and finds out who calls.
func begin(cmd *cobra.Command, o *options, out *output) (*caller, error) {
	who, err := sudoCaller()
	if err != nil {
		return nil, err
	}
	if err := applyConfig(cmd, who); err != nil {
		return nil, err
	}
	o.flags = cmd.Flags()
	out.quiet, out.verbose, out.json = o.quiet, o.verbose, o.json
	o.login = credentials{who: who, out: out, file: o.netrc}
	return who, nil
}

// remotes reads URLs, and finds out who logs in there.
func (o *options) remotes(args ...string) ([]remote, error) {
	if err := o.checkText(); err != nil {
		return nil, err
	}
	remotes := make([]remote, len(args))
	for i, arg := range args {
		if o.ascii {
			arg = asText(arg)
		}
		var err error
		if remotes[i], err = parseRemote(arg); err != nil {
			return nil, err
		}
		o.tls.wanted = o.tls.wanted || remotes[i].Scheme != "ftp"
	}
	return remotes, o.login.find(remotes)
}

// passwords finds user and password of the URLs in a text.
var passwords = regexp.MustCompile(`(\w+://[^:@/\s"]*):[^\s"]*@`)
