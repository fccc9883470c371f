package main

import (
	"context"

	"github.com/spf13/cobra"
)

func newMv(out *output) *cobra.Command {
	o := new(options)
	cmd := &cobra.Command{
		Use:   "mv URL... URL|PATH",
		Short: "Rename and move files on the server",
		Long: `Mv renames files and directories on one server. The last argument is a URL of the
same server and user, or a path there, which is taken as it is: /srv/x is absolute,
a/b begins where the login does. If it ends in / it is a directory, which the files
are moved into. Most servers replace a file that is there already without a word, so
that mv asks first and leaves it; --force does not ask. It has to be typed: no
variable and no config file sets it. With --json each is an object on a line: verb,
url, to, error.

` + globHelp,
		Example: `  xftp mv ftp://user:password@host/a.txt b.txt --net kernel
  xftp mv 'ftp://user:password@host/in/*.csv' done/ --net kernel
  xftp mv ftp://user:password@host/a ftp://user@host/%2Fsrv/b --net kernel`,
		Args:              atLeast(2, "a URL and where it is to be"),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	newVerb(cmd, o, out, func(args []string) (work, error) {
		sources, to, err := o.planMove(args)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, s *session) { s.move(ctx, sources, to) }, nil
	})
	f := cmd.Flags()
	f.BoolVarP(&o.force, "force", "f", false, "do not ask whether there is something already")
	typed(f, "force")
	o.addGlobFlag(cmd)
	return cmd
}
