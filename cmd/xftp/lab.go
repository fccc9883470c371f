package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/seed-54eb6215/xftp/internal/lab"
	"github.com/spf13/cobra"
)

// labDefault is the name of the lab where none is given.
const labDefault = "lab"

func newLab(out *output) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lab",
		Short: "Test hosts in network namespaces, on a link as good or bad as you like",
		Long: `Lab makes two hosts out of network namespaces, joined by a link with the delay,
loss and rate that you choose, and runs programs in them. A lab stays until
"xftp lab down". Its namespaces are called xftp-NAME-client, xftp-NAME-server and,
if the link is impaired, xftp-NAME-relay; "ip netns exec" knows them, too.

  sudo xftp lab up --delay 10ms --loss 0.1% --server embedded --root /srv/files
  sudo xftp lab exec client -- xftp get ftp://10.99.0.2/file
  sudo xftp lab exec client -- curl -O ftp://10.99.0.2/file
  sudo xftp lab status
  sudo xftp lab down

All verbs need root. Exit codes: 0 done, 1 failed or no such lab, 2 wrong usage, 3 no
privilege, or the lab could not be made. "lab exec" exits with the code of
the program that it runs.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{fmt.Sprintf("unknown verb %q", args[0]), "the verbs are listed by: xftp lab --help"}
			}
			writeHelp(out.stderr, cmd)
			return &reportedError{exitUsage}
		},
	}
	cmd.AddCommand(newLabUp(out), newLabDown(out), newLabExec(out), newLabStatus(out), newLabSet(out))
	return cmd
}

// labOptions are flags that several verbs of the lab have.
type labOptions struct {
	name  string
	json  bool
	quiet bool
}

func (o *labOptions) addName(cmd *cobra.Command) {
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&o.name, "name", labDefault, "`NAME` of the lab, where there are several")
}

func (o *labOptions) addPrinting(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.json, "json", false, "print a JSON object")
	cmd.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "print nothing but errors")
}

// begin is what every verb of the lab does first: it takes the flags from
// where they come from, and removes the labs of dead keepers.
func (o *labOptions) begin(cmd *cobra.Command) error {
	who, err := sudoCaller()
	if err != nil {
		return err
	}
	if err := applyConfig(cmd, who); err != nil {
		return err
	}
	if err := lab.CheckName(o.name); err != nil {
		return &usageError{text: "--name: " + err.Error()}
	}
	if os.Geteuid() != 0 {
		return &setupError{&hintedError{
			err:  errors.New("needs root, for network namespaces"),
			hint: "type: sudo " + cmd.CommandPath(),
		}}
	}
	if err := lab.Sweep(); err != nil {
		return fmt.Errorf("remove what a dead lab left: %w", err)
	}
	return nil
}

// explain turns an error of package lab into one for the user.
func (o *labOptions) explain(err error) error {
	if err == nil || errors.As(err, new(*signalError)) {
		return err
	}
	flag := ""
	if o.name != labDefault {
		flag = " --name " + o.name
	}
	switch {
	case errors.Is(err, lab.ErrDown):
		return &hintedError{fmt.Errorf("%s: %w", o.name, lab.ErrDown), "make it with: sudo xftp lab up" + flag}
	case errors.Is(err, lab.ErrExists):
		return &hintedError{fmt.Errorf("%s: %w", o.name, lab.ErrExists), "remove it with: sudo xftp lab down" + flag}
	case errors.Is(err, lab.ErrNoRelay):
		return &hintedError{fmt.Errorf("%s: %w", o.name, lab.ErrNoRelay), "make the lab with --relay, or with an impairment"}
	}
	text := err.Error()
	for _, prefix := range []string{"lab: ", "up: ", "down: ", "status: ", "set: ", "exec: ", "lab: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return errors.New(text)
}

// printJSON prints an object on standard output.
func printJSON(out *output, v any) error {
	e := json.NewEncoder(out.stdout)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return &unwrittenError{err}
	}
	return nil
}

// printLab prints what a lab is, for people or for programs.
func (o *labOptions) printLab(out *output, info lab.Info) error {
	if o.json {
		return printJSON(out, info)
	}
	if o.quiet {
		return nil
	}
	if _, err := out.stdout.Write([]byte(labText(info))); err != nil {
		return &unwrittenError{err}
	}
	return nil
}
