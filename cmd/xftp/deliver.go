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
	whole := offset > 0 && offset == info.Size()
	switch {
	case whole:
		u.result = ftpclient.Result{Size: offset, Verified: ftpclient.VerifiedSize}
	case u.o.hashesHere():
		if err := u.send(ctx, u.part(), "", offset, f, info, bar); err != nil {
			return err
		}
	default:
		return u.send(ctx, u.part(), u.final(), offset, f, info, bar)
	}
	if u.o.hashesHere() {
		if err := u.compareHash(ctx, u.part(), f); err != nil {
			return err
		}
	}
	if u.final() == "" {
		return nil
	}
	return u.do(ctx, func(conn *ftpclient.Conn) error { return conn.Rename(ctx, u.part(), u.final()) })
}

// compareHash compares a file on the server with the local one.
func (u *upload) compareHash(ctx context.Context, path string, f *os.File) error {
	sum, err := hashOf(ctx, u.client, path)
	if err == nil {
		err = checkHash(ctx, sum, f)
	}
	if err == nil {
		u.result.Verified = ftpclient.VerifiedHash
	}
	return err
}

// replace sends a file that the server does not let be renamed once more, under
// its final name, if it is small enough. The part goes only when that is done.
func (u *upload) replace(ctx context.Context, refusal error, f *os.File, info fs.FileInfo, bar *fileBar) error {
	if !info.Mode().IsRegular() || info.Size() >= inPlaceLimit {
		u.left = u.part()
		return refusal
	}
	u.retries += u.result.Retries
	err := u.send(ctx, u.Path, "", 0, f, info, bar)
	if err == nil && u.o.hashesHere() {
		err = u.compareHash(ctx, u.Path, f)
	}
	if err != nil {
		u.left = u.part()
		u.cut = u.hasBegun(err) && !u.removed(ctx)
		return err
	}
	u.remove(ctx, u.part())
	return nil
}

// remove deletes a file on the server, or says that it stays.
func (u *upload) remove(ctx context.Context, path string) {
	if err := u.do(ctx, func(conn *ftpclient.Conn) error { return conn.Delete(ctx, path) }); err != nil {
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
	if err == nil || info == nil {
		return
	}
	u.started = offset+u.result.Bytes > 0 && info.Mode().IsRegular() && u.Type == ftpclient.Binary
	u.cut = u.o.inPlace && u.hasBegun(err)
	u.spoilt = kindOf(err) == ftpclient.KindHash
}

// discard takes a part away that has other bytes than were sent, and perhaps the
// right number: -c must not take it for the file.
func (u *upload) discard(ctx context.Context) {
	if u.spoilt && !u.o.inPlace {
		u.remove(ctx, u.part())
	}
}

// hasBegun says whether the upload that ended by err may have changed the file
// on the server.
func (u *upload) hasBegun(err error) bool {
	return u.result.Bytes > 0 || errors.As(err, new(*ftpclient.TransferError))
}
