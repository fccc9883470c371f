package main

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// A tree is a directory of this host that a tree of a server is written to.
// Links in it are followed only as far as they stay in it: neither a server's
// list nor somebody else who may write there can lead a download elsewhere.
//
// Its methods may be called by several goroutines.
type tree struct {
	root   *os.Root
	prefix string // path of the root as the user sees it, empty or with "/" at its end

	mu     sync.Mutex
	last   *directory // the one used last: files come directory by directory
	lastAt string     // its path below the root
}

// openTree makes the directory, if there is none, and opens it. An empty prefix
// is the working directory.
func openTree(prefix string) (*tree, error) {
	path := prefix
	if path == "" {
		path = "."
	}
	if err := os.MkdirAll(path, 0o777); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &tree{root: root, prefix: prefix}, nil
}

// close lets go of the tree. Directories that are in use stay open until they
// are not.
func (t *tree) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last != nil {
		t.last.release()
	}
	t.root.Close()
}

// shown returns the path of what is in the tree as the user sees it.
func (t *tree) shown(rel string) string { return t.prefix + rel }

// make makes a directory, of which all but the last part is there, and opens it
// for what is to follow.
func (t *tree) make(rel string) error {
	if err := t.root.Mkdir(rel, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return t.named(err, rel)
	}
	dir, err := t.open(rel)
	if err == nil {
		dir.release()
	}
	return err
}

// names opens a directory of the tree, itself if rel is empty, and lists it. The
// caller is a user of it.
func (t *tree) names(rel string) (*directory, []string, error) {
	dir, err := t.open(rel)
	if err != nil {
		return nil, nil, err
	}
	list, err := dir.names()
	if err != nil {
		dir.release()
		return nil, nil, err
	}
	return dir, list, nil
}

// remove removes a file or a link, or a directory if it is empty. On the way to it
// there may be no link, not even one that stays in the tree.
func (t *tree) remove(rel string, isDir bool) error {
	parent, name := splitPath(rel)
	dir, err := t.openUnlinked(parent)
	if err != nil {
		return err
	}
	defer dir.release()
	if isDir {
		return dir.removeDir(name)
	}
	return dir.remove(name)
}

// openUnlinked is open where no link may be on the way.
func (t *tree) openUnlinked(rel string) (*directory, error) {
	dir, err := t.open("")
	if err != nil || rel == "" {
		return dir, err
	}
	for name := range strings.SplitSeq(rel, "/") {
		f, err := dir.open(name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
		dir.release()
		if err != nil {
			return nil, err
		}
		dir = newDirectory(f, dir.prefix+name+"/")
	}
	return dir, nil
}

// open opens a directory of the tree, itself if rel is empty. The caller is a
// user of it.
func (t *tree) open(rel string) (*directory, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last != nil && t.lastAt == rel {
		return t.last.use(), nil
	}
	path := rel
	if rel == "" {
		path = "."
	}
	f, err := t.root.OpenFile(path, os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, t.named(err, rel)
	}
	if t.last != nil {
		t.last.release()
	}
	prefix := t.prefix
	if rel != "" {
		prefix += rel + "/"
	}
	t.last, t.lastAt = newDirectory(f, prefix), rel
	return t.last.use(), nil
}

// named gives an error the path that the user knows.
func (t *tree) named(err error, rel string) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return &fs.PathError{Op: "open", Path: t.shown(rel), Err: path.Err}
	}
	return err
}

// splitPath returns the directory, without a slash at its end, and the name of
// a path below a tree.
func splitPath(rel string) (dir, name string) {
	i := strings.LastIndexByte(rel, '/')
	return rel[:max(i, 0)], rel[i+1:]
}
