package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// tailLength is how many bytes at the end of a part, at most, are fetched to
// see whether it is of the file that it is to be continued with.
const tailLength = 64 << 10

// resumable returns how much of the file the part on the server holds, and if
// it cannot be continued the reason. The server keeps no note of what the part
// was made of, so the file must not have changed since it was last written,
// and must have the bytes that the part ends in. conn may be used up
// afterwards.
func (u *upload) resumable(ctx context.Context, conn *ftpclient.Conn, part string, f *os.File, info fs.FileInfo) (offset int64, stale string, err error) {
	offset, err = conn.Size(ctx, part)
	if err != nil {
		if conn.Usable() {
			err = nil // there is none
		}
		return 0, "", err
	}
	u.started = offset > 0
	written, err := conn.ModTime(ctx, part)
	switch {
	case err != nil && !conn.Usable():
		return 0, "", err
	case err != nil:
		return 0, "the server does not tell when the part there was written", nil
	case info.ModTime().Truncate(time.Second).After(written):
		return 0, "the file has changed since the part on the server was written", nil
	case offset > info.Size():
		return 0, "the part on the server is longer than the file", nil
	}
	if stale, err = u.compare(ctx, conn, part, offset, f); stale != "" || err != nil {
		return 0, stale, err
	}
	return offset, "", nil
}

// compare fetches the end of a part of offset bytes, and says why it cannot be
// continued with the file. After an error the part is left as it is.
func (u *upload) compare(ctx context.Context, conn *ftpclient.Conn, part string, offset int64, f *os.File) (stale string, err error) {
	if offset == 0 {
		return "", nil
	}
	local := make([]byte, min(offset, tailLength))
	start := offset - int64(len(local))
	if _, err := f.ReadAt(local, start); err == io.EOF {
		return "", &fs.PathError{Op: "read", Path: u.path, Err: io.ErrUnexpectedEOF}
	} else if err != nil {
		return "", err
	}
	tail := &tailComparer{want: local}
	// With --verify hash all of the part is compared, by the server's hash of it.
	before := func() (io.Reader, error) { return io.NewSectionReader(f, 0, start), nil }
	_, err = conn.Retr(ctx, part, tail, &ftpclient.TransferOptions{Offset: start, Before: before})
	var (
		refusal *ftpclient.ReplyError
		wrong   *ftpclient.IntegrityError
	)
	switch {
	case ctx.Err() != nil && err != nil, isUnverified(err):
		return "", err
	case tail.differs, errors.As(err, &wrong), err == nil && len(tail.want) > 0:
		return "the part on the server is not of this file", nil
	case err == nil:
		return "", nil
	case errors.As(err, &refusal) && conn.Usable():
		return "the server does not show the part there (" + describe(refusal) + ")", nil
	}
	return "", err
}

// errTailTooLong ends the fetching of a tail from a server that sends more
// than was asked for, as one that ignores REST.
var errTailTooLong = errors.New("is longer than it was")

// A tailComparer is written what must equal want.
type tailComparer struct {
	want    []byte // what has not come yet
	differs bool
}

func (t *tailComparer) Write(b []byte) (int, error) {
	if len(b) > len(t.want) {
		t.differs = true
		return 0, errTailTooLong
	}
	t.differs = t.differs || !bytes.Equal(b, t.want[:len(b)])
	t.want = t.want[len(b):]
	return len(b), nil
}
