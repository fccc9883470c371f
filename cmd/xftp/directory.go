package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A directory is one of this host that is open. Files in it are named by their
// last name alone, so that no link that is put on the way there meanwhile leads
// elsewhere, and the kernel need not walk the way for each.
type directory struct {
	f      *os.File
	prefix string       // path as the user sees it, empty or with "/" at its end
	users  atomic.Int32 // that have yet to call release
}

// openDirectory opens the directory of a path that ends in "/" or is empty. The
// caller is its first user. No right to list it is needed.
func openDirectory(prefix string) (*directory, error) {
	path := prefix
	if path == "" {
		path = "."
	}
	f, err := os.OpenFile(path, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	return newDirectory(f, prefix), nil
}

func newDirectory(f *os.File, prefix string) *directory {
	d := &directory{f: f, prefix: prefix}
	d.users.Store(1)
	return d
}

// use adds a user. The caller is one.
func (d *directory) use() *directory {
	d.users.Add(1)
	return d
}

// release closes the directory when its last user goes.
func (d *directory) release() {
	if d.users.Add(-1) == 0 {
		d.f.Close()
	}
}

// fd is open as long as the caller is a user.
func (d *directory) fd() int { return int(d.f.Fd()) }

// open opens a file, never through a link that has its name.
func (d *directory) open(name string, flag int, perm uint32) (*os.File, error) {
	for {
		fd, err := unix.Openat(d.fd(), name, flag|unix.O_NOFOLLOW|unix.O_CLOEXEC, perm)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: d.prefix + name, Err: err}
		}
		return os.NewFile(uintptr(fd), d.prefix+name), nil
	}
}

// stat describes what has the name, be it a link.
func (d *directory) stat(name string) (st unix.Stat_t, err error) {
	if err := unix.Fstatat(d.fd(), name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return st, &fs.PathError{Op: "stat", Path: d.prefix + name, Err: err}
	}
	return st, nil
}

// remove removes a file, or a link. That there is none is no error.
func (d *directory) remove(name string) error {
	if err := unix.Unlinkat(d.fd(), name, 0); err != nil && err != unix.ENOENT {
		return &fs.PathError{Op: "remove", Path: d.prefix + name, Err: err}
	}
	return nil
}

// removeDir removes a directory that is empty. That there is none is no error.
func (d *directory) removeDir(name string) error {
	if err := unix.Unlinkat(d.fd(), name, unix.AT_REMOVEDIR); err != nil && err != unix.ENOENT {
		return &fs.PathError{Op: "remove", Path: d.prefix + name, Err: err}
	}
	return nil
}

// names lists the directory. It must have been opened for reading.
func (d *directory) names() ([]string, error) {
	if _, err := d.f.Seek(0, 0); err != nil {
		return nil, err
	}
	return d.f.Readdirnames(-1)
}

// readLink returns where a link leads.
func (d *directory) readLink(name string) (string, error) {
	for size := 256; ; size *= 2 {
		buf := make([]byte, size)
		n, err := unix.Readlinkat(d.fd(), name, buf)
		if err != nil {
			return "", &fs.PathError{Op: "readlink", Path: d.prefix + name, Err: err}
		}
		if n < size {
			return string(buf[:n]), nil
		}
	}
}

// link makes a link that takes the name of one that may be there.
func (d *directory) link(target, name string) error {
	part := temporaryName(name, partSuffix)
	if err := d.remove(part); err != nil {
		return err
	}
	if err := unix.Symlinkat(target, d.fd(), part); err != nil {
		return &os.LinkError{Op: "symlink", Old: target, New: d.prefix + name, Err: err}
	}
	if err := d.rename(part, name, 0); err != nil {
		_ = d.remove(part) // it does no harm
		return err
	}
	return nil
}

// rename gives a file another name. With the flag RENAME_NOREPLACE it refuses
// to take a name that something has.
func (d *directory) rename(from, to string, flags uint) error {
	if err := unix.Renameat2(d.fd(), from, d.fd(), to, flags); err != nil {
		return &os.LinkError{Op: "rename", Old: d.prefix + from, New: d.prefix + to, Err: err}
	}
	return nil
}

// openOwn opens a regular file that has one name and belongs to the caller.
func (d *directory) openOwn(name string, flag int) (*os.File, error) {
	// O_NONBLOCK: a FIFO under this name must not hang us.
	f, err := d.open(name, flag|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.ELOOP) {
		return nil, &fs.PathError{Op: "open", Path: d.prefix + name, Err: errors.New("is a symbolic link; remove it")}
	}
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		f.Close()
		return nil, &fs.PathError{Op: "stat", Path: d.prefix + name, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG || st.Nlink != 1 || int(st.Uid) != os.Geteuid() {
		f.Close()
		return nil, &fs.PathError{Op: "open", Path: d.prefix + name, Err: fmt.Errorf("is not a part file of yours; remove it")}
	}
	return f, nil
}
