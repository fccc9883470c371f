package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// inPlaceLimit is the largest upload in bytes that is sent a second time,
// under its final name, if the server does not let the first be renamed.
const inPlaceLimit = 64 << 20

// checkSources refuses what cannot be meant as a local file. Its errors never
// contain a password.
func checkSources(files []string) error {
	for _, file := range files {
		if strings.Contains(file, "://") {
			return &usageError{
				text: redactURL(file) + ": is a URL; put sends local files to one URL, which comes last",
				hint: "download with: xftp get",
			}
		}
	}
	return nil
}

// put uploads files, one after the other. It goes on after a file that
// failed, but not after a signal.
func (s *session) put(ctx context.Context, files []string, to remote) {
	bars := newProgress(s.out, len(files))
	for i, file := range files {
		u := &upload{session: s, remote: to, path: file, bars: bars}
		if to.base() == "" {
			u.remote = to.join(filepath.Base(file))
		}
		report := s.transfer(u.remote, file)
		start := time.Now()
		err := context.Cause(ctx) // a signal that came after the file before
		if err == nil {
			err = u.run(ctx)
		}
		report.Seconds = time.Since(start).Seconds()
		report.Bytes = u.result.Bytes
		if err == nil {
			report.Verified = u.result.Verified.String()
		} else {
			err = s.failed(ctx, file, err, u.hint(ctx, append(files[i:len(files):len(files)], to.String())))
		}
		report.Error = errorOf(err)
		s.out.finished(report)
		if err != nil && interrupted(ctx) != nil {
			return
		}
	}
}

// An upload is one file on its way.
type upload struct {
	*session
	remote        // where it goes
	path   string // local file
	bars   *progress

	result  ftpclient.Result
	started bool   // a part lies on the server that -c can continue
	left    string // where on the server the whole file lies under a wrong name
}

func (u *upload) run(ctx context.Context) error {
	f, info, err := openSource(u.path)
	if err != nil {
		return err
	}
	defer f.Close()
	conn, err := u.connect(ctx, u.remote)
	if err != nil {
		return err
	}
	if err := conn.Type(ctx, u.Type); err != nil {
		return err
	}

	part := u.dir() + temporaryName(u.base(), partSuffix)
	offset := int64(0)
	canResume := info.Mode().IsRegular() && u.Type == ftpclient.Binary
	if u.o.resume && canResume {
		var stale string
		if offset, stale, err = u.resumable(ctx, conn, part, f, info); err != nil {
			return err
		}
		// A comparison that broke off took the connection with it.
		if conn, err = u.connect(ctx, u.remote); err != nil {
			return err
		}
		if err := conn.Type(ctx, u.Type); err != nil {
			return err
		}
		if stale != "" {
			u.out.note("%s %s: %s, so the upload starts again", u.verb, u.path, stale)
		}
	}
	if err := u.store(ctx, conn, part, offset, f, info); err != nil {
		u.started = canResume && offset+u.result.Bytes > 0
		return err
	}
	return u.rename(ctx, conn, part, f, info)
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
func (u *upload) store(ctx context.Context, conn *ftpclient.Conn, path string, offset int64, f *os.File, info fs.FileInfo) (err error) {
	if info.Mode().IsRegular() {
		if offset > 0 && offset == info.Size() {
			u.result.Verified = ftpclient.VerifiedSize // all of it is there
			return nil
		}
		if _, err := f.Seek(offset, io.SeekStart); err != nil {
			return err
		}
	}
	opts := &ftpclient.TransferOptions{Offset: offset}
	defer u.bars.watch(u.path, opts)()
	u.result, err = conn.Stor(ctx, path, f, opts)
	return err
}

// rename gives the part its final name. Where the server does not allow that,
// a file that is small enough is sent again under its final name; the part
// goes only when that is done.
func (u *upload) rename(ctx context.Context, conn *ftpclient.Conn, part string, f *os.File, info fs.FileInfo) error {
	refusal := conn.Rename(ctx, part, u.Path)
	if refusal == nil || !conn.Usable() {
		return refusal
	}
	if !info.Mode().IsRegular() || info.Size() >= inPlaceLimit {
		u.left = part
		return refusal
	}
	if err := u.store(ctx, conn, u.Path, 0, f, info); err != nil {
		u.left = part
		return err
	}
	if err := conn.Delete(ctx, part); err != nil {
		u.out.note("%s %s: %s stays on the server (%s)", u.verb, u.path, part, describe(err))
	}
	return nil
}

// hint says what lies on the server after an error, and how to go on with the
// arguments that are not done. It returns "" if nothing lies there.
func (u *upload) hint(ctx context.Context, rest []string) string {
	goOn := "continue with: " + u.command(true, rest...)
	switch {
	case u.left != "" && interrupted(ctx) != nil:
		return "the upload is complete, and lies on the server as " + u.left + "; " + goOn
	case u.left != "":
		return "the upload is complete, and lies on the server as " + u.left
	case u.started || interrupted(ctx) != nil:
		return goOn
	}
	return ""
}
