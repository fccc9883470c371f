package main

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/mirror"
	"golang.org/x/sys/unix"
)

// A localDestination is a directory here that becomes what a server has.
type localDestination struct {
	*mirroring
	get     *treeGet
	refused map[string]bool // directories that cannot be made
}

func (d *localDestination) open(context.Context) error {
	t, err := openTree(withSlash(d.local))
	if err != nil {
		return err
	}
	d.get = &treeGet{session: d.session, remote: d.remote, again: d.args, client: d.client, tree: t}
	d.refused = make(map[string]bool)
	return nil
}

func (d *localDestination) close() {
	if d.get != nil {
		d.get.tree.close()
	}
}

// make makes directories, then files as they come, then links.
func (d *localDestination) make(ctx context.Context, w *mirror.Work) error {
	for _, e := range w.Dirs {
		parent, _ := splitPath(e.Path)
		if d.refused[parent] {
			d.refused[e.Path] = true
			continue
		}
		err := d.get.tree.make(e.Path)
		if err != nil {
			d.refused[e.Path] = true
		}
		d.did(ctx, action{Action: "mkdir", Path: e.Path}, err)
	}
	files := func(yield func(ftpclient.Download) bool) {
		defer d.tally.foundAll()
		for _, p := range w.Files {
			if parent, _ := splitPath(p.Source.Path); d.refused[parent] {
				continue
			}
			if job := d.fetch(ctx, p); job != nil && !yield(*job) {
				return
			}
		}
	}
	err := d.client.Download(ctx, iter.Seq[ftpclient.Download](files), d.o.parallel)
	d.get.rest(ctx)
	for _, e := range w.Links {
		if ctx.Err() != nil {
			break
		}
		d.did(ctx, action{Action: "link", Path: e.Path, Target: e.Target}, d.link(e))
	}
	return err
}

// fetch begins the way of a file. It returns nil if that is not fetched now.
func (d *localDestination) fetch(ctx context.Context, p mirror.Pair) *ftpclient.Download {
	e := p.Source
	job := d.get.download(e.Path, d.join(e.Path), e.Size)
	job.state.ModTime, job.dated = e.ModTime, !e.ModTime.IsZero() && e.Precision <= time.Second
	job.isLink = d.lengthless[e.Path]
	job.stamp = &stamp{mode: -1}
	if !d.mo.noTimes {
		job.stamp.time = d.timeOf(e)
	}
	if !d.mo.noPerms {
		job.stamp.mode = e.Mode
	}
	return d.get.queue(ctx, job, d.o.resume && d.begun(e.Path))
}

// begun says whether a part of a file is here.
func (d *localDestination) begun(path string) bool {
	dir, name := splitPath(path)
	return d.parts[joinPath(dir, temporaryName(name, partSuffix))]
}

func (d *localDestination) link(e *mirror.Entry) error {
	rel, name := splitPath(e.Path)
	dir, err := d.get.tree.open(rel)
	if err != nil {
		return err
	}
	defer dir.release()
	if st, err := dir.stat(name); err == nil && st.Mode&unix.S_IFMT != unix.S_IFLNK {
		return &fs.PathError{Op: "symlink", Path: dir.prefix + name, Err: fs.ErrExist}
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return dir.link(e.Target, name)
}

// change sets times and permissions of files that are here.
func (d *localDestination) change(ctx context.Context, all []mirror.Change) {
	for _, c := range all {
		rel, name := splitPath(c.Source.Path)
		dir, err := d.get.tree.open(rel)
		for _, a := range d.changes(c) {
			switch {
			case err != nil:
			case a.Time != nil:
				err = dir.setTime(name, *a.Time)
			default:
				err = dir.setMode(name, fs.FileMode(c.Source.Mode))
			}
			d.did(ctx, a, err)
		}
		if dir != nil {
			dir.release()
		}
	}
}

func (d *localDestination) remove(ctx context.Context, entries []*mirror.Entry) {
	for _, e := range entries {
		if ctx.Err() != nil {
			return
		}
		err := d.get.tree.remove(e.Path, e.Type == mirror.Dir)
		if err == nil {
			d.counts.deleted++
		}
		d.did(ctx, removal(e), err)
	}
}
