package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

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
	d.broken = d.broken || ctx.Err() != nil || err != nil && !isRefused(err) && !isKnown(err)
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
		e, err := look(ctx, conn, r.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist), !conn.Usable():
			return err
		case err == nil && e.Type == ftpclient.EntryDir:
			return &hintedError{errIsDir, dirHint}
		}
		return refusal
	})
	d.ended(ctx, r, err)
}

// top removes what was named, with all that is below it.
func (d *deletion) top(ctx context.Context, r remote) {
	err := d.do(ctx, r, func(conn *ftpclient.Conn) error { return checkHome(ctx, conn, withoutSlash(r.Path)) })
	if err != nil {
		d.ended(ctx, r, err)
		return
	}
	d.tree(ctx, r, 0)
}

// tree removes r and all that is below it, the deepest first. It returns whether r
// is gone. A link is never followed, not even where the server lists it as what
// it leads to: DELE is tried first, which takes a link away and no directory.
func (d *deletion) tree(ctx context.Context, r remote, depth int) bool {
	path := withoutSlash(r.Path)
	refusal := d.do(ctx, r, func(conn *ftpclient.Conn) error { return conn.Delete(ctx, path) })
	if !isRefused(refusal) { // it is gone, or nothing is known
		return d.ended(ctx, r, refusal)
	}
	var entries []ftpclient.Entry
	err := d.do(ctx, r, func(conn *ftpclient.Conn) (err error) {
		entries, err = within(ctx, conn, path, refusal)
		return err
	})
	if err == nil && depth == maxDepth {
		err = errTooDeep
	}
	if err != nil {
		return d.ended(ctx, r, err)
	}
	whole := true
	for _, e := range entries {
		if d.broken {
			return false
		}
		whole = d.entry(ctx, r, e, depth) && whole
	}
	if !whole || d.broken {
		return false
	}
	err = d.do(ctx, r, func(conn *ftpclient.Conn) error {
		err := conn.RemoveDir(ctx, path)
		if len(entries) == 0 && isRefused(err) && conn.Usable() {
			// Some servers list what does not exist as if it were empty.
			if _, lookErr := look(ctx, conn, path); errors.Is(lookErr, fs.ErrNotExist) {
				return lookErr
			}
		}
		return err
	})
	return d.ended(ctx, r, err)
}

// entry removes what is in the directory r.
func (d *deletion) entry(ctx context.Context, r remote, e ftpclient.Entry, depth int) bool {
	switch {
	case e.Type == ftpclient.EntryCurrent || e.Type == ftpclient.EntryParent:
		return true
	case e.Problem != "":
		return d.ended(ctx, r, badName(e))
	case e.Type == ftpclient.EntryDir || e.Type == ftpclient.EntryUnknown:
		return d.tree(ctx, r.join(e.Name), depth+1)
	}
	to := r.join(e.Name)
	err := d.do(ctx, r, func(conn *ftpclient.Conn) error { return conn.Delete(ctx, to.Path) })
	return d.ended(ctx, to, err)
}

// isKnown reports whether err is about what was asked for, not about the
// connection.
func isKnown(err error) bool {
	return errors.As(err, new(*ftpclient.ListError)) || errors.As(err, new(*nameError)) || errors.As(err, new(*hintedError)) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, errTooDeep)
}

// within lists a directory that is to be emptied: as a whole, or not at all.
// refusal is why it could not be deleted as a file.
func within(ctx context.Context, conn *ftpclient.Conn, path string, refusal error) ([]ftpclient.Entry, error) {
	entries, err := conn.Entries(ctx, path)
	_, name := splitPath(path)
	switch {
	case err == nil && len(entries) == 1 && (entries[0].Name == name || entries[0].Name == path):
		// Many servers answer LIST for a file with the file.
		if _, err := conn.Size(ctx, path); err == nil {
			return nil, refusal
		}
		if !conn.Usable() {
			return nil, err
		}
		return entries, nil
	case !isRefused(err) || !conn.Usable():
		return entries, err
	}
	e, lookErr := look(ctx, conn, path)
	switch {
	case errors.Is(lookErr, fs.ErrNotExist), !conn.Usable():
		return nil, lookErr
	case lookErr == nil && e.Type == ftpclient.EntryDir:
		return nil, err
	}
	return nil, refusal
}
