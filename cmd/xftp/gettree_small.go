package main

import (
	"context"
	"io"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"golang.org/x/sys/unix"
)

// there says whether the file that is to be downloaded is here already, or a
// part of it.
func (d *download) there() (whole, begun bool) {
	rel, name := splitPath(d.rel)
	dir, err := d.tree.open(rel)
	if err != nil {
		return false, false
	}
	defer dir.release()
	if _, err := dir.stat(temporaryName(name, partSuffix)); err == nil {
		return false, true
	}
	st, err := dir.stat(name)
	if err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG || d.state.Size < 0 || st.Size != d.state.Size || d.state.ModTime.IsZero() {
		return false, false
	}
	// It has come after the one on the server was last changed, if the clocks
	// agree.
	return time.Unix(st.Mtim.Unix()).After(d.state.ModTime), false
}

// small returns a file that is fetched without asking the server anything
// about it, and in which nothing is done that is not needed: there may be a
// million of them.
func (g *treeGet) small(ctx context.Context, d *download) *ftpclient.Download {
	var (
		part  *partFile
		start time.Time
		bar   *fileBar
	)
	d.segments = 1
	job := &ftpclient.Download{Path: d.Path, Size: d.state.Size}
	job.Open = func() (io.Writer, error) {
		start = time.Now()
		dir, name, err := d.place()
		if err != nil {
			return nil, err
		}
		defer dir.release()
		if part, err = openPart(dir, name, d.state, false); err != nil {
			return nil, err
		}
		_, err = part.inOrder()
		return part, err
	}
	if g.bars != nil {
		job.Progress = func(done, total int64) {
			if bar == nil {
				bar = g.bars.begin(d.rel, d.state.Size)
			}
			bar.report()(done, total)
		}
	}
	job.Done = func(result ftpclient.Result, err error) {
		bar.end()
		d.result = result
		if err == nil {
			err = d.commit(part)
		}
		if part != nil && err != nil {
			d.kept = part.keep(err)
		}
		kind := kindOf(err)
		switch {
		case (kind == ftpclient.KindSize || kind == ftpclient.KindChanged) && ctx.Err() == nil:
			// It has changed since it was listed, or the list is wrong.
			d.state.Size, d.dated, d.result = -1, false, ftpclient.Result{}
			d.retries += 1 + result.Retries
			g.putOff(d)
		case ctx.Err() != nil && part == nil:
			g.lose() // it was never begun
		case !d.finish(ctx, start, err, g.again):
			g.lose()
		}
	}
	return job
}

// lose notes that a signal has ended a file.
func (g *treeGet) lose() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cut = true
}
