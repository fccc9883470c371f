package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// An upload is one file on its way.
type upload struct {
	*session
	client *ftpclient.Client
	remote          // where it goes
	path   string   // local file
	arg    int      // of the command line, that it comes from
	again  []string // arguments that upload it again, for the hint
	asks   bool     // it needs questions first, or a second try

	retries int // tries before this one
	result  ftpclient.Result
	started bool   // a part lies on the server that -c can continue
	left    string // where on the server the whole file lies under a wrong name
	ended   bool
	settled bool // it has ended before a signal came
}

// part is the name that the file has on the server until it is complete.
func (u *upload) part() string { return u.dir() + temporaryName(u.base(), partSuffix) }

// put does the upload and reports it, and says whether it has ended, well or
// not, before a signal came.
func (u *upload) put(ctx context.Context) bool {
	start := time.Now()
	bar := u.bars.begin(u.path, -1)
	err := context.Cause(ctx) // a signal that came after the file before
	if err == nil {
		err = u.run(ctx, bar)
	}
	bar.end()
	return u.finish(ctx, start, err)
}

// finish reports the end of the upload. What a signal has ended is reported
// once, by [session.stopped].
func (u *upload) finish(ctx context.Context, start time.Time, err error) bool {
	report := u.transfer(u.remote, u.path)
	report.Retries = u.retries
	caught := interrupted(ctx)
	switch {
	case err == nil:
	case caught != nil && u.left == "":
		err = caught
	default:
		err = u.failed(ctx, u.path, err, u.hint(ctx))
	}
	u.session.ended(report, start, u.result, err)
	u.ended, u.settled = true, err == nil || caught == nil
	return u.settled
}

// quick returns the upload of a file about which the server is asked nothing
// before.
func (u *upload) quick(ctx context.Context) ftpclient.Upload {
	var (
		f     *os.File
		info  fs.FileInfo
		start time.Time
		bar   *fileBar
	)
	job := ftpclient.Upload{Path: u.part(), Rename: u.Path}
	job.Open = func() (r io.Reader, err error) {
		start = time.Now()
		if f, info, err = openSource(u.path); err != nil {
			return nil, err
		}
		bar = u.bars.begin(u.path, info.Size())
		return f, nil
	}
	if u.bars != nil {
		job.Progress = func(done, total int64) { bar.report()(done, total) }
	}
	job.Done = func(result ftpclient.Result, err error) {
		bar.end()
		if f != nil {
			f.Close()
		}
		u.result = result
		var refusal *ftpclient.ReplyError
		if errors.As(err, &refusal) && isRename(refusal) && ctx.Err() == nil {
			u.asks = true // for another way to its name
			u.retries++
			return
		}
		if ctx.Err() != nil && f == nil {
			return // it was never begun
		}
		u.started = err != nil && result.Bytes > 0 && info.Mode().IsRegular()
		u.finish(ctx, start, err)
	}
	return job
}

// isRename says whether a refusal is that of giving a file another name.
func isRename(refusal *ftpclient.ReplyError) bool {
	return strings.HasPrefix(refusal.Command, "RNFR") || strings.HasPrefix(refusal.Command, "RNTO")
}

// run sends the file, with everything that may have to be asked.
func (u *upload) run(ctx context.Context, bar *fileBar) error {
	f, info, err := openSource(u.path)
	if err != nil {
		return err
	}
	defer f.Close()
	offset := int64(0)
	canResume := info.Mode().IsRegular() && u.Type == ftpclient.Binary
	if (u.o.resume || u.asks) && canResume {
		var stale string
		err := u.do(ctx, func(conn *ftpclient.Conn) (err error) {
			offset, stale, err = u.resumable(ctx, conn, u.part(), f, info)
			return err
		})
		if err != nil {
			return err
		}
		if stale != "" {
			u.out.note("%s %s: %s, so the upload starts again", u.verb, u.path, stale)
		}
	}
	// A comparison that broke off took its connection with it.
	return u.do(ctx, func(conn *ftpclient.Conn) error {
		if err := u.store(ctx, conn, u.part(), offset, f, info, bar); err != nil {
			u.started = canResume && offset+u.result.Bytes > 0
			return err
		}
		return u.rename(ctx, conn, f, info, bar)
	})
}

// do calls f with a connection that has the type of the URL.
func (u *upload) do(ctx context.Context, f func(*ftpclient.Conn) error) error {
	return u.client.Do(ctx, func(conn *ftpclient.Conn) error {
		if err := conn.Type(ctx, u.Type); err != nil {
			return err
		}
		return f(conn)
	})
}

// openSource opens a local file for reading.
func openSource(path string) (*os.File, fs.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = &fs.PathError{Op: "read", Path: path, Err: errors.New("is a directory")}
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// store sends the file from offset on to a path on the server.
func (u *upload) store(ctx context.Context, conn *ftpclient.Conn, path string, offset int64, f *os.File, info fs.FileInfo, bar *fileBar) (err error) {
	if info.Mode().IsRegular() {
		if offset > 0 && offset == info.Size() {
			u.result.Verified = ftpclient.VerifiedSize // all of it is there
			return nil
		}
		if _, err := f.Seek(offset, io.SeekStart); err != nil {
			return err
		}
	}
	opts := &ftpclient.TransferOptions{Offset: offset, Progress: bar.report()}
	u.result, err = conn.Stor(ctx, path, f, opts)
	return err
}

// rename gives the part its final name. Where the server does not allow that,
// a file that is small enough is sent again under its final name; the part
// goes only when that is done.
func (u *upload) rename(ctx context.Context, conn *ftpclient.Conn, f *os.File, info fs.FileInfo, bar *fileBar) error {
	refusal := conn.Rename(ctx, u.part(), u.Path)
	if refusal == nil || !conn.Usable() {
		return refusal
	}
	if !info.Mode().IsRegular() || info.Size() >= inPlaceLimit {
		u.left = u.part()
		return refusal
	}
	if err := u.store(ctx, conn, u.Path, 0, f, info, bar); err != nil {
		u.left = u.part()
		return err
	}
	if err := conn.Delete(ctx, u.part()); err != nil {
		u.out.note("%s %s: %s stays on the server (%s)", u.verb, u.path, u.part(), describe(err))
	}
	return nil
}

// hint says what lies on the server after an error, and how to go on. It
// returns "" if nothing lies there.
func (u *upload) hint(ctx context.Context) string {
	goOn := "continue with: " + u.command(true, u.again...)
	switch {
	case u.left != "" && interrupted(ctx) != nil:
		return "the upload is complete, and lies on the server as " + u.left + "; " + goOn
	case u.left != "":
		return "the upload is complete, and lies on the server as " + u.left
	case u.started:
		return goOn
	}
	return ""
}
