package ftpclient

import (
	"context"
	"io"
	"iter"
)

// A Download is one file that [Client.Download] is to fetch.
type Download struct {
	Path string

	// Size is the size in bytes of the whole remote file, if a listing told
	// it. What arrives must be that much. If zero or negative, it is not known
	// and the server is asked.
	Size int64

	// Offset is how many bytes at the start of the file are not fetched (REST).
	Offset int64

	// Before, if not nil, opens those bytes; see [TransferOptions].
	Before func() (io.Reader, error)

	// Told, if not nil, is called with what the server says of the file (SIZE, or
	// MLST where there is no SIZE, and MDTM), before Open, and again if there is
	// another try before Open was called. The last of the calls is about the file
	// that then comes. The questions are asked in a [Binary] type only, whatever
	// [Config.Verify] says, and with those that begin the transfer: they cost no time.
	// What the server does not tell is left out. A Size that is known is not asked.
	Told func(Attributes)

	// Open returns where the file goes. It is called at most once, when the
	// server has agreed to send the file. If the io.Writer is an io.Closer, it
	// is for the caller to close it, in Done.
	Open func() (io.Writer, error)

	// Progress, if not nil, is as in [TransferOptions].
	Progress func(done, total int64)

	// Done, if not nil, is called exactly once for each file that was taken
	// from the sequence, with what [Conn.Retr] would return.
	Done func(Result, error)
}

// Download fetches files, as many as parallel at a time (at least one), each
// over a control connection of its own. On each of these the commands for the
// next file are on their way before the file under way has ended; see
// [Config.Ahead].
//
// An error of one file goes to its Done, and the others go on. Told, Open,
// Progress and Done are called one after the other for each file, but for several files
// at once. A connection that breaks is replaced, and the files that had not begun
// on it go over another one. A file that breaks off is begun again, as
// [Config.Retries] says: behind what its writer holds (REST), if the server's SIZE
// and MDTM are as before; from the start, and compared with what the writer was
// given, if that is little. A file that has changed meanwhile is an
// [*IntegrityError] of [KindChanged]. Where the server cannot restart, or tells no
// size, the error is that of the try that broke; Result.Bytes tells how many bytes
// the writer holds. Progress goes on behind those, or from the start.
//
// The sequence is read ahead by some files, in a goroutine of its own, and must
// end soon after ctx is done. It may come from [Client.Walk] of the same Client.
//
// The error of the call is that of ctx, or says why there is no connection to
// the site; it also goes to Done of each file that was taken from the sequence
// and has not ended. It is nil even if no file could be fetched.
func (c *Client) Download(ctx context.Context, files iter.Seq[Download], parallel int) error {
	jobs := func(_ context.Context, yield func(*job) bool) {
		for file := range files {
			j := &job{
				verb: "RETR", path: file.Path, offset: file.Offset, size: file.Size,
				before: file.Before, told: file.Told, writer: file.Open, progress: file.Progress, done: file.Done,
			}
			if !yield(j) {
				return
			}
		}
	}
	return operation("download", c.work(ctx, jobs, parallel))
}
