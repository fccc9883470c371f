package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
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
	stamp   *stamp    // what it gets before its name, or nil
	skipped bool      // a link to no file

	segments int
	joins    bool // the part comes, or came, in several runs
	retries  int  // tries before this one
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
		d.warn(d.remote, d.remote.String(), d.result)
	case caught != nil:
		err = caught
	default:
		err = d.failed(ctx, d.remote.String(), err, d.hint(err, again))
		caught = interrupted(ctx) // what ends the run is to come again
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
	if err := d.look(ctx); err != nil {
		return err
	}
	part, err := openPart(dir, name, d.state, d.o.resume)
	if err != nil {
		return err
	}
	if part.stale != "" {
		d.out.note("%s %s: %s, so the download starts again", d.verb, d.remote, part.stale)
	}
	err = d.move(ctx, part, bar)
	if d.joins && ctx.Err() == nil && (errors.Is(err, errOverlap) || kindOf(err) == ftpclient.KindHash) {
		if errors.Is(err, errOverlap) {
			err = errOverlap // and not where
		}
		d.out.note("%s %s: %s, so the download starts again", d.verb, d.remote, describe(err))
		if err = part.restart(); err == nil {
			err = d.move(ctx, part, bar)
		}
	}
	if err == nil {
		err = d.commit(part)
	}
	if err != nil {
		d.kept = part.keep(err)
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
func (d *download) look(ctx context.Context) error {
	if d.Type == ftpclient.ASCII {
		d.state.Size = -1 // the size on the wire is not that of the file
		return nil
	}
	if d.state.Size >= 0 && (d.dated || d.state.Size <= recordAbove && !d.o.resume) {
		return nil // the time is only for what may be continued
	}
	return d.client.Do(ctx, func(conn *ftpclient.Conn) error {
		told, err := conn.Attributes(ctx, d.Path)
		if err != nil {
			return err
		}
		if d.state.Size < 0 {
			d.state.Size = told.Size
		}
		if !d.dated {
			d.state.ModTime = told.ModTime
		}
		return nil
	})
}

// move downloads what is missing of the part.
func (d *download) move(ctx context.Context, part *partFile, bar *fileBar) (err error) {
	held := part.holds()
	d.joins = d.joins || held.bytes() > 0
	d.segments = segmentsFor(d.o.segments, d.state.Size-held.bytes())
	if d.segments != 1 || held.bytes() > held.first() {
		err = d.inSegments(ctx, part, bar) // over connections of their own
	} else {
		err = d.inOrder(ctx, part, bar)
	}
	if err == nil && d.joins {
		err = d.joined(ctx, d.client, d.Path, part, &d.result)
	}
	return err
}

// inOrder downloads what is missing at the end of the part, and before that the end
// of what is there once more.
func (d *download) inOrder(ctx context.Context, part *partFile, bar *fileBar) error {
	offset, err := part.inOrder()
	if err != nil {
		return err
	}
	again := spans{}.add(span{0, offset}).overlaps(d.state.Size)
	from := offset - again.bytes()
	before := func() (io.Reader, error) { return io.NewSectionReader(part, 0, from), nil }
	err = d.fetch(ctx, &overlapping{part: part, again: again, at: from}, from, before, bar)
	var refusal *ftpclient.ReplyError
	if offset > 0 && errors.As(err, &refusal) && strings.HasPrefix(refusal.Command, "REST") && ctx.Err() == nil {
		d.out.note("%s %s: the server cannot continue a file (%v), so the download starts again", d.verb, d.remote, refusal)
		if err := part.restart(); err != nil {
			return err
		}
		err = d.fetch(ctx, part, 0, nil, bar)
	}
	return err
}

// fetch downloads the file from offset on, in one stream. Before opens what lies
// before that.
func (d *download) fetch(ctx context.Context, w io.Writer, offset int64, before func() (io.Reader, error), bar *fileBar) error {
	err := errNotBegun
	job := ftpclient.Download{
		Path: d.Path, Size: d.state.Size, Offset: offset, Before: before,
		Open:     func() (io.Writer, error) { return w, nil },
		Progress: bar.report(),
		Done:     func(result ftpclient.Result, ended error) { d.result, err = result, ended },
	}
	early := d.client.Download(ctx, slices.Values([]ftpclient.Download{job}), 1)
	if err == errNotBegun {
		err = early
	}
	return err
}

// errNotBegun stands for the end of a transfer until there is one.
var errNotBegun = errors.New("was not begun")

// hint says what is kept after err, and how to go on from it. It returns ""
// if there is nothing to say of that.
func (d *download) hint(err error, again []string) string {
	if d.kept == 0 {
		return ""
	}
	kept := bytesText(float64(d.kept)) + " are kept"
	if d.Type == ftpclient.ASCII {
		return kept + " as " + d.partPath() + ", and will not be continued"
	}
	command := d.command(true, again...)
	switch kind := kindOf(err); {
	case isDiskFull(err):
		return kept + "; make room, then continue with: " + command
	case kind == ftpclient.KindUnverified:
		return unverifiedHint + "; " + kept + " as " + d.partPath()
	case !continues(kind):
		return kept + " as " + d.partPath() + ", and will not be continued"
	case kind != "":
		return kept + " as " + d.partPath() + "; continue with: " + command
	}
	return kept + "; continue with: " + command
}

// partPath returns where the part lies.
func (d *download) partPath() string {
	path := d.target.file
	if d.tree != nil {
		path = d.tree.shown(d.rel)
	}
	dir, name := filepath.Split(path)
	return dir + temporaryName(name, partSuffix)
}
