package main

import (
	"context"

	"github.com/spf13/cobra"
)

func newCat(out *output) *cobra.Command {
	o := new(options)
	cmd := &cobra.Command{
		Use:   "cat URL...",
		Short: "Write files to standard output",
		Example: `  xftp cat ftp://host/README --net kernel
  xftp cat ftp://host/a.tar.gz --net kernel | tar xz`,
		Args: atLeast(1, "a URL"),
	}
	newVerb(cmd, o, out, func(args []string) (work, error) {
		remotes, err := o.remotes(args...)
		if err != nil {
			return nil, err
		}
		targets, err := planTargets(remotes, "-")
		if err != nil {
			return nil, err
		}
		out.onStdout = true
		return func(ctx context.Context, s *session) { s.get(ctx, remotes, targets) }, nil
	})
	o.addVerifyFlag(cmd)
	return cmd
}
