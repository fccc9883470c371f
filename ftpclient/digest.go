package ftpclient

import (
	"context"
	"encoding/hex"
	"errors"
	"hash"
	"io"
)

// A digest sums up a file while it passes, for [VerifyHash]. It outlives a
// transfer that is continued. A nil *digest, and the zero digest before it is
// begun, do nothing.
type digest struct {
	how hashing
	sum hash.Hash
	at  int64 // bytes from the start of the file
}

// begin makes d ready for what follows the first offset bytes of a file, which
// before opens if d has not seen them. It refuses the transfer where the server
// offers no hash.
func (d *digest) begin(ctx context.Context, c *Conn, offset int64, before func() (io.Reader, error)) error {
	if c.cfg.Verify != VerifyHash {
		return nil
	}
	how, err := c.demandHashing(ctx)
	if err != nil {
		return err
	}
	if d.sum != nil && d.how.algorithm == how.algorithm && d.at == offset {
		d.how = how
		return nil
	}
	*d = digest{how: how, sum: Sum{Algorithm: how.algorithm}.New()}
	if offset == 0 {
		return nil
	}
	if before == nil {
		return unverified(errBefore)
	}
	r, err := before()
	if err != nil {
		return err
	}
	if closer, ok := r.(io.Closer); ok {
		defer func() { _ = closer.Close() }() // it was only read
	}
	if d.at, err = io.CopyN(d.sum, r, offset); errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// demandHashing is hashing where a server without it is an error of the transfer.
func (c *Conn) demandHashing(ctx context.Context) (hashing, error) {
	how, err := c.hashing(ctx)
	var refusal *ReplyError
	if errors.Is(err, ErrNoHash) || errors.As(err, &refusal) && c.unusable() == nil {
		err = unverified(err)
	}
	return how, err
}

var errBefore = errors.New("the bytes before the offset are not known")

// add sums up p.
func (d *digest) add(p []byte) {
	_, _ = d.sum.Write(p) // never fails
	d.at += int64(len(p))
}

// writer returns w, or one that sums up what w takes.
func (d *digest) writer(w io.Writer) io.Writer {
	if d == nil || d.sum == nil {
		return w
	}
	return digestWriter{d, w}
}

type digestWriter struct {
	d *digest
	w io.Writer
}

func (dw digestWriter) Write(p []byte) (int, error) {
	n, err := dw.w.Write(p)
	if n >= 0 && n <= len(p) {
		dw.d.add(p[:n])
	}
	return n, err
}

// reader returns r, or one that sums up what r gives.
func (d *digest) reader(r io.Reader) io.Reader {
	if d == nil || d.sum == nil {
		return r
	}
	return digestReader{d, r}
}

type digestReader struct {
	d *digest
	r io.Reader
}

func (dr digestReader) Read(p []byte) (int, error) {
	n, err := dr.r.Read(p)
	if n > 0 && n <= len(p) {
		dr.d.add(p[:n])
	}
	return n, err
}

// digestStep is how many bytes of a file are summed up between two looks at whether
// that is still wanted.
const digestStep = 1 << 20

// read sums up the first size bytes of r, until ctx is done.
func (d *digest) read(ctx context.Context, r io.ReaderAt, size int64) error {
	in := io.NewSectionReader(r, 0, size)
	for d.at < size {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		n, err := io.CopyN(d.sum, in, min(digestStep, size-d.at))
		d.at += n
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// compareHash compares the first size bytes of here with what the server computes of
// the whole of path. No connection is held while the bytes are summed up, which may
// take minutes.
func (c *Client) compareHash(ctx context.Context, path string, here io.ReaderAt, size int64, result *Result) error {
	var d digest
	err := c.ask(ctx, func(conn *Conn) (err error) {
		d.how, err = conn.demandHashing(ctx)
		return err
	})
	if err != nil {
		return err
	}
	d.sum = Sum{Algorithm: d.how.algorithm}.New()
	if err := d.read(ctx, here, size); err != nil {
		return err
	}
	return c.ask(ctx, func(conn *Conn) error {
		if _, err := conn.demandHashing(ctx); err != nil { // the choice holds for each connection
			return err
		}
		return conn.checkHash(ctx, path, &d, result)
	})
}

// checkHash compares d with what the server computes of the file.
func (c *Conn) checkHash(ctx context.Context, path string, d *digest, result *Result) error {
	sum, err := c.hash(ctx, d.how, path, d.at)
	var refusal *ReplyError
	var protocol *ProtocolError
	switch {
	case err == nil:
	case ctx.Err() != nil || c.unusable() != nil:
		return err
	case errors.As(err, &refusal) && d.at == 0 && result.Verified == VerifiedSize:
		return nil // some refuse to hash the empty file, of which there is only one
	case errors.As(err, &refusal), errors.As(err, &protocol):
		return unverified(err)
	default:
		return err
	}
	if !sum.Equal(d.sum) {
		result.Verified = VerifiedNone
		return &IntegrityError{Kind: KindHash, WantSum: sum.Hex, GotSum: hex.EncodeToString(d.sum.Sum(nil))}
	}
	result.Verified = VerifiedHash
	return nil
}
