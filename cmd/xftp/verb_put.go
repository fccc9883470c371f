package main

import (
	"context"

	"github.com/spf13/cobra"
)

func newPut(out *output) *cobra.Command {
	o := new(options)
	cmd := &cobra.Command{
		Use:   "put FILE... URL",
		Short: "Upload files and directories",
		Long: `Put uploads files. If the path of the URL ends in / it is a directory, and the
files keep their names; else it is the name that the one file gets, and an error
if a directory has it. The file appears under its name when it is complete; until
then it is .NAME.xftp-part beside it on the server. With -c that is continued if the local file has the size
and time that it had (a note of them is kept in ~/.local/state/xftp until the upload
is complete) and the last 64 KiB there are the file's, or if the server's hash of it
is; after that the hash of the whole has to be right, or what lies around the
place where it went on. Otherwise the upload starts again. Where the server does not
rename, a file below 64 MiB is sent again under its own name, and .NAME.xftp-part is
deleted after that. With --inplace it has its own name from the start, and is not
whole until xftp says so.

After an upload the server is asked for the size of the file, which has to be
right; with --verify hash, also for its hash. A server that tells nothing of the
kind gives a warning, which --verify size or hash makes an error.

With -n a file goes over several connections, each of which writes parts of it (REST
and STOR), to .NAME.TOKEN.xftp-part. Not every server lets files be written so;
that is found out first, and then one connection sends the file. With auto, files
from 64 MiB on go over one connection at first, and one more as long as each makes
the upload a tenth faster, up to 8.

A FILE - is standard input. It is read once: an upload that breaks off after its
first byte is not tried again, and cannot be continued. Its end is the end of the
file, also where whatever writes to it has failed; in a shell with pipefail, look at
the exit code of the whole pipe.

With -r a FILE may be a directory, which is made on the server with all that is in
it: "put -r d ftp://h/in/" makes in/d/f. With a slash at its end only what is in it
goes there: "put -r d/ ftp://h/in/" makes in/f. Links to files are sent as the
files, links to directories are left out. With -c, files that the server has
already are not sent again, if it tells their times (MLSD).

With --ascii files go as text: LF becomes CR LF, but where it stands behind a CR, and
the server makes of that what its own lines end in. No size of them is compared,
and -c and -n do not go with it.`,
		Example: `  sudo xftp put file ftp://192.0.2.1/incoming/ --iface eth1 --address 192.0.2.7/24
  xftp put a b c ftp://user:password@host/dir/ --net kernel
  xftp put report.pdf ftpes://user:password@host/dir/2026.pdf --cacert ca.pem --net kernel
  tar cz photos | xftp put - ftp://user:password@host/photos.tar.gz --net kernel
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
		if err := o.checkStdin(files, to); err != nil {
			return nil, err
		}
		if err := checkNames(files); err != nil {
			return nil, err
		}
		return func(ctx context.Context, s *session) { s.put(ctx, files, to) }, nil
	})
	o.addManyFlags(cmd)
	o.addTextFlag(cmd)
	o.addLimitFlag(cmd)
	o.addVerifyFlag(cmd)
	cmd.Flags().VarP((*segmentCount)(&o.segments), "segments", "n", "one file over `N` connections at a time, or auto: as many as pay")
	cmd.Flags().BoolVar(&o.inPlace, "inplace", false, "send files under their own names at once, which a failure leaves cut short")
	return cmd
}
