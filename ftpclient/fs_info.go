package ftpclient

import (
	"io/fs"
	"time"
)

// A fileInfo is an Entry as package fs has them.
type fileInfo struct {
	name  string
	entry Entry
}

var (
	_ fs.FileInfo = fileInfo{}
	_ fs.DirEntry = fileInfo{}
)

func (i fileInfo) Name() string               { return i.name }
func (i fileInfo) ModTime() time.Time         { return i.entry.ModTime }
func (i fileInfo) IsDir() bool                { return i.Mode().IsDir() }
func (i fileInfo) Type() fs.FileMode          { return i.Mode().Type() }
func (i fileInfo) Info() (fs.FileInfo, error) { return i, nil }
func (i fileInfo) Sys() any                   { return i.entry }
func (i fileInfo) String() string             { return fs.FormatFileInfo(i) }

// Size is that of a file, or negative if it is not told.
func (i fileInfo) Size() int64 {
	if i.IsDir() {
		return 0
	}
	return i.entry.Size
}

// Mode has the permissions of something that is only read, if none are told.
func (i fileInfo) Mode() fs.FileMode {
	var mode fs.FileMode
	var usual fs.FileMode = 0o444
	switch i.entry.Type {
	case EntryFile:
	case EntryDir, EntryCurrent, EntryParent:
		mode, usual = fs.ModeDir, 0o555
	case EntryLink:
		mode, usual = fs.ModeSymlink, 0o777
	default:
		mode = fs.ModeIrregular
	}
	if i.entry.Mode < 0 {
		return mode | usual
	}
	bits := fs.FileMode(i.entry.Mode)
	mode |= bits & fs.ModePerm
	for bit, special := range map[fs.FileMode]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if bits&bit != 0 {
			mode |= special
		}
	}
	return mode
}
