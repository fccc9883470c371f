package main

import (
	"context"
	"errors"
	"io/fs"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/mirror"
)

// A remoteDestination is a directory on a server that becomes what is here.
type remoteDestination struct {
	*mirroring
	put             *putTree
	noTime, noModes bool // the server sets none
}

func (d *remoteDestination) open(ctx context.Context) error {
	d.put = &putTree{session: d.session, client: d.client, to: d.remote, top: d.local, refused: make(map[string]bool)}
	return d.client.Do(ctx, func(conn *ftpclient.Conn) error { return d.put.makeTop(ctx, conn) })
}

func (d *remoteDestination) close() {}

// make makes directories and files. There are no links.
func (d *remoteDestination) make(ctx context.Context, w *mirror.Work) {
	err := d.client.Do(ctx, func(conn *ftpclient.Conn) error {
		for _, e := range w.Dirs {
			err := d.put.make(ctx, conn, e.Path)
			d.did(ctx, action{Action: "mkdir", Path: e.Path}, err)
			if err != nil && (!conn.Usable() || ctx.Err() != nil) {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return // it was reported
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
}

// change sets times and permissions on the server. What it does not set is no
// failure: the next run compares what it can.
func (d *remoteDestination) change(ctx context.Context, all []mirror.Change) {
	d.askEach(ctx, len(all), func(conn *ftpclient.Conn, i int) error {
		for _, a := range changes(all[i]) {
			var err error
			path := d.join(a.Path).Path
			if a.Time != nil {
				err = d.setTime(ctx, conn, path, a)
			} else {
				err = d.setMode(ctx, conn, path, fs.FileMode(all[i].Source.Mode))
			}
			if err != nil && !conn.Usable() {
				d.did(ctx, a, err)
				return err
			}
			d.setOrNot(ctx, a, err)
		}
		return nil
	})
}

func (d *remoteDestination) setTime(ctx context.Context, conn *ftpclient.Conn, path string, a action) error {
	return conn.SetModTime(ctx, path, *a.Time)
}

func (d *remoteDestination) setMode(ctx context.Context, conn *ftpclient.Conn, path string, mode fs.FileMode) error {
	return conn.Chmod(ctx, path, mode)
}

// setOrNot reports what a server has made of a time or of permissions.
func (d *remoteDestination) setOrNot(ctx context.Context, a action, err error) {
	var refusal *ftpclient.ReplyError
	if err == nil || !errors.As(err, &refusal) {
		d.did(ctx, a, err)
		return
	}
	what, told := "times", &d.noTime
	if a.Time == nil {
		what, told = "permissions", &d.noModes
	}
	d.mu.Lock()
	first := !*told
	*told = true
	d.mu.Unlock()
	if first {
		d.out.note("mirror %s: the server does not set the %s of files (%s)", d.remote, what, describe(refusal))
	}
}

func (d *remoteDestination) remove(ctx context.Context, entries []*mirror.Entry) {
	err := d.client.Do(ctx, func(conn *ftpclient.Conn) error {
		for _, e := range entries {
			path := d.join(e.Path).Path
			var err error
			if e.Type == mirror.Dir {
				err = conn.RemoveDir(ctx, path)
			} else {
				err = conn.Delete(ctx, path)
			}
			if err == nil {
				d.counts.deleted++
			}
			d.did(ctx, removal(e), err)
			if err != nil && (!conn.Usable() || ctx.Err() != nil) {
				return nil // it was reported
			}
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		d.fails(ctx, d.remote.String(), err)
	}
}
