package main

import (
	"context"

	"github.com/spf13/cobra"
)

func newStat(out *output) *cobra.Command {
	o := new(options)
	cmd := &cobra.Command{
		Use:   "stat URL...",
		Short: "Tell what the server says about files",
		Long: `Stat prints what the server tells of each file or directory: by MLST, or where the
server does not have that, by SIZE, MDTM and the list of its directory. With --json
each is an object, as ls prints them.

` + globHelp,
		Example: `  xftp stat ftp://host/pub/file.iso --net kernel
  xftp stat --json 'ftp://host/pub/*.iso' --net kernel`,
		Args:              atLeast(1, "a URL"),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	newVerb(cmd, o, out, func(args []string) (work, error) {
		remotes, err := o.remotes(args...)
		if err != nil {
			return nil, err
		}
		out.onStdout = true
		return func(ctx context.Context, s *session) { s.stat(ctx, remotes) }, nil
	})
	cmd.Flags().BoolVar(&o.list.human, "human", false, "sizes as 4.7G, powers of 1000")
	o.addGlobFlag(cmd)
	return cmd
}
