package main

import (
	"context"

	"github.com/spf13/cobra"
)

func newRm(out *output) *cobra.Command {
	o := new(options)
	cmd := &cobra.Command{
		Use:   "rm URL...",
		Short: "Remove files and directories",
		Long: `Rm removes files, and with -r directories with all that is in them, the deepest
first. It goes on after what the server refuses, and then exits with 1. A link is
removed, and never followed. A directory whose list was not understood as a whole
stays, with what is in it. The root, and the directory that the login begins in, are
not removed. Commands are sent ahead of replies, over as many connections as
--parallel says. -r and -f have to be typed: no variable and no config file sets them.
With --json each thing removed is an object on a line: verb, url, to, error.

` + globHelp,
		Example: `  xftp rm ftp://user:password@host/old.txt --net kernel
  xftp rm 'ftp://user:password@host/log/2025-*.gz' --net kernel
  xftp rm -r ftp://user:password@host/2024 --net kernel`,
		Args:              atLeast(1, "a URL"),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	newVerb(cmd, o, out, func(args []string) (work, error) {
		remotes, err := o.removable(args)
		if err != nil {
			return nil, err
		}
		for _, r := range remotes {
			if r.base() == "" && !o.trees {
				return nil, &usageError{r.String() + ": names a directory, not a file", dirHint}
			}
		}
		return func(ctx context.Context, s *session) { s.remove(ctx, remotes) }, nil
	})
	f := cmd.Flags()
	f.BoolVarP(&o.trees, "recursive", "r", false, "remove directories, with all that is in them")
	f.BoolVarP(&o.force, "force", "f", false, "what does not exist is no error")
	f.Var((*fileCount)(&o.parallel), "parallel", "with -r, use `N` connections")
	typed(f, "recursive", "force")
	o.addGlobFlag(cmd)
	return cmd
}
