package main

import (
	"context"

	"github.com/spf13/cobra"
)

func newRmdir(out *output) *cobra.Command {
	o := new(options)
	cmd := &cobra.Command{
		Use:   "rmdir URL...",
		Short: "Remove empty directories",
		Long: `Rmdir removes directories that are empty. With --json each is an object on a line:
verb, url, to, error.

` + globHelp,
		Example:           `  xftp rmdir ftp://user:password@host/old --net kernel`,
		Args:              atLeast(1, "a URL"),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	newVerb(cmd, o, out, func(args []string) (work, error) {
		remotes, err := o.removable(args)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, s *session) { s.removeDirs(ctx, remotes) }, nil
	})
	o.addGlobFlag(cmd)
	return cmd
}
