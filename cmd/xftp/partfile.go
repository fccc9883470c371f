package main

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// A partFile is a download that is not complete yet. It lies in the directory
// of its target, so that the rename at the end cannot cross a file system, and
// it is locked, so that no two xftp write to it.
//
// The part is not fsynced before the rename: like curl, wget and lftp, xftp
// promises that a target is whole if the program ends, not if the machine
// loses power.
type partFile struct {
	*os.File
	dir  *directory
	name string // of the target, in dir
	part string // of the part
	meta string // of its state

	state    partState
	keepMode bool // the permissions were set, and are not those of an old target
	recorded bool // meta holds state
	litter   bool // meta may hold what an earlier run has left

	// stale says why the part that was found could not be continued. It is
	// empty if there was none, or if it goes on.
	stale string
}

// errPartLocked is what a second xftp on the same target gets.
var errPartLocked = errors.New("another xftp is writing this file")

// openPart opens and locks the part file of a target in dir, of which it
// becomes a user. What the part holds is dropped, unless resume is set and it
// comes from the same source: then [partFile.holds] says what can be kept. It
// stays dir's user until [partFile.commit] has succeeded or [partFile.keep]
// was called.
func openPart(dir *directory, name string, state partState, resume bool) (p *partFile, err error) {
	if len(name) > maxName {
		return nil, &fs.PathError{Op: "create", Path: dir.prefix + name, Err: unix.ENAMETOOLONG}
	}
	p = &partFile{
		dir:   dir,
		name:  name,
		part:  temporaryName(name, partSuffix),
		meta:  temporaryName(name, metaSuffix),
		state: state,
	}
	created, err := p.openLocked()
	if err != nil {
		return nil, err
	}
	dir.use()
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	if created {
		return p, nil
	}
	p.litter = true
	if resume && p.resume() {
		return p, nil
	}
	return p, p.Truncate(0)
}

// resume finds what of the part belongs to the file that p.state describes, and
// says whether there is anything. If not, p.stale is the reason.
func (p *partFile) resume() bool {
	info, err := p.Stat()
	if err != nil || info.Size() == 0 {
		return false
	}
	old, err := p.found()
	switch {
	case err != nil:
		p.stale = "nothing says what the part that is here belongs to"
	case old.URL != p.state.URL:
		p.stale = "the part that is here is of " + old.URL
	case p.state.Size < 0:
		p.stale = "the server does not tell the size"
	case !old.sameSource(p.state):
		p.stale = "the file on the server has changed"
	case info.Size() > p.state.Size:
		p.stale = "the part that is here is longer than the file"
	case old.Done == nil:
		p.state.Done = spans{{0, info.Size()}}
	default:
		// Never more than is there: a part may have been begun anew since.
		p.state.Done = old.Done.within(info.Size())
	}
	return p.stale == ""
}

// holds returns which bytes of the file the part has.
func (p *partFile) holds() spans { return p.state.Done }

// inOrder prepares the part for bytes that come one after the other, and
// returns how many there are already.
func (p *partFile) inOrder() (offset int64, err error) {
	done := p.state.Done
	p.state.Done = nil
	if offset = done.first(); done != nil {
		if err := p.Truncate(offset); err != nil {
			return 0, err
		}
		if _, err := p.Seek(offset, 0); err != nil {
			return 0, err
		}
	}
	if p.state.Size > recordAbove {
		return offset, p.record()
	}
	return offset, nil
}

// restart drops what the part holds.
func (p *partFile) restart() error {
	p.state.Done = nil
	if err := p.Truncate(0); err != nil {
		return err
	}
	_, err := p.Seek(0, 0)
	return err
}

// commit gives the part the name of its target and closes it. A target that
// exists keeps its permissions.
func (p *partFile) commit() error {
	if err := p.flush(); err != nil {
		return err
	}
	// Most often there is none. Some file systems do not know the flag.
	err := p.dir.rename(p.part, p.name, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EEXIST) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		err = p.replace()
	}
	if err != nil {
		return err
	}
	p.forget()
	p.close()
	return nil
}

// replace gives the part a name that something else may have.
func (p *partFile) replace() error {
	st, err := p.dir.stat(p.name)
	switch {
	case err != nil: // there is none; or the rename will tell
	case st.Mode&unix.S_IFMT == unix.S_IFREG && p.keepMode:
	case st.Mode&unix.S_IFMT == unix.S_IFREG:
		if err := p.Chmod(fs.FileMode(st.Mode & 0o777)); err != nil {
			return err
		}
	case st.Mode&unix.S_IFMT == unix.S_IFDIR:
		return &fs.PathError{Op: "replace", Path: p.dir.prefix + p.name, Err: unix.EISDIR}
	case st.Mode&unix.S_IFMT != unix.S_IFLNK:
		// A rename would take the place of a device or a FIFO.
		return &fs.PathError{Op: "replace", Path: p.dir.prefix + p.name, Err: errors.New("is not a regular file")}
	}
	return p.dir.rename(p.part, p.name, 0)
}

// flush returns what close(2) has to say, such as that a server of NFS had no
// room for what was written, while the part is still open and locked. After the
// rename the old target would be gone already.
func (p *partFile) flush() error {
	fd, err := unix.FcntlInt(p.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err == nil {
		err = unix.Close(fd)
	}
	if err != nil {
		return &fs.PathError{Op: "close", Path: p.dir.prefix + p.part, Err: err}
	}
	return nil
}

// keep closes the part and leaves it for later, unless it holds nothing. It
// returns the number of bytes kept. What err says is not sound is kept to be
// looked at, and cannot be continued.
func (p *partFile) keep(err error) int64 {
	defer p.close() // after the removal: the lock is still held then
	if !continues(kindOf(err)) {
		p.forget()
		p.recorded, p.litter, p.state.Size = false, false, -1
	}
	kept := p.state.Done.bytes()
	if p.state.Done == nil {
		if info, err := p.Stat(); err == nil {
			kept = info.Size()
		}
	}
	if kept > 0 && !p.recorded && p.state.Size >= 0 && p.record() != nil {
		kept = 0 // without its state it is of no use
	}
	if kept == 0 {
		p.forget()
		_ = p.dir.remove(p.part) // it does no harm
	}
	return kept
}

// forget removes the state.
func (p *partFile) forget() {
	if p.recorded || p.litter {
		_ = p.dir.remove(p.meta) // it does no harm
	}
}

func (p *partFile) close() {
	p.Close()
	p.dir.release()
}

// openLocked creates the part, or opens the one that an earlier run left, and
// locks it until it is closed. It never takes a file that somebody else owns or
// can reach by another name: in a directory such as /tmp such a name may be a
// trap.
func (p *partFile) openLocked() (created bool, err error) {
	for {
		p.File, err = p.dir.open(p.part, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		created = err == nil
		if errors.Is(err, fs.ErrExist) {
			p.File, err = p.dir.openOwn(p.part, os.O_RDWR)
			if errors.Is(err, fs.ErrNotExist) {
				continue // its owner finished in between
			}
		}
		if err != nil {
			return false, err
		}
		if err := unix.Flock(int(p.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			p.Close()
			if errors.Is(err, unix.EWOULDBLOCK) {
				err = errPartLocked
			}
			return false, &fs.PathError{Op: "lock", Path: p.dir.prefix + p.part, Err: err}
		}
		// Whoever had it locked before may have renamed or removed it.
		named, err1 := p.dir.stat(p.part)
		var opened unix.Stat_t
		err2 := unix.Fstat(int(p.Fd()), &opened)
		if err1 == nil && err2 == nil && named.Ino == opened.Ino && named.Dev == opened.Dev {
			return created, nil
		}
		p.Close()
	}
}
