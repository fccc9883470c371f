package ftpclient

import (
	"context"
	"errors"
	"io"
)

// A sent upload is one that ended well, and what its file should hold now.
type sent struct {
	*transfer
	before int64 // bytes that the file held before those, or -1 if that is not known

	// again reads once more the n bytes that were sent, or is nil.
	again func(w io.Writer, n int64) error
}

// compareStored judges an upload by the size that the file has after it.
func (s sent) compareStored(result *Result) error {
	size := result.Size
	switch {
	case size < 0:
		return nil
	case s.before >= 0 && size == s.before+s.moved, s.before < 0 && size == s.moved:
		result.Verified = VerifiedSize
		return nil
	case s.before < 0 && size > s.moved:
		return nil // APPE, to a file whose size was not told
	default:
		return &IntegrityError{Kind: KindStored, Want: max(s.before, 0) + s.moved, Got: size}
	}
}

// checkStored judges an upload that ended well, after its size was asked for. It
// asks for the hash where that is demanded, or where it is all that there is.
func (c *Conn) checkStored(ctx context.Context, s sent, d *digest, result *Result) error {
	if err := s.compareStored(result); err != nil {
		return err
	}
	switch {
	case c.cfg.Verify == VerifyHash && s.before < 0 && result.Verified == VerifiedNone:
		return unverified(errBefore)
	case c.cfg.Verify == VerifyHash:
		if err := c.checkHash(ctx, s.path, d, result); err != nil {
			return err
		}
	case result.Size < 0 && s.before == 0 && c.sizing() && s.again != nil:
		if err := c.rehash(ctx, s, result); err != nil {
			return err
		}
	}
	return c.concludeStored(s, result)
}

// errEarly is why the server's word for an upload is not taken.
var errEarly = errors.New("the server called the upload complete before its end")

// concludeStored judges an upload of which nothing more is to be learned.
func (c *Conn) concludeStored(s sent, result *Result) error {
	switch {
	case result.Verified != VerifiedNone:
		return nil
	case s.early:
		return &TransferError{Bytes: s.moved, Err: errEarly}
	case c.cfg.Verify == VerifySize:
		return unverified(unsized(result))
	default:
		return nil
	}
}

// rehash compares the server's hash with that of what was sent, read again, for
// a server that tells no size. If it tells no hash either, that is no error.
func (c *Conn) rehash(ctx context.Context, s sent, result *Result) error {
	var d digest
	how, err := c.hashing(ctx)
	var refusal *ReplyError
	switch {
	case err == nil:
	case ctx.Err() != nil || c.unusable() != nil:
		return err
	case errors.Is(err, ErrNoHash), errors.As(err, &refusal):
		return nil
	default:
		return err
	}
	d.how, d.sum = how, Sum{Algorithm: how.algorithm}.New()
	if err := s.again(d.writer(io.Discard), s.moved); err != nil {
		return err
	}
	err = c.checkHash(ctx, s.path, &d, result)
	var failure *IntegrityError
	if errors.As(err, &failure) && failure.Kind == KindUnverified {
		return nil
	}
	return err
}

// rereader returns a function that reads the n bytes behind the present position of
// r once more later, or nil if r cannot do that.
func rereader(r io.Reader) func(w io.Writer, n int64) error {
	s, ok := r.(io.ReadSeeker)
	if !ok {
		return nil
	}
	start, err := s.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil
	}
	return func(w io.Writer, n int64) error {
		if _, err := s.Seek(start, io.SeekStart); err != nil {
			return err
		}
		_, err := io.CopyN(w, s, n)
		return err
	}
}

// renameStored gives an upload that was found whole its name, and makes sure that
// it has got it.
func (c *Conn) renameStored(ctx context.Context, from, to string, result *Result) error {
	if err := c.rename(ctx, from, to); err != nil {
		return err
	}
	verb := c.sizeVerb()
	if result.Size < 0 || verb == "" {
		return nil
	}
	reply, err := c.exchange(ctx, verb, to)
	if err != nil {
		return err
	}
	size, unseen := sizeIn(reply, verb, to)
	if unseen != nil {
		return c.takenAway(ctx, verb, from, unseen, result)
	}
	return renamed(result, size)
}

// renamed judges an upload that got its name by the size that it has under that,
// or -1.
func renamed(result *Result, size int64) error {
	if size < 0 || size == result.Size {
		return nil
	}
	result.Verified = VerifiedNone
	return &IntegrityError{Kind: KindStored, Want: result.Size, Got: size}
}

// takenAway judges an upload that the server does not show under its new name:
// somebody may have waited for it there and taken it. If it is still shown under
// the old one, it has not got the new one.
func (c *Conn) takenAway(ctx context.Context, verb, from string, unseen error, result *Result) error {
	size, err := c.sizeBy(ctx, verb, from, &Result{})
	switch {
	case err != nil:
		return err
	case size < 0:
		return nil
	}
	result.Verified = VerifiedNone
	return &IntegrityError{Kind: KindStored, Want: result.Size, Got: -1, Err: unseen}
}
