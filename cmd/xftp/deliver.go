package main

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// deliver sends what is missing behind offset and gives the file its final name.
func (u *upload) deliver(ctx context.Context, offset int64, f *os.File, info fs.FileInfo, bar *fileBar) error {
	if offset == 0 {
		return u.send(ctx, u.part(), u.final(), 0, f, info, bar)
	}
	err := u.join(ctx, offset, f, info, bar)
	if ctx.Err() == nil && isMisjoined(err) {
		u.out.note("%s %s: %s, so the upload starts again", u.verb, u.path, describe(err))
		u.record.forget() // what the server has is not to be continued by anybody
		u.record.began()
		if err = u.send(ctx, u.part(), "", 0, f, info, bar); err == nil {
			err = u.joined(ctx, u.client, u.part(), f, &u.result)
		}
	}
	if err != nil || u.final() == "" {
		return err
	}
	return u.do(ctx, func(conn *ftpclient.Conn) error { return u.rename(ctx, conn, info.Size()) })
}

// isMisjoined says whether err is that of a file whose pieces do not make it.
func isMisjoined(err error) bool {
	var wrong *ftpclient.IntegrityError
	return errors.Is(err, errOverlap) ||
		errors.As(err, &wrong) && (wrong.Kind == ftpclient.KindHash || wrong.Kind == ftpclient.KindContent || wrong.Kind == ftpclient.KindStored && wrong.Err == nil)
}

// join sends what is missing behind offset, and compares the whole with the server's
// hash of it; where there is none, what lies around offset comes back and is compared.
func (u *upload) join(ctx context.Context, offset int64, f *os.File, info fs.FileInfo, bar *fileBar) (err error) {
	if offset < info.Size() {
		err = u.send(ctx, u.part(), "", offset, f, info, bar)
	} else { // all of it is there
		u.result = ftpclient.Result{Size: offset}
		u.result.Verified, err = u.checkWhole(ctx, u.client, u.part(), f)
	}
	if err != nil {
		return err
	}
	if err := u.joined(ctx, u.client, u.part(), f, &u.result); err != nil || u.result.Verified == ftpclient.VerifiedHash || u.o.verify == "none" {
		return err
	}
	around := span{max(offset-overlapLength, 0), min(offset+overlapLength, info.Size())}
	_, err = u.client.DownloadSegments(ctx, &overlapping{part: f, again: spans{around}}, &ftpclient.Segments{
		Path: u.part(), Size: info.Size(), Count: 1, Missing: toRanges(spans{around}),
	})
	return err
}

// rename gives a part that was complete before its final name, and makes sure
// that the server has done what it granted.
func (u *upload) rename(ctx context.Context, conn *ftpclient.Conn, want int64) error {
	if err := conn.Rename(ctx, u.part(), u.final()); err != nil {
		return err
	}
	size, unseen := conn.Size(ctx, u.final())
	switch {
	case unseen == nil && size != want:
		return &ftpclient.IntegrityError{Kind: ftpclient.KindStored, Want: want, Got: size}
	case unseen == nil || !conn.Usable():
		return unseen
	}
	// Somebody may have waited for it and taken it, but then it is under neither.
	if _, err := conn.Size(ctx, u.part()); err == nil {
		var refusal *ftpclient.ReplyError
		if errors.As(unseen, &refusal) {
			unseen = refusal
		}
		return &ftpclient.IntegrityError{Kind: ftpclient.KindStored, Want: want, Got: -1, Err: unseen}
	} else if !conn.Usable() {
		return err
	}
	return nil
}

// replace sends a file that the server does not let be renamed once more, under
// its final name, if it is small enough. The part goes only when that is done.
func (u *upload) replace(ctx context.Context, refusal error, f *os.File, info fs.FileInfo, bar *fileBar) error {
	if !info.Mode().IsRegular() || info.Size() >= inPlaceLimit {
		u.left = u.part()
		return refusal
	}
	if isDir, _ := u.isMisplaced(ctx); isDir { // or else it is tried
		u.remove(ctx, u.part())
		u.started = false
		return u.misplaced()
	}
	u.retries += u.result.Retries
	if err := u.send(ctx, u.Path, "", 0, f, info, bar); err != nil {
		u.left = u.part()
		u.cut = u.hasBegun(err) && !u.removed(ctx)
		return err
	}
	u.remove(ctx, u.part())
	return nil
}

// remove deletes a file on the server, or says that it stays.
func (u *upload) remove(ctx context.Context, path string) {
	err := u.do(ctx, func(conn *ftpclient.Conn) error {
		err := conn.Delete(ctx, path)
		if err != nil && conn.Usable() && errors.Is(conn.Exists(ctx, path), fs.ErrNotExist) {
			return nil
		}
		return err
	})
	if err != nil {
		u.out.note("%s %s: %s stays on the server (%s)", u.verb, u.path, path, describe(err))
	}
}

// removed takes a file away of which the server may have a part only, and says
// whether it is gone: what is cut short must not stand under its final name if
// the whole of it lies under another. Only a file that bytes have gone to is
// touched; another may still be the one that was there before.
func (u *upload) removed(ctx context.Context) bool {
	return u.result.Bytes > 0 && u.do(ctx, func(conn *ftpclient.Conn) error { return conn.Delete(ctx, u.Path) }) == nil
}

// broken notes what is on the server after an error.
func (u *upload) broken(err error, offset int64, info fs.FileInfo) {
	defer func() { u.record.ended(err, u.started && !u.spoilt) }()
	if err == nil || info == nil {
		return
	}
	u.started = (offset+u.result.Bytes > 0 || u.inParts != "") && info.Mode().IsRegular() && u.Type == ftpclient.Binary
	u.cut = u.o.inPlace && u.hasBegun(err)
	kind := kindOf(err)
	u.spoilt = u.spoilt || kind == ftpclient.KindHash || kind == ftpclient.KindContent || kind == ftpclient.KindChanged
}

// amend takes from the server what is not the file, after err.
func (u *upload) amend(ctx context.Context, err error) {
	var wrong *ftpclient.IntegrityError
	switch {
	case u.o.inPlace || !errors.As(err, &wrong):
	case u.spoilt:
		u.remove(ctx, u.part()) // it may be of the right size: -c must not take it
	case wrong.Kind == ftpclient.KindStored && wrong.Err == nil:
		_ = u.do(ctx, func(conn *ftpclient.Conn) error { return u.takeBack(ctx, conn, wrong.Got) }) // hint says what stays
	}
}

// takeBack removes what has the final name, if it is the part, which became
// something of another size when it was renamed.
func (u *upload) takeBack(ctx context.Context, conn *ftpclient.Conn, size int64) error {
	if _, err := conn.Size(ctx, u.part()); err == nil || !conn.Usable() {
		return err // it was not renamed
	}
	if got, err := conn.Size(ctx, u.Path); err != nil || got != size {
		return err
	}
	u.started, u.cut = false, true
	err := conn.Delete(ctx, u.Path)
	u.cut = err != nil
	return err
}

// hasBegun says whether the upload that ended by err may have changed the file
// on the server.
func (u *upload) hasBegun(err error) bool {
	return u.result.Bytes > 0 || errors.As(err, new(*ftpclient.TransferError))
}
