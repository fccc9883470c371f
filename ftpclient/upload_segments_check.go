package ftpclient

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"
)

// prove finds out whether the server takes a file in segments: while one connection
// uploads the first byte of it, another one uploads the last; the file must then
// have its size, and keep it when a byte in the middle is written. What was written
// is the beginning of the upload.
func (w *sending) prove(ctx context.Context) error {
	if w.size < 3 {
		return noSegments("the file has %d bytes", w.size)
	}
	if why := w.client.unsegmented.get(); why != nil {
		return why
	}
	err := w.proveTwo(ctx)
	if err == nil {
		err = w.hasSize(ctx, "it does not write behind the end of a file")
	}
	if err == nil {
		err = w.proveOne(ctx, 1)
	}
	if err == nil {
		err = w.hasSize(ctx, "it cuts a file where an upload restarts")
	}
	if err == nil {
		err = w.proveSeen(ctx)
	}
	w.sent, w.stored = 1, 1
	if errors.Is(err, ErrNoSegments) && !errors.Is(err, errNoRoom) { // there may be room later
		w.client.unsegmented.set(err)
	}
	return err
}

// proveTwo uploads the last byte while the first is being uploaded.
func (w *sending) proveTwo(ctx context.Context) error {
	return w.client.Do(ctx, func(conn *Conn) error {
		// Both are there before the clock starts: a login may take long.
		second, err := w.client.pool.get(ctx, beside)
		if errors.Is(err, errNoRoom) {
			return noSegments("%w", err)
		}
		if err != nil {
			return err
		}
		defer w.client.pool.put(second)
		begun := time.Now()
		first := &firstByte{src: w.src, meanwhile: func() error {
			// That the server waits for the first to end is seen by nothing but
			// that; a round trip is a small part of what the first has taken.
			ctx, cancel := context.WithTimeoutCause(ctx, time.Second+10*time.Since(begun), errInTurn)
			defer cancel()
			err := w.proveOn(ctx, second, w.size-1)
			if context.Cause(ctx) == errInTurn {
				err = noSegments("%w", errInTurn)
			}
			return err
		}}
		_, err = w.send(ctx, conn, Range{0, 1}, first)
		if first.err != nil {
			err = first.err
		}
		return err
	})
}

var errInTurn = errors.New("it does not take two uploads to a file at the same time")

// A firstByte gives the first byte of src, and calls meanwhile before it ends.
type firstByte struct {
	src       io.ReaderAt
	meanwhile func() error
	given     bool
	err       error // of meanwhile
}

func (f *firstByte) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if !f.given {
		f.given = true
		return f.src.ReadAt(b[:1], 0)
	}
	if f.meanwhile != nil {
		f.err = f.meanwhile()
		f.meanwhile = nil
	}
	return 0, io.EOF
}

// proveOne uploads the byte at an offset.
func (w *sending) proveOne(ctx context.Context, at int64) error {
	return w.client.Do(ctx, func(conn *Conn) error { return w.proveOn(ctx, conn, at) })
}

// proveOn uploads the byte at an offset on conn.
func (w *sending) proveOn(ctx context.Context, conn *Conn, at int64) error {
	_, err := w.store(ctx, conn, Range{at, at + 1})
	conn.strayed = conn.strayed || unexpected(err)
	var refusal *ReplyError
	if errors.As(err, &refusal) && !refusal.Temporary() {
		err = noSegments("%w", refusal)
	}
	return err
}

// hasSize makes sure that the remote file has the size of the whole.
func (w *sending) hasSize(ctx context.Context, otherwise string) error {
	size, err := w.client.sizeOf(ctx, w.path)
	switch {
	case err != nil:
		return err
	case size < 0:
		return noSegments("it does not tell the size of the file")
	case size != w.size:
		return noSegments("%s", otherwise)
	default:
		return nil
	}
}

// proveSeen makes sure that it can be checked later what the server holds.
func (w *sending) proveSeen(ctx context.Context) error {
	if w.client.cfg.Verify == VerifyNone {
		return nil
	}
	hashes, err := w.hashes(ctx)
	if err != nil || hashes {
		return err
	}
	if w.client.cfg.Verify == VerifyHash {
		return unverified(ErrNoHash)
	}
	err = w.compare(ctx, 1, []Range{{0, 2}, {w.size - 1, w.size}})
	var refusal *ReplyError
	var wrong *IntegrityError
	if errors.As(err, &refusal) && !refusal.Temporary() || errors.As(err, &wrong) {
		err = noSegments("what it holds cannot be checked: %w", err)
	}
	return err
}

// hashes reports whether the server offers a hash.
func (w *sending) hashes(ctx context.Context) (offered bool, err error) {
	err = w.client.ask(ctx, func(conn *Conn) error {
		_, err := conn.hashing(ctx)
		return err
	})
	var refusal *ReplyError
	if errors.Is(err, ErrNoHash) || errors.As(err, &refusal) && refusal.Code != codeClosing {
		return false, nil
	}
	return err == nil, err
}

// found makes sure that the remote file is as an earlier upload has left it.
func (w *sending) found(ctx context.Context) error {
	size, err := w.client.sizeOf(ctx, w.path)
	if err == nil && size != w.size {
		err = &IntegrityError{Kind: KindStored, Want: w.size, Got: size}
	}
	return err
}

// check judges an upload whose parts are all confirmed.
func (w *sending) check(ctx context.Context, count int, result *Result) error {
	verify := w.client.cfg.Verify
	size, err := w.client.sizeOf(ctx, w.path)
	if err != nil {
		return err
	}
	if result.Size = size; size >= 0 && size != w.size {
		return &IntegrityError{Kind: KindStored, Want: w.size, Got: size}
	}
	if verify == VerifyNone {
		return nil
	}
	err = w.client.compareHash(ctx, w.path, w.src, w.size, result)
	var wrong *IntegrityError
	if verify == VerifyHash || !errors.As(err, &wrong) || wrong.Kind != KindUnverified {
		return err
	}
	if err := w.compare(ctx, count, joins(w.size)); err != nil {
		return err
	}
	if size >= 0 {
		result.Verified = VerifiedSize
	}
	return nil
}

// joined is how many bytes are compared on either side of where two parts meet.
const joined = 32 << 10

// joins returns the ranges around the places where the parts of a file of size bytes
// meet, with its beginning and its end.
func joins(size int64) []Range {
	all := []Range{{0, min(joined, size)}}
	length := partLength(size)
	for at := length; at < size; at += length {
		all = append(all, Range{at - joined, min(at+joined, size)})
	}
	if last := &all[len(all)-1]; size-joined <= last.To {
		last.To = size
	} else {
		all = append(all, Range{size - joined, size})
	}
	return all
}

// compare fetches ranges of the remote file and compares them with the file here.
func (w *sending) compare(ctx context.Context, count int, ranges []Range) error {
	back := &segmented{client: w.client, path: w.path, parts: &pieces{size: w.size, dst: comparer{w.src}}}
	back.parts.cut(ranges, 1)
	_, err := back.run(ctx, min(count, len(ranges)))
	var differs *IntegrityError
	if errors.As(err, &differs) {
		return differs
	}
	return err
}

// A comparer takes what r has already.
type comparer struct{ r io.ReaderAt }

func (c comparer) WriteAt(p []byte, at int64) (int, error) {
	want := make([]byte, len(p))
	if _, err := c.r.ReadAt(want, at); err != nil && err != io.EOF {
		return 0, err
	}
	if !bytes.Equal(p, want) {
		return 0, &IntegrityError{Kind: KindContent, Want: at, Got: at}
	}
	return len(p), nil
}
