package main

import (
	"context"
	"io/fs"
	"os"
	"strings"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// wantsSegments says whether the file is to be sent over several connections.
func (u *upload) wantsSegments(info fs.FileInfo) bool {
	if u.o.inPlace || u.o.segments == 0 && info.Size() < smallestAutoPut {
		return false
	}
	return segmentsFor(u.o.segments, info.Size()) != 1
}

// sendSegments sends the file over several connections, each of which writes parts of
// it where they belong, and gives it its final name. It goes on with what u.record
// holds. The error wraps ErrNoSegments where the server does not take that.
//
// The name on the server is this upload's alone: the part has its full length from the
// start, so that nobody who does not know of its holes may take it for his own.
func (u *upload) sendSegments(ctx context.Context, f *os.File, info fs.FileInfo, bar *fileBar) error {
	continued := u.record.state.Done.bytes() > 0
	err := u.sendParts(ctx, f, info, bar)
	if continued && ctx.Err() == nil && isMisjoined(err) {
		u.out.note("%s %s: the part on the server is not as it was left (%s), so the upload starts again", u.verb, u.path, describe(err))
		u.record.state.Done = spans{}
		err = u.sendParts(ctx, f, info, bar)
	}
	if err != nil {
		return err
	}
	return u.do(ctx, func(conn *ftpclient.Conn) error { return u.rename(ctx, conn, info.Size()) })
}

// sendParts sends what is missing.
func (u *upload) sendParts(ctx context.Context, f *os.File, info fs.FileInfo, bar *fileBar) error {
	size, state := info.Size(), &u.record.state
	var missing []ftpclient.Range
	if state.Done != nil {
		missing = toRanges(state.Done.missing(size))
	} else {
		state.Part, state.Done = u.dir()+temporaryName(u.base(), "."+newToken()+partSuffix), spans{}
	}
	u.inParts = state.Part
	u.record.write()
	result, err := u.client.UploadSegments(ctx, f, &ftpclient.UploadSegments{
		Path: u.inParts, Size: size, Count: segmentsFor(u.o.segments, size), Missing: missing,
		Progress: bar.report(),
		Written: func(missing []ftpclient.Range) {
			state.Done = fromRanges(missing).missing(size)
			u.record.write()
		},
	})
	u.result, u.segments = result, max(result.Segments, 1) // auto, or the server, may have made fewer
	if changed := unchanged(f, info); changed != nil && (err == nil || kindOf(err) != "") {
		return changed // not what the server has
	}
	return err
}

// withoutSegments goes back to one connection.
func (u *upload) withoutSegments(ctx context.Context, why error) {
	u.unsegmented.Do(func() {
		u.out.note("%s %s: %s, so one connection sends it", u.verb, u.path, strings.TrimPrefix(why.Error(), "ftpclient: upload segments: "))
	})
	u.remove(ctx, u.inParts)
	u.inParts, u.segments = "", 1
}
