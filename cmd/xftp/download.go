package main

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// A download is one file on its way.
type download struct {
	*session
	client *ftpclient.Client
	remote
	target target

	// tree is where the file goes if it was found in one, as rel, and target
	// is not used.
	tree *tree
	rel  string

	state   partState // what is known of the file before the server is asked
	isLink  bool      // a listing said so
	dated   bool      // state.ModTime is exact
	skipped bool      // a link to no file

	segments int
	retries  int // tries before this one
	result   ftpclient.Result
	kept     int64 // bytes in the part file, after a failure
}

// path returns the local file as the user sees it.
func (d *download) shownPath() string {
	if d.tree != nil {
		return d.tree.shown(d.rel)
	}
	return d.target.path
}

// get does the download and reports it, and says whether it has ended, well or
// not, before a signal came. again is what to download again, for the hint.
func (d *download) get(ctx context.Context, again []string) bool {
	d.segments = 1
	start := time.Now()
	bar := d.bars.begin(d.shownPath(), d.state.Size)
	err := d.run(ctx, bar)
	bar.end()
	if d.skipped {
		d.out.note("%s %s: a link that leads to no file, left out", d.verb, d.remote)
		d.tally.leaveOut()
		return true
	}
	return d.finish(ctx, start, err, again)
}

// finish reports the end of the download. What a signal has ended is reported
// once, by [session.stopped].
func (d *download) finish(ctx context.Context, start time.Time, err error, again []string) bool {
	report := d.transfer(d.remote, d.shownPath())
	report.Segments, report.Retries = d.segments, d.retries
	caught := interrupted(ctx)
	switch {
	case err == nil:
	case caught != nil:
		err = caught
	default:
		err = d.failed(ctx, d.remote.String(), err, d.hint(err, again))
	}
	d.ended(report, start, d.result, err)
	return err == nil || caught == nil
}

// place opens the directory of the target, and returns the target's name in it.
// The caller is a user of the directory.
func (d *download) place() (*directory, string, error) {
	if d.tree != nil {
		rel, name := splitPath(d.rel)
		dir, err := d.tree.open(rel)
		return dir, name, err
	}
	prefix, name := filepath.Split(d.target.file)
	dir, err := openDirectory(prefix)
	var path *fs.PathError
	if errors.As(err, &path) {
		path.Path = prefix + temporaryName(name, partSuffix) // what it was opened for
	}
	return dir, name, err
}

func (d *download) run(ctx context.Context, bar *fileBar) error {
	if d.tree == nil {
		if err := d.target.prepare(d.o.output); err != nil {
			return err
		}
		if d.target.direct {
			return d.runDirect(ctx, bar)
		}
	}
	dir, name, err := d.place()
	if err != nil {
		return err
	}
	defer dir.release()
	var part *partFile
	scattered := false
	err = d.client.Do(ctx, func(conn *ftpclient.Conn) (err error) {
		if err := conn.Type(ctx, d.Type); err != nil {
			return err
		}
		if err := d.look(ctx, conn); err != nil {
			return err
		}
		if part, err = openPart(dir, name, d.state, d.o.resume); err != nil {
			return err
		}
		if part.stale != "" {
			d.out.note("%s %s: %s, so the download starts again", d.verb, d.remote, part.stale)
		}
		d.segments = segmentsFor(d.o.segments, d.state.Size-part.holds().bytes())
		if scattered = d.segments > 1 || part.holds().bytes() > part.holds().first(); scattered {
			return nil // over connections of their own
		}
		return d.inOrder(ctx, conn, part, bar)
	})
	if scattered && err == nil {
		err = d.inSegments(ctx, part, bar)
	}
	if part != nil && err == nil {
		err = part.commit()
	}
	if part != nil && err != nil {
		d.kept = part.keep()
	}
	var refusal *ftpclient.ReplyError
	if d.isLink && errors.As(err, &refusal) && refusal.Code == 550 && d.result.Bytes == 0 {
		d.skipped = true
	}
	return err
}

// look asks the server for the facts of the file that are not known. What the
// server does not tell, or refuses to tell, stays unknown: the transfer itself
// will show whether the file is there.
func (d *download) look(ctx context.Context, conn *ftpclient.Conn) error {
	if d.Type == ftpclient.ASCII {
		d.state.Size = -1 // the size on the wire is not that of the file
		return nil
	}
	if d.state.Size < 0 {
		size, err := conn.Size(ctx, d.Path)
		if err == nil {
			d.state.Size = size
		} else if !conn.Usable() {
			return err
		}
	}
	if d.dated || d.state.Size <= recordAbove && !d.o.resume {
		return nil // the time is only for what may be continued
	}
	modified, err := conn.ModTime(ctx, d.Path)
	if err == nil {
		d.state.ModTime = modified
	} else if !conn.Usable() {
		return err
	}
	return nil
}

// inOrder downloads what is missing at the end of the part.
func (d *download) inOrder(ctx context.Context, conn *ftpclient.Conn, part *partFile, bar *fileBar) error {
	offset, err := part.inOrder()
	if err != nil {
		return err
	}
	if offset > 0 && offset == d.state.Size {
		d.result.Verified = ftpclient.VerifiedSize // all of it is here
		return nil
	}
	opts := &ftpclient.TransferOptions{Offset: offset, Size: d.state.Size, Progress: bar.report()}
	d.result, err = conn.Retr(ctx, d.Path, part, opts)
	var refusal *ftpclient.ReplyError
	if offset > 0 && errors.As(err, &refusal) && strings.HasPrefix(refusal.Command, "REST") && conn.Usable() {
		d.out.note("%s %s: the server cannot continue a file (%v), so the download starts again", d.verb, d.remote, refusal)
		if err := part.restart(); err != nil {
			return err
		}
		opts.Offset = 0
		d.result, err = conn.Retr(ctx, d.Path, part, opts)
	}
	return err
}

// runDirect downloads to a device, a FIFO or standard output.
func (d *download) runDirect(ctx context.Context, bar *fileBar) error {
	opts := &ftpclient.TransferOptions{Progress: bar.report()}
	if d.out.onStdout {
		return d.client.Do(ctx, func(conn *ftpclient.Conn) (err error) {
			if err = conn.Type(ctx, d.Type); err == nil {
				d.result, err = conn.Retr(ctx, d.Path, d.out.stdout, opts)
			}
			return err
		})
	}
	f, err := d.target.openDirect(ctx)
	if err != nil {
		return err
	}
	// A FIFO whose reader sleeps must not keep us from ending.
	release := context.AfterFunc(ctx, func() { f.Close() })
	defer func() { release(); f.Close() }()
	if info, err := f.Stat(); err == nil && isNull(info) && d.o.segments != 1 && d.Type == ftpclient.Binary {
		return d.nowhere(ctx, f, bar)
	}
	return d.client.Do(ctx, func(conn *ftpclient.Conn) (err error) {
		if err = conn.Type(ctx, d.Type); err == nil {
			d.result, err = conn.Retr(ctx, d.Path, f, opts)
		}
		return err
	})
}

// hint says what is kept after err, and how to go on from it. It returns ""
// if nothing is kept.
func (d *download) hint(err error, again []string) string {
	if d.kept == 0 {
		return ""
	}
	command := d.command(true, again...)
	if isDiskFull(err) {
		return bytesText(float64(d.kept)) + " are kept; make room, then continue with: " + command
	}
	return bytesText(float64(d.kept)) + " are kept; continue with: " + command
}
