package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"golang.org/x/sys/unix"
)

// An upload is one file on its way.
type upload struct {
	*session
	client *ftpclient.Client
	remote           // where it goes
	path   string    // local file
	named  bool      // by the URL, and not by its own name
	arg    int       // of the command line, that it comes from
	again  []string  // arguments that upload it again, for the hint
	asks   bool      // it needs questions first, or a second try
	record *upRecord // of a regular file whose bytes go as they are; nil before it is open

	alone    bool   // it is sent in segments, if the server takes that
	segments int    // 0 is 1
	inParts  string // where it lies on the server while it is sent in segments, or ""

	retries int // tries before this one
	result  ftpclient.Result
	started bool   // a part lies on the server that -c can continue
	left    string // where on the server the whole file lies under a wrong name
	cut     bool   // what the server has under the final name may not be whole
	spoilt  bool   // the part on the server has other bytes than were sent
	ended   bool
	whole   bool   // it has ended well
	settled bool   // it has ended before a signal came
	late    func() // ends it, if it has not
}

// part is the name that the file has on the server until it is complete.
func (u *upload) part() string {
	switch {
	case u.o.inPlace:
		return u.Path
	case u.inParts != "":
		return u.inParts
	}
	return u.dir() + temporaryName(u.base(), partSuffix)
}

// final is the name that the file gets when it is complete, or "" if it has it
// from the start.
func (u *upload) final() string {
	if u.o.inPlace {
		return ""
	}
	return u.Path
}

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
// once, by [session.stopped], if there is no more to say about it.
func (u *upload) finish(ctx context.Context, start time.Time, err error) bool {
	report := u.transfer(u.remote, u.path)
	report.Retries, report.Segments = u.retries, max(u.segments, 1)
	caught := interrupted(ctx)
	switch {
	case err == nil:
		u.warn(u.remote, u.path, u.result)
	case caught != nil && u.left == "" && !u.cut:
		err = caught
	default:
		err = u.failed(ctx, u.path, err, u.hint(ctx, err))
	}
	u.session.ended(report, start, u.result, err)
	u.whole = err == nil
	u.ended, u.settled = true, err == nil || caught == nil || u.left != "" || u.cut
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
	job := ftpclient.Upload{Path: u.part(), Rename: u.final()}
	job.Open = func() (r io.Reader, err error) {
		start = time.Now()
		if f, info, err = openSource(u.path); err != nil {
			return nil, err
		}
		bar = u.bars.begin(u.path, info.Size())
		u.keepRecord(info).began()
		u.record.opened()
		return f, nil
	}
	job.Check = func() error { return unchanged(f, info) }
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
			u.retries += 1 + result.Retries
			return
		}
		if ctx.Err() != nil && f == nil {
			return // it was never begun
		}
		u.broken(err, 0, info)
		if kindOf(err) != "" {
			// The client is not to be used here, and there is something to amend.
			u.late = func() { u.amend(ctx, err); u.finish(ctx, start, err) }
			return
		}
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
	defer endWith(ctx, f)()
	if err := u.checkPlace(ctx, info); err != nil {
		return err
	}
	offset := int64(0)
	if before := u.record; u.keepRecord(info) != nil {
		if offset, err = u.goOn(ctx, before, f, info); err != nil {
			return err
		}
	}
	err = u.move(ctx, offset, f, info, bar)
	var refusal *ftpclient.ReplyError
	if errors.As(err, &refusal) && isRename(refusal) && ctx.Err() == nil {
		err = u.replace(ctx, refusal, f, info, bar)
		u.record.ended(err, true)
		return err
	}
	u.broken(err, offset, info)
	u.amend(ctx, err)
	return err
}

// keepRecord makes the record of the upload, or returns nil if it is none that can be
// continued.
func (u *upload) keepRecord(info fs.FileInfo) *upRecord {
	u.record = nil
	if info.Mode().IsRegular() && u.Type == ftpclient.Binary {
		u.record = recordOf(u.source(), u.path, info)
	}
	return u.record
}

// move sends what is missing behind offset, and gives the file its final name.
func (u *upload) move(ctx context.Context, offset int64, f *os.File, info fs.FileInfo, bar *fileBar) error {
	if offset == 0 && u.record != nil && (u.record.state.Done != nil || u.wantsSegments(info)) {
		err := u.sendSegments(ctx, f, info, bar)
		if !errors.Is(err, ftpclient.ErrNoSegments) || ctx.Err() != nil {
			return err
		}
		u.withoutSegments(ctx, err)
	}
	u.record.began()
	return u.deliver(ctx, offset, f, info, bar)
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

// unreadable returns why the local file cannot be read, without opening what might
// wait for somebody who writes.
func (u *upload) unreadable() error {
	if u.path == stdinName {
		return nil
	}
	info, err := os.Stat(u.path)
	if err == nil && !info.IsDir() && unix.Faccessat(unix.AT_FDCWD, u.path, unix.R_OK, unix.AT_EACCESS) == nil {
		return nil
	}
	f, _, err := openSource(u.path)
	if err == nil {
		f.Close()
	}
	return err
}

// openSource opens a local file for reading.
func openSource(path string) (*os.File, fs.FileInfo, error) {
	if path == stdinName {
		return openStdin()
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = &hintedError{&fs.PathError{Op: "read", Path: path, Err: errors.New("is a directory")}, "with -r, put takes directories"}
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// send sends the file from offset on to a path on the server, where it then is
// renamed if rename is not empty.
func (u *upload) send(ctx context.Context, path, rename string, offset int64, f *os.File, info fs.FileInfo, bar *fileBar) error {
	if info.Mode().IsRegular() {
		if _, err := f.Seek(offset, io.SeekStart); err != nil {
			return err
		}
	}
	err := errNotBegun
	job := ftpclient.Upload{
		Path: path, Rename: rename, Offset: offset,
		Before:   func() (io.Reader, error) { return io.NewSectionReader(f, 0, offset), nil },
		Open:     func() (io.Reader, error) { u.record.opened(); return f, nil },
		Check:    func() error { return unchanged(f, info) },
		Progress: bar.report(),
		Done:     func(result ftpclient.Result, ended error) { u.result, err = result, ended },
	}
	early := u.client.Upload(ctx, slices.Values([]ftpclient.Upload{job}), 1)
	if err == errNotBegun {
		err = early
	}
	return err
}

// hint says what lies on the server after err, and how to go on. It returns ""
// if there is nothing to say of that.
func (u *upload) hint(ctx context.Context, err error) string {
	goOn := "continue with: " + u.command(true, u.again...)
	var timeout *ftpclient.TimeoutError
	if u.o.resume && errors.As(err, &timeout) && timeout.Step == ftpclient.StepReply {
		// It locks the part, as vsftpd does, for one whose end it has not heard of.
		goOn = "the server may still be waiting for an upload that was broken off; in some minutes " + goOn
	}
	kind := kindOf(err)
	switch {
	case u.left != "":
		where := "the upload is complete, and lies on the server as " + u.left
		if u.cut {
			where = u.Path + " on the server may not be whole; " + where
		}
		if interrupted(ctx) != nil {
			where += "; " + goOn
		}
		return where
	case u.spoilt && !u.cut:
		return "" // it is taken away
	case u.cut && u.started && kind == "":
		return u.Path + " on the server may not be whole; " + goOn
	case u.cut:
		return u.Path + " on the server may not be whole"
	case u.path == stdinName && u.result.Bytes > 0:
		return "standard input cannot be read again, so nothing more was tried; what was sent lies on the server as " + u.part()
	case kind == ftpclient.KindUnverified && u.started:
		return unverifiedHint + "; what was sent lies on the server as " + u.part()
	case kind != "" && u.started:
		return "what the server has lies there as " + u.part() + "; " + goOn
	case u.started:
		return goOn
	}
	return ""
}
