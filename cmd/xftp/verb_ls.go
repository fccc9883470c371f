package main

import (
	"context"

	"github.com/spf13/cobra"
)

func newList(out *output) *cobra.Command {
	o := new(options)
	cmd := &cobra.Command{
		Use:   "ls URL...",
		Short: "List directories",
		Long: `Ls prints the names in a directory, one a line. With -l it prints what the
server says about them, in the server's own form.`,
		Example: `  xftp ls ftp://host/pub/ --net kernel
  xftp ls -l ftp://host/pub/ --net kernel`,
		Args: atLeast(1, "a URL"),
	}
	newVerb(cmd, o, out, func(args []string) (work, error) {
		remotes, err := o.remotes(args...)
		if err != nil {
			return nil, err
		}
		out.onStdout = true
		return func(ctx context.Context, s *session) { s.list(ctx, remotes) }, nil
	})
	cmd.Flags().BoolVarP(&o.longList, "long", "l", false, "print the server's listing")
	return cmd
}
