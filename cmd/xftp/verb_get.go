package main

import (
	"context"

	"github.com/spf13/cobra"
)

func newGet(out *output) *cobra.Command {
	o := new(options)
	cmd := &cobra.Command{
		Use:   "get URL... | -i FILE",
		Short: "Download files and directories",
		Long: `Get downloads each URL to a file of the same name in the working directory, or
to where -o says. The file appears under its name when it is complete; until
then it is .NAME.xftp-part beside it, which -c continues. Complete means that the
data and the server's last reply say so, and every size that the server tells;
with --verify hash, also its hash of the file. A server that tells nothing of the
kind gives a warning, which --verify size or hash makes an error.

With -r a URL may name a directory, which comes with all that is in it; with a
slash at its end only what is in it comes, so that "get -r ftp://h/d/ -o X" makes
X/f and "get -r ftp://h/d -o X" makes X/d/f. With -c, files that are here already
do not come again. Links in X are followed within X only; a link of the server's
gives the file that it leads to. Names that would lead elsewhere are refused.

--parallel is 1 if it is not given: commands are sent ahead, so that one connection
need not idle between two files, and many servers count the connections of an
address.

With -i a file lists more URLs, one a line; blank lines and those that begin with #
are left out. If a line is no URL, nothing is begun.

With -n a file comes over several connections, each a part of it, if it is not
smaller than 1 MiB for each. With auto there is one at first, and then one more as
long as each makes the download a tenth faster, up to 8, and none that the server
refuses. Over a network that loses packets, or is shared, that is faster.

What -c finds is continued only if the server's file has the size and time that it
had. The last 64 KiB of what is there come again and are compared, and the file's
hash is, if the server offers one; if they differ, the download starts again.

With --ascii files come as text: CR LF becomes LF. No size of them is compared, and
-c and -n do not go with it.

` + globHelp,
		Example: `  sudo xftp get ftp://192.0.2.1/file --iface eth1 --address 192.0.2.7/24
  xftp get ftp://user:password@host/dir/a ftp://host/b -o downloads/ --net kernel
  xftp get 'ftp://host/pub/2026-*.csv' -o data/ --net kernel
  xftp get -i urls.txt -o data/ --parallel 4 --limit-rate 10M --net kernel
  xftp get -c -n 4 ftp://host/big.iso --net kernel
  xftp get -r --parallel 4 ftp://host/pub/photos/ -o photos --net kernel
  xftp get ftp://host/big.iso -o /dev/null --net kernel`,
	}
	newVerb(cmd, o, out, func(args []string) (work, error) {
		remotes, err := o.listed(args, out)
		if err != nil {
			return nil, err
		}
		if o.output == "" && cmd.Flags().Changed("output") {
			return nil, usagef("-o: the name is empty") // as of a variable that is not set
		}
		out.onStdout = toStdout(o.output)
		if o.anyGlob(remotes) {
			return func(ctx context.Context, s *session) { s.getMatches(ctx, remotes) }, nil
		}
		return o.planGet(remotes)
	})
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "`FILE` to write, an existing directory, a new one with a / at its end, or - for standard output")
	o.addInputFlag(cmd)
	o.addManyFlags(cmd)
	o.addGlobFlag(cmd)
	o.addTextFlag(cmd)
	o.addLimitFlag(cmd)
	o.addVerifyFlag(cmd)
	cmd.Flags().VarP((*segmentCount)(&o.segments), "segments", "n", "one file over `N` connections at a time, or auto: as many as pay")
	return cmd
}
