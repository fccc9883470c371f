package main

import (
	"io/fs"
	"time"

	"golang.org/x/sys/unix"
)

// A stamp is what a downloaded file has from the server besides its bytes.
type stamp struct {
	time time.Time // of the last change; zero leaves that of the download
	mode int16     // permissions; -1 leaves those that a new file gets
}

// commit gives a part that is whole its time, its permissions and its name, in
// this order: a file that has its time is whole.
func (d *download) commit(part *partFile) error {
	if d.stamp == nil {
		return part.commit()
	}
	if d.stamp.mode >= 0 {
		if err := part.Chmod(fs.FileMode(d.stamp.mode)); err != nil {
			return err
		}
		part.keepMode = true
	}
	if !d.stamp.time.IsZero() {
		if err := part.dir.setTime(part.part, d.stamp.time); err != nil {
			return err
		}
	}
	return part.commit()
}

// setTime sets when a file or a link was last changed.
func (d *directory) setTime(name string, t time.Time) error {
	times := []unix.Timespec{{Nsec: unix.UTIME_OMIT}, {Sec: t.Unix(), Nsec: int64(t.Nanosecond())}}
	if err := unix.UtimesNanoAt(d.fd(), name, times, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return &fs.PathError{Op: "set time", Path: d.prefix + name, Err: err}
	}
	return nil
}

// setMode sets the permissions of a file, never through a link.
func (d *directory) setMode(name string, mode fs.FileMode) error {
	err := unix.Fchmodat(d.fd(), name, uint32(mode.Perm()), unix.AT_SYMLINK_NOFOLLOW)
	if err == unix.EOPNOTSUPP || err == unix.ENOSYS { // before Linux 6.6
		f, err := d.open(name, unix.O_RDONLY|unix.O_NONBLOCK, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		return f.Chmod(mode.Perm())
	}
	if err != nil {
		return &fs.PathError{Op: "chmod", Path: d.prefix + name, Err: err}
	}
	return nil
}
