package ftpclient

import (
	"context"
	"errors"
	"io"
	"net"
	"time"
)

// prepare notes what the file is before its parts are fetched, and refuses a
// download that cannot be checked as the caller demands.
func (w *segmented) prepare(ctx context.Context) (err error) {
	switch w.client.cfg.Verify {
	case VerifyNone:
		return nil
	case VerifyHash:
		back, ok := w.parts.dst.(io.ReaderAt)
		if !ok {
			return unverified(errNoReaderAt)
		}
		w.back = back
		err := w.client.Do(ctx, func(conn *Conn) error { return new(digest).begin(ctx, conn, 0, nil) })
		if err != nil {
			return err
		}
	}
	w.time, err = w.client.timeOf(ctx, w.path)
	return err
}

var errNoReaderAt = errors.New("what was written cannot be read back")

// verify judges a download whose parts are all there.
func (w *segmented) verify(ctx context.Context, result *Result) error {
	result.Unclosed = w.unclosed
	if w.client.cfg.Verify == VerifyNone {
		result.Verified = VerifiedSize // that the caller or the server has told before
		return nil
	}
	if err := w.unchanged(ctx); err != nil {
		return err
	}
	result.Verified = VerifiedSize
	if w.back == nil {
		return nil
	}
	return w.client.compareHash(ctx, w.path, w.back, w.parts.size, result)
}

// unchanged makes sure that the file has the size and the time that it had.
func (w *segmented) unchanged(ctx context.Context) error {
	size, err := w.client.sizeOf(ctx, w.path)
	if err != nil {
		return err
	}
	if size >= 0 && size != w.parts.size {
		return w.changed(size)
	}
	if w.time.IsZero() {
		return nil
	}
	now, err := w.client.timeOf(ctx, w.path)
	if err == nil && !now.IsZero() && !now.Equal(w.time) {
		err = changedTime(w.time, now)
	}
	return err
}

// changedTime is the error of a file that has the same size as before and another
// time.
func changedTime(before, now time.Time) error {
	return &IntegrityError{
		Kind:    KindChanged,
		WantSum: before.Format(time.RFC3339Nano),
		GotSum:  now.Format(time.RFC3339Nano),
	}
}

// ofSize is the error of a file that ended elsewhere than it should.
func (w *segmented) ofSize(ctx context.Context, conn *Conn, got int64) error {
	wrong := &IntegrityError{Kind: KindSize, Want: w.parts.size, Got: got}
	return conn.remeasure(ctx, w.path, w.parts.size, wrong)
}

// counted makes sure that the count in the reply that begins a range, if there is
// one, is that of the file or of what is left of it.
func (w *segmented) counted(t *transfer) error {
	n, ok := announced(t.first, t.path)
	if ok && n != w.parts.size && n != w.parts.size-t.offset {
		return &IntegrityError{Kind: KindAnnounced, Want: n, Got: w.parts.size}
	}
	return nil
}

// ended notes how a range ended, and returns err.
func (w *segmented) ended(t *transfer, err error) error {
	if t.unclosed && err == nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.unclosed = true
	}
	return err
}

// lockstep gets one part command by command.
func (w *segmented) lockstep(ctx context.Context, conn *Conn, dst pieceWriter) error {
	if err := conn.setType(ctx, Binary); err != nil {
		return err
	}
	if conn.sizing() {
		size, err := conn.toldSize(ctx, w.path, &Result{})
		if err != nil {
			return err
		}
		if size >= 0 && size != w.parts.size {
			return w.changed(size)
		}
	}
	m := &meter{total: -1}
	t := &transfer{verb: "RETR", path: w.path, offset: dst.p.at, meter: m}
	t.open = func() error { return w.counted(t) }
	t.copy = func(data net.Conn) (int64, error) { return conn.download(dst, data, m) }
	return w.ended(t, conn.run(ctx, t))
}
