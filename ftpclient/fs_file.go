package ftpclient

import (
	"errors"
	"io"
	"io/fs"
	"sync"
)

var (
	errIsDir  = errors.New("is a directory")
	errNotDir = errors.New("not a directory")
)

// An openFile is a file of a siteFS. It is transferred when it is read.
type openFile struct {
	fs   *siteFS
	name string
	info fileInfo

	reading sync.Mutex // held by Read

	mu     sync.Mutex
	stream *stream
	closed bool
}

// Stat returns what there was when the file was opened.
func (o *openFile) Stat() (fs.FileInfo, error) { return o.info, nil }

// Read is as [Client.FS] says.
func (o *openFile) Read(p []byte) (int, error) {
	o.reading.Lock()
	defer o.reading.Unlock()
	s := o.begin()
	if s == nil {
		return 0, pathError("read", o.name, fs.ErrClosed)
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := s.Read(p)
	switch {
	case err == nil || err == io.EOF:
		return n, err
	case s.at == s.offset:
		err = o.fs.client.missing(o.fs.ctx, s.path, err)
	}
	return n, pathError("read", o.name, err)
}

// begin returns the transfer, or nil if the file is closed.
func (o *openFile) begin() *stream {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.stream == nil && !o.closed {
		size := o.info.Size()
		o.stream = &stream{path: o.fs.remote(o.name), expect: size, listed: func() int64 { return size }}
		o.stream.start(o.fs.ctx, o.fs.client)
	}
	if o.closed {
		return nil
	}
	return o.stream
}

// Close ends the transfer.
func (o *openFile) Close() error {
	o.mu.Lock()
	s, closed := o.stream, o.closed
	o.closed = true
	o.mu.Unlock()
	if closed {
		return pathError("close", o.name, fs.ErrClosed)
	}
	if s != nil {
		s.close()
	}
	return nil
}

// An openDir is a directory of a siteFS. It is listed when it is read.
type openDir struct {
	fs   *siteFS
	name string
	info fileInfo

	mu     sync.Mutex
	read   bool
	left   []fs.DirEntry
	err    error // that the list ends with, or nil
	closed bool
}

var _ fs.ReadDirFile = (*openDir)(nil)

// Stat returns what there was when the directory was opened.
func (o *openDir) Stat() (fs.FileInfo, error) { return o.info, nil }

// Read fails.
func (o *openDir) Read([]byte) (int, error) { return 0, pathError("read", o.name, errIsDir) }

// ReadDir returns the next entries, at most n of them if n is positive.
func (o *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return nil, pathError("readdir", o.name, fs.ErrClosed)
	}
	if !o.read {
		o.read = true
		o.left, o.err = o.fs.ReadDir(o.name)
	}
	next := o.left
	if n > 0 {
		next = next[:min(n, len(next))]
	}
	o.left = o.left[len(next):]
	switch {
	case n > 0 && len(next) > 0:
		return next, nil
	case o.err != nil:
		err := o.err
		o.err = nil // it was told
		return next, err
	case n > 0:
		return nil, io.EOF
	default:
		return next, nil
	}
}

// Close forgets the list.
func (o *openDir) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return pathError("close", o.name, fs.ErrClosed)
	}
	o.closed, o.left = true, nil
	return nil
}
