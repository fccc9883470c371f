package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient/listing"
	"github.com/seed-54eb6215/xftp/ftpclient/mirror"
	"golang.org/x/sys/unix"
)

// hurry is how long after a change a file is taken to be written for good: a
// list that is cut to minutes does not show what was changed in the same one.
const hurry = 2 * time.Minute

// scan lists the directory here. One that is to be made is empty.
func (m *mirroring) scan(ctx context.Context) error {
	root, err := os.OpenRoot(m.local)
	if errors.Is(err, fs.ErrNotExist) && !m.up {
		return nil
	}
	if err != nil {
		return err
	}
	t := &tree{root: root, prefix: withSlash(m.local)}
	defer t.close()
	m.hasty, m.parts = make(map[string]bool), make(map[string]bool)
	return m.scanDir(ctx, t, "")
}

func withSlash(dir string) string { return strings.TrimSuffix(dir, "/") + "/" }

// scanDir lists one directory here and all below it. Its error is that of the top,
// or of ctx.
func (m *mirroring) scanDir(ctx context.Context, t *tree, rel string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	dir, names, err := t.names(rel)
	if err != nil && rel == "" {
		return err
	}
	if err != nil {
		m.doubt(ctx, &m.here, t.shown(rel), err)
		return nil
	}
	defer dir.release()
	var dirs []string
	for _, name := range names {
		e, err := m.scanned(dir, joinPath(rel, name), name)
		switch {
		case errors.Is(err, unix.ENOENT): // it has gone meanwhile
		case err != nil:
			m.doubt(ctx, &m.here, t.shown(joinPath(rel, name)), err)
		default:
			if e.Type == mirror.Dir && e.Out == "" && m.filter.scope(e.Path, true) != mirror.Outside {
				dirs = append(dirs, e.Path)
			}
			m.here.Entries = append(m.here.Entries, e)
		}
	}
	for _, path := range dirs {
		if err := m.scanDir(ctx, t, path); err != nil {
			return err
		}
	}
	return nil
}

// scanned describes what has a name in a directory here. On the way up links are
// followed to files, if that is asked for.
func (m *mirroring) scanned(dir *directory, path, name string) (mirror.Entry, error) {
	e := mirror.Entry{Path: path, Size: -1, Mode: -1}
	if problem := listing.NameProblem(name); problem != "" && m.up {
		return e, fmt.Errorf("%s: %q", problem, name)
	}
	if isTemporary(name) {
		e.Out = errTemporary.Error()
		m.parts[path] = !m.up
		return e, nil
	}
	st, err := dir.stat(name)
	if err != nil {
		return e, err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFLNK {
		return m.scannedLink(dir, e, name)
	}
	m.describe(&e, &st)
	return e, nil
}

// describe fills in what stat(2) tells.
func (m *mirroring) describe(e *mirror.Entry, st *unix.Stat_t) {
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		e.Type = mirror.Dir
	case unix.S_IFREG:
		e.Type, e.Size, e.Mode = mirror.File, st.Size, int16(st.Mode&0o777)
		e.ModTime = time.Unix(st.Mtim.Unix())
		if st.Mtim.Nsec == 0 {
			e.Precision = time.Second // the file system may know no less
		}
		if time.Unix(st.Ctim.Unix()).Sub(e.ModTime) < hurry {
			m.hasty[e.Path] = true
		}
	}
}

func (m *mirroring) scannedLink(dir *directory, e mirror.Entry, name string) (mirror.Entry, error) {
	e.Type = mirror.Link
	if !m.up {
		var err error
		e.Target, err = dir.readLink(name)
		return e, err
	}
	switch m.mo.links {
	case "skip":
		return e, nil
	case "keep":
		e.Out = "is a link, and the server cannot be told to make one"
		return e, nil
	}
	var st unix.Stat_t
	err := unix.Fstatat(dir.fd(), name, &st, 0)
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ELOOP):
		return e, nil // it leads to no file, as the plan will say
	case err != nil:
		return e, &fs.PathError{Op: "stat", Path: dir.prefix + name, Err: err}
	case st.Mode&unix.S_IFMT == unix.S_IFDIR:
		e.Out = "is a link to a directory"
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		e.Out = "is a link to what is no regular file"
	default:
		m.describe(&e, &st)
	}
	return e, nil
}

// doubt reports what could not be listed. Nothing is deleted after that.
func (m *mirroring) doubt(ctx context.Context, side *mirror.Tree, subject string, err error) {
	if interrupted(ctx) != nil {
		return
	}
	m.fails(ctx, subject, err)
	side.Doubts = append(side.Doubts, subject+": "+describe(err))
}
