package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// A target is where a download goes.
type target struct {
	path string // as the user gave it; "-" for standard output

	// file is where path leads if it is a symbolic link, and else path. It is
	// what is replaced, so that the link stays. [target.prepare] finds it.
	file string

	// direct says that the bytes go straight to path: it is a device, a FIFO,
	// an open file of a process, or standard output, which nothing can be
	// renamed to.
	direct bool
}

// planTargets finds the target of each remote from the value of -o.
func planTargets(remotes []remote, output string) ([]target, error) {
	if output == "-" {
		targets := make([]target, len(remotes))
		for i := range targets {
			targets[i] = target{path: "-", direct: true}
		}
		return targets, nil
	}
	dir, isDir := output, output == "" || strings.HasSuffix(output, "/")
	if !isDir {
		info, err := os.Stat(output)
		isDir = err == nil && info.IsDir()
	}
	if !isDir && len(remotes) > 1 {
		return nil, &usageError{
			text: fmt.Sprintf("-o %s: several files need a directory", output),
			hint: fmt.Sprintf("write -o %s/ for a directory", output),
		}
	}
	targets := make([]target, len(remotes))
	from := make(map[string]remote)
	for i, r := range remotes {
		path := output
		if isDir {
			name, err := r.localName()
			if err != nil {
				return nil, err
			}
			path = filepath.Join(dir, name)
		} else if r.Path == "" {
			return nil, usagef("%s: names a directory, not a file", r)
		}
		if other, ok := from[path]; ok {
			return nil, usagef("%s and %s would both become %s", other, r, path)
		}
		from[path] = r
		targets[i].path = path
	}
	return targets, nil
}

// prepare looks at what is there under the name of the target, and makes the
// directory that "-o DIR/" asks for. It is done late, with the rights of the
// caller.
func (t *target) prepare(output string) error {
	if t.path == "-" {
		return nil
	}
	info, err := os.Stat(t.path)
	switch {
	case err == nil && info.IsDir():
		return &fs.PathError{Op: "write", Path: t.path, Err: errors.New("is a directory")}
	case err == nil && !info.Mode().IsRegular():
		t.direct = true
	case errors.Is(err, fs.ErrNotExist) && strings.HasSuffix(output, "/"):
		if err := os.MkdirAll(output, 0o777); err != nil {
			return err
		}
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err // as for a link in /tmp that the kernel does not let us follow
	}
	return t.follow()
}

// maxLinks is how many symbolic links Linux follows (path_resolution(7)).
const maxLinks = 40

// follow finds t.file. It goes from link to link, because the last one may
// lead to nothing yet, and because one in /proc leads to an open file, which
// has no name that can be replaced.
func (t *target) follow() error {
	t.file = t.path
	for range maxLinks {
		if isSpecial(t.file) {
			t.direct = true
			return nil
		}
		to, err := os.Readlink(t.file)
		if err != nil {
			return nil // no link; or opening it will tell
		}
		if !filepath.IsAbs(to) {
			dir, _ := filepath.Split(t.file) // not cleaned: a/.. may be elsewhere if a is a link
			to = dir + to
		}
		t.file = to
	}
	return &fs.PathError{Op: "open", Path: t.path, Err: unix.ELOOP}
}

// isSpecial says whether path lies in /dev or /proc, where files stand for
// something else and are never replaced. /dev/shm is for ordinary files.
func isSpecial(path string) bool {
	dir, name := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	dir, err := filepath.EvalSymlinks(dir)
	if err == nil {
		dir, err = filepath.Abs(dir)
	}
	if err != nil {
		return false // opening it will tell
	}
	path = filepath.Join(dir, name)
	return strings.HasPrefix(path, "/proc/") ||
		strings.HasPrefix(path, "/dev/") && !strings.HasPrefix(path, "/dev/shm/")
}

// openDirect opens a target that is written directly. The end of ctx unblocks
// it, where it waits for the reader of a FIFO.
func (t *target) openDirect(ctx context.Context) (*os.File, error) {
	type result struct {
		f   *os.File
		err error
	}
	opened := make(chan result, 1)
	go func() { // lives on after ctx only while open(2) blocks, and then as long as the process
		f, err := os.OpenFile(t.path, os.O_WRONLY|os.O_TRUNC, 0)
		opened <- result{f, err}
	}()
	select {
	case r := <-opened:
		return r.f, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
