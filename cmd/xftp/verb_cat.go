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
		Long: `Cat writes each file to standard output, one after the other.

` + globHelp,
		Example: `  xftp cat ftp://host/README --net kernel
  xftp cat 'ftp://host/log/*.txt' --net kernel
  xftp cat ftp://host/a.tar.gz --net kernel | tar xz`,
		Args: atLeast(1, "a URL"),
	}
	newVerb(cmd, o, out, func(args []string) (work, error) {
		remotes, err := o.remotes(args...)
		if err != nil {
			return nil, err
		}
		o.output = "-"
		out.onStdout = true
		if o.anyGlob(remotes) {
			return func(ctx context.Context, s *session) { s.getMatches(ctx, remotes) }, nil
		}
		return o.planGet(remotes)
	})
	o.addGlobFlag(cmd)
	o.addTextFlag(cmd)
	o.addLimitFlag(cmd)
	o.addVerifyFlag(cmd)
	return cmd
}
