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
		Long: `Ls prints the names in a directory, or of a file, one a line. With -l it prints
what the server tells of each: type and permissions, owner, group, size in bytes,
when it was last changed, the name, and where a link leads. What is not told is a
question mark. A time is as exact as the server tells it: 2026-02-28 12:34:56Z is
in UTC; without the Z it is what the server's clock shows, in a zone that is not
known. --raw prints the server's own list.

With --json each entry is an object on a line of its own: url, name, path (below
what was listed), type (file, dir, link, special or unknown), size, time (in the
form of ISO 8601, with Z if it is in UTC), precision (of the time, in seconds),
mode (octal), owner, group, target, facts (of MLSD), problem, line; null is what is
not told. In url every byte of a name is exact.

A line of a list that is not understood, and a name that would lead elsewhere, are
told on standard error and shown by -l and --json, and the exit code is 1. On a
terminal control characters in names are escaped; elsewhere they are as they are.

` + globHelp,
		Example: `  xftp ls ftp://host/pub/ --net kernel
  xftp ls -l --sort time 'ftp://host/pub/*.iso' --net kernel
  xftp ls -R --json ftp://host/pub/ --net kernel`,
		Args: atLeast(1, "a URL"),
	}
	newVerb(cmd, o, out, func(args []string) (work, error) {
		remotes, err := o.remotes(args...)
		if err != nil {
			return nil, err
		}
		if o.list.raw && (o.json || o.trees || cmd.Flags().Changed("long") || cmd.Flags().Changed("sort") || o.list.reverse || o.list.human) {
			return nil, usagef("--raw prints the server's own list, in its order and form")
		}
		if cmd.Flags().Changed("human") && !o.list.long {
			return nil, usagef("--human is for the sizes that -l prints")
		}
		out.onStdout = true
		return func(ctx context.Context, s *session) { s.list(ctx, remotes) }, nil
	})
	f := cmd.Flags()
	o.list.sort = "name"
	f.BoolVarP(&o.list.long, "long", "l", false, "print what the server tells of each entry")
	f.BoolVar(&o.list.raw, "raw", false, "print the server's list as it is")
	f.BoolVarP(&o.trees, "recursive", "R", false, "list what is below as well")
	f.Var(&choice{&o.list.sort, sortWords}, "sort", "by name, by size (the largest first) or by time (the newest first)")
	f.BoolVar(&o.list.reverse, "reverse", false, "the other way round")
	f.BoolVar(&o.list.human, "human", false, "sizes as 4.7G, powers of 1000")
	o.addGlobFlag(cmd)
	completeWords(cmd, "sort", sortWords)
	return cmd
}
