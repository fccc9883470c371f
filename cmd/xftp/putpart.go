package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// tailLength is how many bytes at the end of a part, at most, are fetched to
// see whether it is of the file that it is to be continued with.
const tailLength = 64 << 10

// goOn returns how much of the file the part on the server holds. A part in
// segments is that of u.record instead. before is the record of an upload that this
// process has begun, or nil. What cannot be continued is said.
func (u *upload) goOn(ctx context.Context, before *upRecord, f *os.File, info fs.FileInfo) (offset int64, err error) {
	old, missing := u.record.found()
	if before != nil && before.known {
		old, missing = before.state, nil
	}
	changed := missing == nil && !old.sameFile(u.record.state)
	stale := ""
	switch {
	case !u.o.resume && !u.asks: // all of it goes
	case missing == nil && !changed && old.Part != "":
		u.record.state, u.inParts = old, old.Part
		return 0, nil
	case old.Part != "":
		stale = errChangedHere.Error()
	default:
		why := error(nil)
		if changed {
			why = errChangedHere
		} else if missing != nil {
			why = errNoRecord
		}
		err = u.do(ctx, func(conn *ftpclient.Conn) error {
			offset, stale, err = u.resumable(ctx, conn, u.part(), f, info, why)
			return err
		})
	}
	switch {
	case err != nil:
	case old.Part != "":
		u.remove(ctx, old.Part)
	case changed && !u.o.inPlace:
		err = u.abandon(ctx)
	}
	if stale != "" {
		u.out.note("%s %s: %s, so the upload starts again", u.verb, u.path, stale)
	}
	return offset, err
}

// abandon deletes a part that is of an earlier file, if the server lets it: what is on its
// way of an upload that was killed is still written, as to a file without a name, and
// not into the one that is sent next.
func (u *upload) abandon(ctx context.Context) error {
	return u.do(ctx, func(conn *ftpclient.Conn) error {
		err := conn.Delete(ctx, u.part())
		if conn.Usable() && ctx.Err() == nil {
			return nil // there is none, or it can only be replaced
		}
		return err
	})
}

// Why a part on the server is not continued, unless a hash shows what it is.
var (
	errChangedHere = errors.New("the file has changed since its upload began")
	errNoRecord    = errors.New("nothing here says what the part on the server was made of")
)

// resumable returns how much of the file the part on the server holds, and if
// it cannot be continued the reason. It can if it was made of this file, as is known
// here from when it was begun, and ends in the bytes that it should; or if the
// server's hash of it is that of the file so far. conn may be used up afterwards.
func (u *upload) resumable(ctx context.Context, conn *ftpclient.Conn, part string, f *os.File, info fs.FileInfo, doubt error) (offset int64, stale string, err error) {
	offset, err = conn.Size(ctx, part)
	if err != nil {
		if conn.Usable() {
			err = nil // there is none
		}
		return 0, "", err
	}
	if u.started = offset > 0; !u.started {
		return 0, "", nil
	}
	switch {
	case doubt == errNoRecord && u.o.inPlace:
		return 0, "", nil // it need not be a part
	case doubt == errChangedHere:
		return 0, doubt.Error(), nil
	case offset > info.Size():
		return 0, "the part on the server is longer than the file", nil
	}
	same, err := u.hashedPart(ctx, conn, part, offset, f)
	switch {
	case err != nil:
		return 0, "", err
	case same == ftpclient.KindHash:
		return 0, "the part on the server is not of this file", nil
	case same == "":
		return offset, "", nil
	case doubt != nil:
		return 0, doubt.Error(), nil
	}
	if stale, err = u.compare(ctx, conn, part, offset, f); stale != "" || err != nil {
		return 0, stale, err
	}
	return offset, "", nil
}

// hashedPart compares the server's hash of a part of offset bytes with that of the
// file so far: the answer is "" if they are equal, KindHash if not, and
// KindUnverified if the server does not say.
func (u *upload) hashedPart(ctx context.Context, conn *ftpclient.Conn, part string, offset int64, f *os.File) (ftpclient.Kind, error) {
	sum, err := conn.Hash(ctx, part)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case !conn.Usable():
		return "", err
	default:
		return ftpclient.KindUnverified, nil
	}
	err = checkHash(ctx, sum, io.NewSectionReader(f, 0, offset))
	if kindOf(err) == ftpclient.KindHash {
		return ftpclient.KindHash, nil
	}
	return "", err
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
