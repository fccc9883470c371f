package main

import (
	"context"

	"github.com/spf13/cobra"
)

// newVerb completes the command of a verb that talks to servers. plan reads
// the arguments, before anything is opened, and returns what is to be done.
func newVerb(cmd *cobra.Command, o *options, out *output, plan func(args []string) (work, error)) *cobra.Command {
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		who, err := begin(cmd, o, out)
		if err != nil {
			return err
		}
		work, err := plan(args)
		if err != nil {
			return err
		}
		return runSession(cmd.Context(), cmd.Name(), o, out, who, work)
	}
	o.addTransferFlags(cmd)
	return cmd
}

// work is what a verb does once the network path is open. It reports its own
// errors with [session.failed].
type work func(context.Context, *session)

func newGet(out *output) *cobra.Command {
	o := new(options)
	cmd := &cobra.Command{
		Use:   "get URL...",
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

With -n a file comes over several connections, each a part of it, if it is not
smaller than 1 MiB for each. With auto there is one more for each 64 MiB, up to 4.
Over a network that loses packets, or is shared, that is faster.`,
		Example: `  sudo xftp get ftp://192.0.2.1/file --iface eth1 --address 192.0.2.7/24
  xftp get ftp://user:password@host/dir/a ftp://host/b -o downloads/ --net kernel
  xftp get -c -n 4 ftp://host/big.iso --net kernel
  xftp get -r --parallel 4 ftp://host/pub/photos/ -o photos --net kernel
  xftp get ftp://host/big.iso -o /dev/null --net kernel`,
		Args: atLeast(1, "a URL"),
	}
	newVerb(cmd, o, out, func(args []string) (work, error) {
		remotes, err := o.remotes(args...)
		if err != nil {
			return nil, err
		}
		if o.trees {
			if err := checkTrees(remotes, o.output); err != nil {
				return nil, err
			}
			return func(ctx context.Context, s *session) { s.getTrees(ctx, remotes) }, nil
		}
		targets, err := planTargets(remotes, o.output)
		if err != nil {
			return nil, err
		}
		out.onStdout = toStdout(o.output)
		return func(ctx context.Context, s *session) { s.get(ctx, remotes, targets) }, nil
	})
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "`FILE` to write, an existing directory, a new one with a / at its end, or - for standard output")
	o.addManyFlags(cmd)
	o.addVerifyFlag(cmd)
	cmd.Flags().VarP((*segmentCount)(&o.segments), "segments", "n", "one file over `N` connections at a time, or auto: by its size")
	return cmd
}

func newPut(out *output) *cobra.Command {
	o := new(options)
	cmd := &cobra.Command{
		Use:   "put FILE... URL",
		Short: "Upload files and directories",
		Long: `Put uploads files. If the path of the URL ends in / it is a directory, and the
files keep their names; else it is the name that the one file gets. The file
appears under its name when it is complete; until then it is .NAME.xftp-part
beside it on the server, which -c continues if its last 64 KiB are those of the
local file. Where the server does not rename, a file below 64 MiB is sent again
under its own name, and .NAME.xftp-part is deleted after that. With --inplace it
has its own name from the start, and is not whole until xftp says so.

After an upload the server is asked for the size of the file, which has to be
right; with --verify hash, also for its hash. A server that tells nothing of the
kind gives a warning, which --verify size or hash makes an error.

With -r a FILE may be a directory, which is made on the server with all that is in
it: "put -r d ftp://h/in/" makes in/d/f. With a slash at its end only what is in it
goes there: "put -r d/ ftp://h/in/" makes in/f. Links to files are sent as the
files, links to directories are left out. With -c, files that the server has
already are not sent again, if it tells their times (MLSD).`,
		Example: `  sudo xftp put file ftp://192.0.2.1/incoming/ --iface eth1 --address 192.0.2.7/24
  xftp put a b c ftp://user:password@host/dir/ --net kernel
  xftp put report.pdf ftpes://user:password@host/dir/2026.pdf --cacert ca.pem --net kernel
  xftp put -r --parallel 4 photos ftp://user:password@host/backup/ --net kernel`,
		Args: atLeast(2, "a file and a URL"),
	}
	newVerb(cmd, o, out, func(args []string) (work, error) {
		files := args[:len(args)-1]
		if err := checkSources(files); err != nil {
			return nil, err
		}
		remotes, err := o.remotes(args[len(args)-1])
		if err != nil {
			return nil, err
		}
		to := remotes[0]
		if len(files) > 1 && to.base() != "" {
			return nil, &usageError{
				text: to.String() + ": several files need a directory",
				hint: "end the URL in / for a directory",
			}
		}
		if err := checkNames(files); err != nil {
			return nil, err
		}
		return func(ctx context.Context, s *session) { s.put(ctx, files, to) }, nil
	})
	o.addManyFlags(cmd)
	o.addVerifyFlag(cmd)
	cmd.Flags().BoolVar(&o.inPlace, "inplace", false, "send files under their own names at once, which a failure leaves cut short")
	return cmd
}

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

func newList(out *output) *cobra.Command {
	o := new(options)
	cmd := &cobra.Command{
		Use:   "ls URL...",
		Short: "List directories",
		Long: `Ls prints the names in a directory, one a line. With -l it prints what the
server says about them, in the server's own form.`,
		Example: `  xftp ls ftp://host/pub/ --net kernel
  xftp ls -l ftp://host/pub/ --net kernel`,
		Args: atLeast(1, "a URL"),
	}
	newVerb(cmd, o, out, func(args []string) (work, error) {
		remotes, err := o.remotes(args...)
		if err != nil {
			return nil, err
		}
		out.onStdout = true
		return func(ctx context.Context, s *session) { s.list(ctx, remotes) }, nil
	})
	cmd.Flags().BoolVarP(&o.longList, "long", "l", false, "print the server's listing")
	return cmd
}
