package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// remove removes remotes, with -r also directories.
func (s *session) remove(ctx context.Context, remotes []remote) {
	s.each(ctx, remotes, func(r remote) {
		deletion := &deletion{session: s}
		if !s.o.trees {
			deletion.file(ctx, r)
			return
		}
		deletion.top(ctx, r)
		if deletion.removed+deletion.refused > 1 && deletion.refused > 0 && interrupted(ctx) == nil {
			s.failed(ctx, r.String(), fmt.Errorf("%d removed, %d not", deletion.removed, deletion.refused), "")
		}
	})
}

// removeDirs removes empty directories.
func (s *session) removeDirs(ctx context.Context, remotes []remote) {
	s.each(ctx, remotes, func(r remote) {
		path := withoutSlash(r.Path)
		err := s.do(ctx, r, func(conn *ftpclient.Conn) error {
			if err := checkHome(ctx, conn, path); err != nil {
				return err
			}
			return conn.RemoveDir(ctx, path)
		})
		s.changed(ctx, r, nil, err)
	})
}

// A deletion is one argument of rm.
type deletion struct {
	*session
	removed, refused int
	broken           bool // the server cannot be asked any more
}

// ended reports what became of r, and returns whether it is gone.
func (d *deletion) ended(ctx context.Context, r remote, err error) bool {
	if d.o.force && errors.Is(err, fs.ErrNotExist) {
		return true
	}
	d.broken = d.broken || isOver(err)
	if d.changed(ctx, r, nil, err) != nil {
		d.refused++
		return false
	}
	d.removed++
	return true
}

const dirHint = "rm -r removes directories with all that is in them, rmdir those that are empty"

// file removes a file or a link, and no directory.
func (d *deletion) file(ctx context.Context, r remote) {
	err := d.do(ctx, r, func(conn *ftpclient.Conn) error {
		isDir := r.entry != nil && r.entry.Type == ftpclient.EntryDir
		if r.entry == nil {
			// Some servers delete also an empty directory by DELE.
			e, err := conn.MLST(ctx, r.Path)
			isDir = err == nil && e.Type == ftpclient.EntryDir
			if !conn.Usable() {
				return err
			}
		}
		if isDir {
			return &hintedError{errIsDir, dirHint}
		}
		refusal := conn.Delete(ctx, r.Path)
		if refusal == nil || !conn.Usable() {
			return refusal
		}
		if refusal = absence(ctx, conn, r.Path, refusal); !isRefused(refusal) || !conn.Usable() {
			return refusal
		}
		if e, err := look(ctx, conn, r.Path); err == nil && e.Type == ftpclient.EntryDir {
			return &hintedError{errIsDir, dirHint}
		}
		return refusal
	})
	d.ended(ctx, r, err)
}

// absence returns what shows that there is nothing at path, for [fs.ErrNotExist], or
// else refusal.
func absence(ctx context.Context, conn *ftpclient.Conn, path string, refusal error) error {
	err := conn.Exists(ctx, path)
	if errors.Is(err, fs.ErrNotExist) || err != nil && !conn.Usable() {
		return err
	}
	return refusal
}

// top removes what was named, with all that is below it.
func (d *deletion) top(ctx context.Context, r remote) {
	err := d.do(ctx, r, func(conn *ftpclient.Conn) error { return checkHome(ctx, conn, withoutSlash(r.Path)) })
	if err != nil {
		d.ended(ctx, r, err)
		return
	}
	named := &doomed{remote: r}
	if r.entry != nil {
		named.kind = r.entry.Type
	}
	d.trees(ctx, d.delete(ctx, []*doomed{named}), 0)
}

// A doomed is something that is to be removed.
type doomed struct {
	remote
	in      *doomed             // the directory that it is in, or nil
	kind    ftpclient.EntryType // as listed, or unknown
	refusal error               // why it could not be deleted as a file
	stays   bool                // because something in it does
}

// mayBeDir says whether t is a directory, or may be one.
func (t *doomed) mayBeDir() bool {
	return t.kind == ftpclient.EntryDir || t.kind == ftpclient.EntryUnknown
}

// keep notes that t stays, and with it what it is in.
func (t *doomed) keep() {
	for ; t != nil; t = t.in {
		t.stays = true
	}
}

// delete deletes files, and tries it with what may be directories: a link is never
// followed, not even where the server lists it as what it leads to, and DELE takes a
// link away and no directory. It returns the directories that are left.
func (d *deletion) delete(ctx context.Context, all []*doomed) (dirs []*doomed) {
	operations := make([]ftpclient.Operation, len(all))
	for i, t := range all {
		operations[i] = ftpclient.OpDelete(withoutSlash(t.Path))
	}
	for i, err := range d.operate(ctx, all, operations) {
		t := all[i]
		if t.mayBeDir() && isRefused(err) {
			t.refusal = err
			dirs = append(dirs, t)
			continue
		}
		d.settle(ctx, t, err)
	}
	return dirs
}

// operate is [session.operate] for what all of is at one site.
func (d *deletion) operate(ctx context.Context, all []*doomed, operations []ftpclient.Operation) []error {
	if len(all) == 0 || d.broken {
		return nil
	}
	return d.session.operate(ctx, all[0].remote, operations)
}

// settle reports what became of t. After what broke the connection, only what went
// well is told.
func (d *deletion) settle(ctx context.Context, t *doomed, err error) {
	if err == errNotBegun || d.broken && isOver(err) || !d.ended(ctx, t.remote, err) {
		t.keep()
	}
}

// trees removes directories and all that is below them, the deepest first.
func (d *deletion) trees(ctx context.Context, dirs []*doomed, depth int) {
	within := d.list(ctx, dirs, depth)
	for some := range slices.Chunk(d.delete(ctx, within), atOnce) {
		d.trees(ctx, some, depth+1)
	}
	var empty []*doomed
	var operations []ftpclient.Operation
	for _, t := range dirs {
		if !t.stays {
			empty = append(empty, t)
			operations = append(operations, ftpclient.OpRemoveDir(withoutSlash(t.Path)))
		}
	}
	for i, err := range d.operate(ctx, empty, operations) {
		d.settle(ctx, empty[i], err)
	}
}

// list returns what is in directories that are to be emptied. Those that cannot be
// listed as a whole stay, with all that is in them.
func (d *deletion) list(ctx context.Context, dirs []*doomed, depth int) (all []*doomed) {
	entries := make([][]ftpclient.Entry, len(dirs))
	errs := d.ask(ctx, len(dirs), func(i int) error {
		err := d.do(ctx, dirs[i].remote, func(conn *ftpclient.Conn) (err error) {
			if err := dirs[i].check(ctx, conn); err != nil {
				return err
			}
			entries[i], err = conn.Entries(ctx, withoutSlash(dirs[i].Path))
			return err
		})
		if err == nil && depth == maxDepth {
			err = errTooDeep
		}
		return err
	})
	for i, t := range dirs {
		if errs[i] != nil {
			d.settle(ctx, t, errs[i])
			t.stays = true
			continue
		}
		for _, e := range entries[i] {
			switch {
			case e.Type == ftpclient.EntryCurrent || e.Type == ftpclient.EntryParent:
			case e.Problem != "":
				d.ended(ctx, t.remote, badName(e))
				t.keep()
			default:
				all = append(all, &doomed{remote: t.join(e.Name), in: t, kind: e.Type})
			}
		}
	}
	return all
}

// isKnown reports whether err is about what was asked for, not about the
// connection.
func isKnown(err error) bool {
	return errors.As(err, new(*ftpclient.ListError)) || errors.As(err, new(*nameError)) || errors.As(err, new(*hintedError)) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, errUnlisted) || errors.Is(err, errTooDeep)
}

const unshownHint = "only what the server shows to be a directory is emptied: a link is not followed"

// check returns nil if the server shows that t, which it does not delete as a file,
// is a directory. What it lists t as counts, where it does: of a link MLST may tell
// what that leads to, and what is in there must stay.
func (t *doomed) check(ctx context.Context, conn *ftpclient.Conn) error {
	if t.kind == ftpclient.EntryDir {
		return nil
	}
	path := withoutSlash(t.Path)
	e, err := conn.MLST(ctx, path)
	if err != nil {
		e.Type = ftpclient.EntryUnknown
	}
	if e.Type == ftpclient.EntryCurrent {
		e.Type = ftpclient.EntryDir
	}
	if conn.Usable() && (e.Type == ftpclient.EntryDir || e.Type == ftpclient.EntryUnknown) {
		_, name := splitPath(path)
		var listed ftpclient.Entry
		if listed, err = listedAs(ctx, conn, path, name); err == nil && listed.Type != ftpclient.EntryUnknown {
			e = listed
		}
	}
	switch {
	case err != nil && !conn.Usable():
		return err
	case e.Type == ftpclient.EntryDir:
		return nil
	case e.Type != ftpclient.EntryUnknown:
		return t.refusal
	}
	return absence(ctx, conn, path, &hintedError{t.refusal, unshownHint})
}
