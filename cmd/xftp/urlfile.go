package main

import (
	"bytes"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// listed reads the URLs of args and of the file that -i names. Those of a line
// that has none are reported all at once, by file and line.
func (o *options) listed(args []string, out *output) ([]remote, error) {
	if o.input == "" {
		if len(args) == 0 {
			return nil, &usageError{"needs a URL", "see: xftp get --help"}
		}
		return o.remotes(args...)
	}
	name := o.input
	read := func() ([]byte, error) { return o.login.who.readFile(name) }
	if name == "-" {
		name, read = "standard input", func() ([]byte, error) { return io.ReadAll(os.Stdin) }
	}
	data, err := read()
	if err != nil {
		return nil, unreadable("-i", err)
	}
	wrong := 0
	line := 0
	for text := range bytes.Lines(bytes.TrimPrefix(data, []byte("\ufeff"))) {
		line++
		url := strings.TrimSpace(string(text))
		if url == "" || url[0] == '#' {
			continue
		}
		if _, err := parseRemote(url); err != nil {
			if wrong++; wrong <= maxWrongLines {
				out.line("xftp: get: %s:%d: %s", name, line, err)
			}
			continue
		}
		args = append(args, url)
	}
	switch {
	case wrong > maxWrongLines:
		return nil, usagef("%s: %d lines are no URLs", name, wrong)
	case wrong > 0:
		return nil, &reportedError{exitUsage}
	}
	return o.remotes(args...)
}

// maxWrongLines is how many of them are reported one by one.
const maxWrongLines = 10

// addInputFlag registers what lists URLs.
func (o *options) addInputFlag(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&o.input, "input-file", "i", "", "take more URLs from `FILE`, one a line, or from - for standard input; lines that begin with # are left out")
}
