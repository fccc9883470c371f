package ftpclient

import (
	"context"
	"io"
	"iter"
)

// An Upload is one file that [Client.Upload] is to send.
type Upload struct {
	Path string

	// Offset is how many bytes at the start of the remote file are left as they
	// are (REST). The reader begins after them.
	Offset int64

	// Before, if not nil, opens those bytes; see [TransferOptions].
	Before func() (io.Reader, error)

	// Rename, if not empty, is the name that the file gets when it is complete
	// and its size was found right (RNFR and RNTO). If that was told, it is asked
	// for under the new name, too; an [*IntegrityError] of [KindStored] says that
	// it is still under the old one. If the server refuses that,
	// the error is a [*ReplyError] whose Command is one of these, beside a
	// Result that says that the file is there, as Path.
	Rename string

	// Open returns what is sent, until its end. It is called at most once,
	// when the server has agreed to take the file. If the io.Reader is an
	// io.Closer, it is for the caller to close it, in Done. An *os.File is read
	// in the kernel's faster ways.
	Open func() (io.Reader, error)

	// Check, if not nil, is called when all was sent and the server has called it
	// complete, before it gets its name. Its error is that of the upload, which is not
	// tried again; what was sent stays as Path.
	Check func() error

	// Progress, if not nil, is as in [TransferOptions].
	Progress func(done, total int64)

	// Done, if not nil, is called exactly once for each file that was taken
	// from the sequence, with what [Conn.Stor] would return.
	Done func(Result, error)
}

// Upload sends files, as many as parallel at a time. It is otherwise as
// [Client.Download]. A file that breaks off is begun again if its reader is an
// [io.Seeker], or was not asked for yet: behind what the server says that it holds
// (SIZE; REST and STOR), if that is no more than was sent, or from the start. If
// the reply to a rename is lost, the server is asked for the file under its new
// name. No file is named to the server before the one before it
// has ended on that connection, so that a failure never leaves a file that was
// not begun cut short.
func (c *Client) Upload(ctx context.Context, files iter.Seq[Upload], parallel int) error {
	jobs := func(_ context.Context, yield func(*job) bool) {
		for file := range files {
			j := &job{
				verb: "STOR", path: file.Path, offset: file.Offset, rename: file.Rename,
				before: file.Before, reader: file.Open, check: file.Check, progress: file.Progress, done: file.Done,
			}
			if !yield(j) {
				return
			}
		}
	}
	return operation("upload", c.work(ctx, jobs, parallel))
}
