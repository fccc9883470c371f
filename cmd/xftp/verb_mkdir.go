package main

import (
	"context"

	"github.com/spf13/cobra"
)

func newMkdir(out *output) *cobra.Command {
	o := new(options)
	cmd := &cobra.Command{
		Use:   "mkdir URL...",
		Short: "Make directories",
		Long: `Mkdir makes directories. With -p it also makes those that they are to be in, and a
directory that exists is no error. With --json each is an object on a line: verb,
url, to, error.`,
		Example: `  xftp mkdir ftp://user:password@host/new --net kernel
  xftp mkdir -p ftp://user:password@host/2026/11/23 --net kernel`,
		Args:              atLeast(1, "a URL"),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	newVerb(cmd, o, out, func(args []string) (work, error) {
		remotes, err := o.remotes(args...)
		if err != nil {
			return nil, err
		}
		o.noGlob = true // what is to be made is not listed
		for _, r := range remotes {
			if withoutSlash(r.Path) == "" {
				return nil, usagef("%s: names no directory to make", r)
			}
		}
		return func(ctx context.Context, s *session) { s.makeDirs(ctx, remotes) }, nil
	})
	cmd.Flags().BoolVarP(&o.parents, "parents", "p", false, "make what it is to be in as well, and take what exists")
	return cmd
}
