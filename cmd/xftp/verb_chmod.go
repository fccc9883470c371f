package main

import (
	"context"

	"github.com/spf13/cobra"
)

func newChmod(out *output) *cobra.Command {
	o := new(options)
	cmd := &cobra.Command{
		Use:   "chmod MODE URL...",
		Short: "Set permissions",
		Long: `Chmod sets the permissions of files and directories to MODE, which is octal: 644,
or 2755. It uses MFF where the server has it, else SITE CHMOD. With -R it does so
for all that is in a directory, too, but for links. -R has to be typed: no variable
and no config file sets it. With --json each is an object on a line: verb, url, to,
error.

` + globHelp,
		Example: `  xftp chmod 640 ftp://user:password@host/report.pdf --net kernel
  xftp chmod -R 755 ftp://user:password@host/bin --net kernel`,
		Args:              atLeast(2, "a mode and a URL"),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	newVerb(cmd, o, out, func(args []string) (work, error) {
		mode, err := parseMode(args[0])
		if err != nil {
			return nil, err
		}
		remotes, err := o.remotes(args[1:]...)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, s *session) { s.chmod(ctx, remotes, mode) }, nil
	})
	f := cmd.Flags()
	f.BoolVarP(&o.trees, "recursive", "R", false, "what is in directories as well")
	f.Var((*fileCount)(&o.parallel), "parallel", "with -R, use `N` connections")
	typed(f, "recursive")
	o.addGlobFlag(cmd)
	return cmd
}
