package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// get downloads remotes to targets, one after the other. It goes on after a
// file that failed, but not after a signal.
func (s *session) get(ctx context.Context, remotes []remote, targets []target) {
	bars := newProgress(s.out, len(remotes))
	for i, r := range remotes {
		d := &download{session: s, remote: r, target: targets[i], bars: bars}
		report := s.transfer(r, targets[i].path)
		start := time.Now()
		err := d.run(ctx)
		report.Seconds = time.Since(start).Seconds()
		report.Bytes = d.result.Bytes
		if err == nil {
			report.Verified = d.result.Verified.String()
		} else {
			err = s.failed(ctx, r.String(), err, d.hint(ctx, err, remotes[i:]))
		}
		report.Error = errorOf(err)
		s.out.finished(report)
		caught := interrupted(ctx)
		if caught == nil {
			continue
		}
		if rest := remotes[i+1:]; len(rest) > 0 && !errors.Is(err, caught) {
			// The signal came between two files.
			next := &download{session: s, remote: rest[0], target: targets[i+1]}
			s.failed(ctx, rest[0].String(), caught, next.hint(ctx, caught, rest))
		}
		return
	}
}

// A download is one file on its way.
type download struct {
	*session
	remote
	target target
	bars   *progress

	result ftpclient.Result
	kept   int64 // bytes in the part file, after a failure
}

func (d *download) run(ctx context.Context) error {
	if err := d.target.prepare(d.o.output); err != nil {
		return err
	}
	conn, err := d.connect(ctx, d.remote)
	if err != nil {
		return err
	}
	if err := conn.Type(ctx, d.Type); err != nil {
		return err
	}
	if d.target.direct {
		return d.runDirect(ctx, conn)
	}
	state, err := d.look(ctx, conn)
	if err != nil {
		return err
	}
	return d.runPart(ctx, conn, state)
}

// look asks the server for the facts of the file. What the server does not
// tell, or refuses to tell, stays unknown: the transfer itself will show
// whether the file is there.
func (d *download) look(ctx context.Context, conn *ftpclient.Conn) (partState, error) {
	state := partState{URL: d.source(), Size: -1}
	if d.Type == ftpclient.ASCII {
		return state, nil // the size on the wire is not that of the file
	}
	size, err := conn.Size(ctx, d.Path)
	if err == nil {
		state.Size = size
	} else if !conn.Usable() {
		return state, err
	}
	modified, err := conn.ModTime(ctx, d.Path)
	if err == nil {
		state.ModTime = modified
	} else if !conn.Usable() {
		return state, err
	}
	return state, nil
}

// runPart downloads to a part file and gives it the name of the target when
// it is complete.
func (d *download) runPart(ctx context.Context, conn *ftpclient.Conn, state partState) (err error) {
	part, offset, err := openPart(d.target.file, state, d.o.resume)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			d.kept = part.keep()
		}
	}()
	if part.stale != "" {
		d.out.note("%s %s: %s, so the download starts again", d.verb, d.remote, part.stale)
	}
	if offset > 0 && offset == state.Size {
		d.result.Verified = ftpclient.VerifiedSize // all of it is here
		return part.commit()
	}
	err = d.retrieve(ctx, conn, offset, part.File)
	var refusal *ftpclient.ReplyError
	if offset > 0 && errors.As(err, &refusal) && strings.HasPrefix(refusal.Command, "REST") && conn.Usable() {
		d.out.note("%s %s: the server cannot continue a file (%v), so the download starts again", d.verb, d.remote, refusal)
		if err := part.restart(); err != nil {
			return err
		}
		err = d.retrieve(ctx, conn, 0, part.File)
	}
	if err != nil {
		return err
	}
	return part.commit()
}

// runDirect downloads to a device, a FIFO or standard output.
func (d *download) runDirect(ctx context.Context, conn *ftpclient.Conn) error {
	if d.out.onStdout {
		return d.retrieve(ctx, conn, 0, d.out.stdout)
	}
	f, err := d.target.openDirect(ctx)
	if err != nil {
		return err
	}
	// A FIFO whose reader sleeps must not keep us from ending.
	release := context.AfterFunc(ctx, func() { f.Close() })
	defer func() { release(); f.Close() }()
	return d.retrieve(ctx, conn, 0, f)
}

// retrieve moves the bytes from offset on to w, and shows how they move.
func (d *download) retrieve(ctx context.Context, conn *ftpclient.Conn, offset int64, w io.Writer) (err error) {
	opts := &ftpclient.TransferOptions{Offset: offset}
	defer d.bars.watch(d.target.path, opts)()
	d.result, err = conn.Retr(ctx, d.Path, w, opts)
	return err
}

// hint says what is kept after err, and how to go on from it. It returns ""
// if nothing is kept.
func (d *download) hint(ctx context.Context, err error, rest []remote) string {
	command := d.command(true, shownAll(rest)...)
	switch {
	case d.target.direct:
		return ""
	case interrupted(ctx) != nil:
		return "continue with: " + command
	case d.kept == 0:
		return ""
	case isDiskFull(err):
		return fmt.Sprintf("%s are kept; make room, then continue with: %s", bytesText(float64(d.kept)), command)
	}
	return fmt.Sprintf("%s are kept; continue with: %s", bytesText(float64(d.kept)), command)
}

func shownAll(remotes []remote) []string {
	words := make([]string, len(remotes))
	for i, r := range remotes {
		words[i] = r.String()
	}
	return words
}
