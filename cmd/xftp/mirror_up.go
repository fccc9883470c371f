package main

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/mirror"
)

// A remoteDestination is a directory on a server that becomes what is here.
type remoteDestination struct {
	*mirroring
	put              *putTree
	noTimes, noModes atomic.Bool // the server sets none, as was said
}

func (d *remoteDestination) open(ctx context.Context) error {
	d.put = &putTree{session: d.session, client: d.client, to: d.remote, top: d.local, refused: make(map[string]bool)}
	return d.client.Do(ctx, func(conn *ftpclient.Conn) error { return d.put.makeTop(ctx, conn) })
}

func (d *remoteDestination) close() {}

// make makes directories and files. There are no links.
func (d *remoteDestination) make(ctx context.Context, w *mirror.Work) error {
	if err := d.makeDirs(ctx, w.Dirs); err != nil {
		return err
	}
	var uploads []*upload
	sent := make(map[*upload]*mirror.Entry)
	for _, p := range w.Files {
		parent, _ := splitPath(p.Source.Path)
		if d.put.refused[parent] {
			continue
		}
		u := d.put.upload(p.Source.Path, d.args)
		_, name := splitPath(p.Source.Path)
		u.asks = d.o.resume && d.parts[joinPath(parent, temporaryName(name, partSuffix))]
		d.tally.find(p.Source.Size)
		uploads = append(uploads, u)
		sent[u] = p.Source
	}
	d.tally.foundAll()
	d.session.upload(ctx, d.client, uploads)
	var stamps []mirror.Change
	for _, u := range uploads {
		if e := sent[u]; u.whole {
			stamps = append(stamps, mirror.Change{Source: e, Time: !d.mo.noTimes && !d.unstamped, Mode: !d.mo.noPerms})
		}
	}
	d.change(ctx, stamps)
	return nil
}

// makeDirs makes directories. Those that are refused are tried again one by one:
// they may be there. Its error is that the server cannot be reached any more.
func (d *remoteDestination) makeDirs(ctx context.Context, dirs []*mirror.Entry) error {
	results := slices.Repeat([]error{errNotBegun}, len(dirs))
	lost := d.client.Operate(ctx, func(yield func(ftpclient.Operation) bool) {
		for i, e := range dirs {
			o := ftpclient.OpMakeDir(d.join(e.Path).Path)
			o.Done = func(err error) { results[i] = err }
			if !yield(o) {
				return
			}
		}
	}, 1)
	isError := func(err error) bool { return err != nil }
	if lost == nil && slices.ContainsFunc(results, isError) {
		lost = d.client.Do(ctx, func(conn *ftpclient.Conn) error {
			for i, e := range dirs {
				if results[i] == nil {
					continue
				}
				results[i] = d.put.make(ctx, conn, e.Path)
				if results[i] != nil && (!conn.Usable() || ctx.Err() != nil) {
					return results[i]
				}
			}
			return nil
		})
	}
	for i, e := range dirs {
		if err := results[i]; err == nil || lost == nil && err != errNoParent {
			d.did(ctx, action{Action: "mkdir", Path: e.Path}, err)
		}
	}
	return lost
}

// operate carries operations out, and reports why it cannot go on.
func (d *remoteDestination) operate(ctx context.Context, parallel int, all iter.Seq[ftpclient.Operation]) error {
	err := d.client.Operate(ctx, all, parallel)
	if err != nil && ctx.Err() == nil {
		d.fails(ctx, d.remote.String(), err)
	}
	return err
}

// change sets times and permissions on the server. What it does not set is no
// failure: the next run compares what it can.
func (d *remoteDestination) change(ctx context.Context, all []mirror.Change) {
	_ = d.operate(ctx, d.o.parallel, func(yield func(ftpclient.Operation) bool) {
		for _, c := range all {
			for _, a := range d.changes(c) {
				path := d.join(a.Path).Path
				o := ftpclient.OpChmod(path, fs.FileMode(c.Source.Mode))
				if a.Time != nil {
					o = ftpclient.OpSetModTime(path, *a.Time)
				}
				o.Done = func(err error) { d.setOrNot(ctx, a, err) }
				if !yield(o) {
					return
				}
			}
		}
	})
}

// setOrNot reports what a server has made of a time or of permissions.
func (d *remoteDestination) setOrNot(ctx context.Context, a action, err error) {
	var refusal *ftpclient.ReplyError
	if err == nil || !errors.As(err, &refusal) {
		d.did(ctx, a, err)
		return
	}
	what, told := "times", &d.noTimes
	if a.Time == nil {
		what, told = "permissions", &d.noModes
	}
	if told.CompareAndSwap(false, true) {
		d.out.note("mirror %s: the server does not set the %s of files (%s)", d.remote, what, describe(refusal))
	}
}

// remove deletes the files, and after them the directories, of which those that
// hold what could not be deleted stay.
func (d *remoteDestination) remove(ctx context.Context, entries []*mirror.Entry) {
	var mu sync.Mutex
	held := make(map[string]bool)
	some := func(dirs bool) iter.Seq[ftpclient.Operation] {
		return func(yield func(ftpclient.Operation) bool) {
			for _, e := range entries {
				mu.Lock()
				stays := held[e.Path]
				mu.Unlock()
				if dirs != (e.Type == mirror.Dir) || stays {
					continue
				}
				path := d.join(e.Path).Path
				o := ftpclient.OpDelete(path)
				if dirs {
					o = ftpclient.OpRemoveDir(path)
				}
				o.Done = func(err error) {
					mu.Lock()
					if err == nil {
						d.counts.deleted++
					} else {
						hold(held, e.Path)
					}
					mu.Unlock()
					d.did(ctx, removal(e), err)
				}
				if !yield(o) {
					return
				}
			}
		}
	}
	if d.operate(ctx, d.o.parallel, some(false)) == nil {
		_ = d.operate(ctx, 1, some(true))
	}
}

// hold notes that the directories that path is in cannot be deleted.
func hold(held map[string]bool, path string) {
	for dir, _ := splitPath(path); dir != ""; dir, _ = splitPath(dir) {
		held[dir] = true
	}
}
