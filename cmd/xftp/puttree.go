package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// putTree makes the directories on the server that a local one needs, each
// once, and returns the uploads of its files. "put -r d URL/" makes d there;
// with a slash behind d, or without one behind the URL, what is in d goes to
// the directory that the URL names.
func (s *session) putTree(ctx context.Context, client *ftpclient.Client, dir string, to remote) ([]*upload, error) {
	root := to
	if to.base() == "" && !strings.HasSuffix(dir, "/") {
		name := filepath.Base(dir)
		if name == "." || name == ".." || name == "/" {
			return nil, &fs.PathError{Op: "put", Path: dir, Err: errors.New("has no name; write " + dir + "/ for what is in it")}
		}
		root = to.join(name)
	}
	t := &putTree{session: s, client: client, to: root, top: strings.TrimRight(dir, "/")}
	if t.top == "" {
		t.top = "/"
	}
	if err := t.read(ctx, ""); err != nil {
		return nil, err
	}
	if err := client.Do(ctx, func(conn *ftpclient.Conn) error { return t.makeAll(ctx, conn) }); err != nil {
		return nil, err
	}
	there := map[string]ftpclient.Entry{}
	if s.o.resume {
		var err error
		if there, err = t.list(ctx); err != nil {
			return nil, err
		}
	}
	var uploads []*upload
	for _, f := range t.files {
		if dir, _ := splitPath(f.rel); t.refused[dir] {
			continue
		}
		u := t.upload(f.rel, []string{dir, to.String()})
		if e, ok := there[f.rel]; ok && f.sameAs(e) {
			continue
		}
		begun := f.rel
		if parent, name := splitPath(f.rel); !s.o.inPlace {
			begun = joinPath(parent, temporaryName(name, partSuffix))
		}
		_, u.asks = there[begun]
		s.tally.find(f.size)
		uploads = append(uploads, u)
	}
	return uploads, nil
}

// upload returns that of a file. Again are the arguments that do it again.
func (t *putTree) upload(rel string, again []string) *upload {
	return &upload{session: t.session, client: t.client, remote: t.to.join(rel), path: t.local(rel), again: again}
}

// A putTree is a local directory that is to be sent.
type putTree struct {
	*session
	client *ftpclient.Client
	to     remote // where it goes
	top    string // the local directory

	dirs    []string // below top, each after the one that it is in
	files   []localFile
	refused map[string]bool // directories that are not there, and cannot be made
}

// A localFile is one that is to be sent.
type localFile struct {
	rel  string
	size int64
	info fs.FileInfo
}

// sameAs says whether the file on the server is this one, as far as a list can
// tell: it was written later, and is as long.
func (f localFile) sameAs(e ftpclient.Entry) bool {
	return e.Type == ftpclient.EntryFile && e.Size == f.size && e.Facts["modify"] != "" && e.ModTime.After(f.info.ModTime())
}

func (t *putTree) local(rel string) string { return joinPath(t.top, rel) }

// joinPath joins two parts of a path, either of which may be empty.
func joinPath(dir, rel string) string {
	if dir == "" || rel == "" || strings.HasSuffix(dir, "/") {
		return dir + rel
	}
	return dir + "/" + rel
}

// read finds what is in a directory below top. Links are followed to files, not
// to directories, which might be those that they are in.
func (t *putTree) read(ctx context.Context, rel string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	entries, err := os.ReadDir(t.local(rel)) // sorted; after an error, what could be read
	if err != nil && rel == "" {
		return err
	}
	if err != nil {
		t.fail(ctx, rel, err)
	}
	for _, e := range entries {
		path := joinPath(rel, e.Name())
		if isTemporary(e.Name()) {
			t.leaveOut(path, errTemporary.Error())
			continue
		}
		info, err := os.Stat(t.local(path))
		switch {
		case err != nil:
			t.fail(ctx, path, err)
		case e.IsDir():
			t.dirs = append(t.dirs, path)
			if err := t.read(ctx, path); err != nil {
				return err
			}
		case info.IsDir():
			t.leaveOut(path, "is a link to a directory")
		case !info.Mode().IsRegular():
			t.leaveOut(path, "is not a regular file")
		default:
			t.files = append(t.files, localFile{path, info.Size(), info})
		}
	}
	return nil
}

func (t *putTree) leaveOut(rel, why string) {
	t.out.note("%s %s: %s, left out", t.verb, t.local(rel), why)
}

// fail reports what cannot be read.
func (t *putTree) fail(ctx context.Context, rel string, err error) {
	t.lost(ctx, t.to.join(rel), t.local(rel), t.local(rel), err)
}

// makeAll makes the directories on the server (MKD).
func (t *putTree) makeAll(ctx context.Context, conn *ftpclient.Conn) error {
	t.refused = make(map[string]bool)
	if err := t.makeTop(ctx, conn); err != nil {
		return err
	}
	for _, rel := range t.dirs {
		err := t.make(ctx, conn, rel)
		if err != nil && (!conn.Usable() || ctx.Err() != nil) {
			return err
		}
		if err != nil && err != errNoParent {
			t.fail(ctx, rel, err)
		}
	}
	return nil
}

// errNoParent is the error of what is not tried because the directory that it is in
// could not be made, which has been reported.
var errNoParent = errors.New("the directory that it is in could not be made")

// make makes one directory, unless its error is errNoParent.
func (t *putTree) make(ctx context.Context, conn *ftpclient.Conn, rel string) error {
	parent, _ := splitPath(rel)
	if t.refused[parent] {
		t.refused[rel] = true
		return errNoParent
	}
	err := makeDir(ctx, conn, t.to.join(rel).Path)
	if err != nil {
		t.refused[rel] = true
	}
	return err
}

// makeTop makes the directory that the URL names, with those that it is in.
func (t *putTree) makeTop(ctx context.Context, conn *ftpclient.Conn) error {
	path := t.to.walked()
	if path == "" || path == "/" {
		return nil
	}
	return makePath(ctx, conn, path)
}

// makeDir makes one directory, if it is not there.
func makeDir(ctx context.Context, conn *ftpclient.Conn, path string) error {
	refusal := conn.MakeDir(ctx, path)
	if refusal == nil || !conn.Usable() {
		return refusal
	}
	entry, err := conn.MLST(ctx, path)
	if err == nil && entry.Type == ftpclient.EntryDir {
		return nil
	}
	if !conn.Usable() {
		return err
	}
	// The server has no MLST, or there is none.
	home, err := conn.WorkingDir(ctx)
	if err == nil {
		err = conn.ChangeDir(ctx, path)
	}
	if err == nil {
		return conn.ChangeDir(ctx, home)
	}
	return refusal
}

// list returns what is on the server already, by its path.
func (t *putTree) list(ctx context.Context) (map[string]ftpclient.Entry, error) {
	there := make(map[string]ftpclient.Entry)
	sent := make(map[string]bool)
	for _, rel := range t.dirs {
		sent[rel] = true
	}
	opts := &ftpclient.WalkOptions{Parallel: t.o.parallel, Skip: func(dir ftpclient.Entry) bool { return !sent[dir.Path] }}
	for e, err := range t.client.Walk(ctx, t.to.walked(), opts) {
		if err != nil && e.Name == "" {
			return nil, err
		}
		if err == nil {
			there[e.Path] = e
		}
	}
	return there, nil
}
