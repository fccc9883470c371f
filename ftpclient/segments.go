package ftpclient

import (
	"context"
	"io"
)

// A Range is a part of a file: the bytes from From up to, but not including,
// To.
type Range struct{ From, To int64 }

// Segments describe a download of one file over several connections.
type Segments struct {
	Path string

	// Size is the size of the file in bytes. If zero or negative, the server
	// is asked.
	Size int64

	// Count is the most connections that are used. If zero, it is 4.
	Count int

	// Missing are the parts to fetch; they do not overlap. If nil, that is the
	// whole file.
	Missing []Range

	// Progress, if not nil, is called after each piece that was written, with
	// the bytes that this call has written so far and those that it is to
	// write, or -1 if unknown. It is never called twice at the same time.
	Progress func(done, total int64)

	// Written, if not nil, is called now and then, and before DownloadSegments
	// returns, with the parts that are not written yet: what Missing has to be
	// to continue later. It is never called twice at the same time.
	Written func(missing []Range)
}

// DownloadSegments fetches one file over several connections at once, each of
// which gets a range of it (REST and RETR) and writes it to dst where it belongs.
// A connection that is done takes over half of what is left of another's
// range, if that is some megabytes. Pieces are written in no order, also by
// several goroutines at once.
//
// If the server does not tell a size, cannot restart, or the file is small,
// one connection fetches it all; if the server allows fewer connections, there
// are fewer.
//
// Result.Bytes is what this call has written. All connections must find the
// file of the same size, which is also asked for at the end; otherwise the
// error wraps an [*IntegrityError]. The other errors are those of [Conn.Retr].
func (c *Client) DownloadSegments(ctx context.Context, dst io.WriterAt, s *Segments) (Result, error) {
	result := Result{Size: -1}
	err := c.Do(ctx, func(conn *Conn) (err error) {
		w := io.NewOffsetWriter(dst, 0)
		result, err = conn.Retr(ctx, s.Path, w, &TransferOptions{Size: s.Size, Progress: s.Progress})
		return err
	})
	return result, operation("segments", err)
}
