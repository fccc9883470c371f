package ftpclient

import (
	"context"
	"io"
	"net"
)

// TransferOptions are the particulars of a transfer. A nil *TransferOptions is
// the whole file without news of its progress.
type TransferOptions struct {
	// Offset is how many bytes at the start of the remote file are left as
	// they are (REST; RFC 3659, Section 5). The caller's reader or writer
	// begins after them.
	Offset int64

	// Size is the size in bytes of the whole remote file, if the caller knows
	// it, for a download. What arrives is compared with it, and the server is
	// asked only if that is not as much. If zero or negative, it is not known.
	Size int64

	// Before, if not nil, opens the Offset bytes at the start of the file, as
	// the caller has them: what the remote file begins with and this transfer
	// leaves as it is. It is called with [VerifyHash] and an Offset only, since
	// the server's hash is that of the whole file; without it such a transfer
	// does not begin, and the error is an [*IntegrityError] of [KindUnverified].
	// The reader is read for Offset bytes, and closed if it is an io.Closer.
	Before func() (io.Reader, error)

	// Progress, if not nil, is called after each piece that moved, by the
	// goroutine that called the method: with the bytes that this call has
	// moved so far, and the bytes that it is to move, or -1 if unknown. For an
	// upload it counts what was taken from the reader. Use it rather than a
	// reader or writer that counts: those hide an *os.File from the kernel's
	// faster ways.
	Progress func(done, total int64)
}

// A Result says what a transfer did. It holds true also beside an error.
type Result struct {
	Bytes    int64 // moved by this call
	Size     int64 // of the whole remote file in bytes, or -1 if the server does not tell
	Verified Verified

	// Unclosed says that the server ended a protected data connection without
	// close_notify, so that TLS cannot tell the end of the file from an end that
	// somebody on the way has made. The file is good only because a size or a hash
	// agrees that was learned otherwise.
	Unclosed bool

	// Retries is how often a [Client] began again on the way to this result;
	// see [Config.Retries]. Bytes counts all tries: what the writer holds, or
	// what the reader gave and the server kept.
	Retries int

	// Segments is the most connections that have moved the file at the same time,
	// for [Client.DownloadSegments] and [Client.UploadSegments]; otherwise 0.
	Segments int

	// Unsized is what the server answered to SIZE instead of a size, or nil.
	// After an upload, a 550 here means that the server does not show the
	// file: it may hide or have taken away what was uploaded, as drop boxes do.
	Unsized *ReplyError
}

// Retr downloads a file to w (RETR). In [Binary] the server is asked for the
// size, and what else [Config.Verify] demands. If the data connection has a WriteTo, that is what w.Write is
// called by, with slices that are valid during the call only.
//
// The error wraps a [*ReplyError] if the server refuses, a [*TransferError] if
// the transfer broke after it began or its last reply is not positive, an
// [*IntegrityError] if it ended well and is not what it should be, or cannot be
// checked as is demanded. What w holds then is the start of the file, Result.Bytes long, except
// after an IntegrityError, and can be continued from there with Offset.
func (c *Conn) Retr(ctx context.Context, path string, w io.Writer, opts *TransferOptions) (Result, error) {
	result := Result{Size: -1}
	err := c.retr(ctx, path, func() (io.Writer, error) { return w, nil }, opts, new(digest), &result)
	return result, operation("retr", err)
}

func (c *Conn) retr(ctx context.Context, path string, open func() (io.Writer, error), opts *TransferOptions, d *digest, result *Result) error {
	o, err := c.prepare(ctx, "RETR", path, opts)
	if err != nil {
		return err
	}
	if err := d.begin(ctx, c, o.Offset, o.Before); err != nil {
		return err
	}
	asked := ""
	if result.Size = o.Size; result.Size <= 0 {
		asked = c.sizeVerb()
		if result.Size, err = c.sizeBy(ctx, asked, path, result); err != nil {
			return err
		}
	}
	m := &meter{progress: o.Progress, total: -1}
	if result.Size >= 0 {
		if o.Offset > result.Size {
			return &IntegrityError{Kind: KindSize, Want: result.Size, Got: o.Offset}
		}
		m.total = result.Size - o.Offset
	}
	var w io.Writer
	t := &transfer{verb: "RETR", path: path, offset: o.Offset, meter: m}
	t.open = func() (err error) { w, err = open(); return err }
	t.copy = func(data net.Conn) (int64, error) { return c.fetch(d.writer(w), data, m) }
	err = c.run(ctx, t)
	result.Bytes = t.moved
	if err != nil {
		return err
	}
	return c.checkReceived(ctx, t, asked, d, result)
}

// checkOffset refuses the offset that a transfer cannot begin at.
func (c *Conn) checkOffset(offset int64) error {
	switch {
	case offset < 0:
		return &ArgumentError{Command: "REST", Problem: "is negative"}
	case offset > 0 && c.want != Binary:
		return &ArgumentError{Command: "REST", Problem: "is in a text, whose bytes are not as many here as there"}
	default:
		return nil
	}
}

// prepare checks the arguments of a transfer and sets the type.
func (c *Conn) prepare(ctx context.Context, verb, path string, opts *TransferOptions) (TransferOptions, error) {
	var o TransferOptions
	if opts != nil {
		o = *opts
	}
	if err := c.checkName(verb, path); err != nil {
		return o, err
	}
	if err := c.checkOffset(o.Offset); err != nil {
		return o, err
	}
	if c.want != Binary {
		o.Size = 0 // what arrives is not compared with it
	}
	if err := c.verifiable(); err != nil {
		return o, err
	}
	return o, c.setType(ctx, c.want)
}
