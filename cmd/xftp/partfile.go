package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// partState is what must be known to continue a part file. It lies beside it
// as JSON.
type partState struct {
	URL     string    `json:"url"`            // without a password
	Size    int64     `json:"size"`           // bytes of the whole file, -1 if the server did not say
	ModTime time.Time `json:"mtime,omitzero"` // zero if the server did not say
}

// sameSource says whether a part that was begun as s can be continued from a
// file that is now as t describes. The size must be known; a server that does
// not tell modification times is judged by the size alone.
func (s partState) sameSource(t partState) bool {
	return s.URL == t.URL && s.Size >= 0 && s.Size == t.Size && s.ModTime.Equal(t.ModTime)
}

// A partFile is a download that is not complete yet. It lies in the directory
// of its target, so that the rename at the end cannot cross a file system, and
// it is locked, so that no two xftp write to it.
//
// The part is not fsynced before the rename: like curl, wget and lftp, xftp
// promises that a target is whole if the program ends, not if the machine
// loses power.
type partFile struct {
	*os.File
	target string
	path   string
	meta   string // path of the partState

	// stale says why the part that was found could not be continued. It is
	// empty if there was none, or if it goes on.
	stale string
}

// errPartLocked is what a second xftp on the same target gets.
var errPartLocked = errors.New("another xftp is writing this file")

// openPart opens and locks the part file of target, and returns the number of
// bytes that it already holds. They are dropped, so that the offset is 0,
// unless resume is set and they come from the same source.
func openPart(target string, state partState, resume bool) (p *partFile, offset int64, err error) {
	dir, name := filepath.Split(target)
	p = &partFile{
		target: target,
		path:   dir + temporaryName(name, partSuffix),
		meta:   dir + temporaryName(name, metaSuffix),
	}
	if p.File, err = openLocked(p.path); err != nil {
		return nil, 0, err
	}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	if resume {
		offset, p.stale = p.resumable(state)
	}
	if err := p.Truncate(offset); err != nil {
		return nil, 0, err
	}
	if _, err := p.Seek(offset, 0); err != nil {
		return nil, 0, err
	}
	if err := p.writeState(state); err != nil {
		return nil, 0, err
	}
	return p, offset, nil
}

// resumable returns the number of bytes in the part that belong to the file
// that state describes, and if there are none the reason.
func (p *partFile) resumable(state partState) (offset int64, stale string) {
	info, err := p.Stat()
	if err != nil || info.Size() == 0 {
		return 0, ""
	}
	old, err := readState(p.meta)
	switch {
	case err != nil:
		return 0, "nothing says what the part that is here belongs to"
	case old.URL != state.URL:
		return 0, "the part that is here is of " + old.URL
	case state.Size < 0:
		return 0, "the server does not tell the size"
	case !old.sameSource(state):
		return 0, "the file on the server has changed"
	case info.Size() > state.Size:
		return 0, "the part that is here is longer than the file"
	}
	return info.Size(), ""
}

// restart drops what the part holds.
func (p *partFile) restart() error {
	if err := p.Truncate(0); err != nil {
		return err
	}
	_, err := p.Seek(0, 0)
	return err
}

// commit gives the part the name of its target and closes it. A target that
// exists keeps its permissions.
func (p *partFile) commit() error {
	info, err := os.Lstat(p.target)
	switch {
	case err != nil: // there is none; or the rename will tell
	case info.Mode().IsRegular():
		if err := p.Chmod(info.Mode().Perm()); err != nil {
			return err
		}
	case info.Mode()&fs.ModeSymlink == 0:
		// A rename would take the place of a device or a FIFO.
		return &fs.PathError{Op: "replace", Path: p.target, Err: errors.New("is not a regular file")}
	}
	if err := p.flush(); err != nil {
		return err
	}
	if err := os.Rename(p.path, p.target); err != nil {
		return err
	}
	os.Remove(p.meta)
	return p.Close()
}

// flush returns what close(2) has to say, such as that a server of NFS had no
// room for what was written, while the part is still open and locked. After the
// rename the old target would be gone already.
func (p *partFile) flush() error {
	fd, err := unix.Dup(int(p.Fd()))
	if err == nil {
		err = unix.Close(fd)
	}
	if err != nil {
		return &fs.PathError{Op: "close", Path: p.path, Err: err}
	}
	return nil
}

// keep closes the part and leaves it for later, unless it holds nothing. It
// returns the number of bytes kept.
func (p *partFile) keep() int64 {
	defer p.Close() // after the removal: the lock is still held then
	info, err := p.Stat()
	if err == nil && info.Size() > 0 {
		return info.Size()
	}
	os.Remove(p.meta)
	os.Remove(p.path)
	return 0
}

// writeState replaces the state file, never through a link.
func (p *partFile) writeState(state partState) error {
	if err := os.Remove(p.meta); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(p.meta, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	err = json.NewEncoder(f).Encode(state)
	return errors.Join(err, f.Close())
}

func readState(path string) (partState, error) {
	f, err := openOwn(path, os.O_RDONLY)
	if err != nil {
		return partState{}, err
	}
	defer f.Close()
	state := partState{Size: -1}
	err = json.NewDecoder(f).Decode(&state)
	return state, err
}

// openLocked creates the file, or opens the one that an earlier run left, and
// locks it until it is closed. It never follows a link, and never takes a file
// that somebody else owns or can reach by another name: in a directory such as
// /tmp such a name may be a trap.
func openLocked(path string) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o666)
		if errors.Is(err, fs.ErrExist) {
			f, err = openOwn(path, os.O_RDWR)
			if errors.Is(err, fs.ErrNotExist) {
				continue // its owner finished in between
			}
		}
		if err != nil {
			return nil, err
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			f.Close()
			if errors.Is(err, unix.EWOULDBLOCK) {
				err = errPartLocked
			}
			return nil, &fs.PathError{Op: "lock", Path: path, Err: err}
		}
		// Whoever had it locked before may have renamed or removed it.
		named, err1 := os.Lstat(path)
		opened, err2 := f.Stat()
		if err1 == nil && err2 == nil && os.SameFile(named, opened) {
			return f, nil
		}
		f.Close()
	}
}

// openOwn opens a regular file that has one name and belongs to the caller.
func openOwn(path string, flag int) (*os.File, error) {
	// O_NONBLOCK: a FIFO under this name must not hang us.
	f, err := os.OpenFile(path, flag|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.ELOOP) {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errors.New("is a symbolic link; remove it")}
	}
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		f.Close()
		return nil, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG || st.Nlink != 1 || int(st.Uid) != os.Geteuid() {
		f.Close()
		return nil, &fs.PathError{Op: "open", Path: path, Err: fmt.Errorf("is not a part file of yours; remove it")}
	}
	return f, nil
}
