package ftpclient

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"
)

// FS returns the tree below dir, to be read by what takes an [fs.FS]. An empty dir
// is the directory that the login begins in. Nothing is asked of the server yet, and
// nothing is remembered of its answers: each call asks again. The FS also has the
// methods of [fs.ReadDirFS], [fs.StatFS], [fs.ReadFileFS], [fs.ReadLinkFS] and
// [fs.SubFS].
//
// ctx governs all calls on the FS and on the files that it opens: when it is done,
// they return. A Read is also ended by Close of its file, by [Client.Close], and by
// [Config.Timeout] without progress. All may be called by several goroutines at
// once.
//
// A file is transferred from its first Read on (RETR, [Binary] also where the
// URL has another type), as [Client.Download] would, with all its checks and
// tries: io.EOF means that the file is whole, and the bytes that end it are not
// given out before that is known. Close before the end ends the transfer. A file
// that is being read holds a connection until it ends or is closed, so that, where
// [Config.MaxConns] or the server allows no more, other calls wait for it. Files
// cannot Seek; see [Client.OpenAt].
//
// What there is is told by MLST, or by the list of the directory that it is in where
// the server has no MLST. Symbolic links are of type [fs.ModeSymlink] in directories and for
// Lstat; Stat and Open follow them, as the server does. Modes that are not told are
// those of a file that can be read; what is of no type that is known is
// [fs.ModeIrregular]; the size of a file is -1 if it is not told. Sys returns the
// [Entry], which says how exact the time is.
//
// Errors are an [*fs.PathError] around those of the Client. Names that
// [fs.ValidPath] does not accept are fs.ErrInvalid. It is fs.ErrNotExist only where
// the server says so in words, or where [OpExists] would say it. A list that is not
// known as a whole gives entries and an error that wraps a [*ListError].
func (c *Client) FS(ctx context.Context, dir string) fs.FS {
	return &siteFS{client: c, ctx: ctx, dir: dir}
}

// A siteFS is a tree of a site.
type siteFS struct {
	client *Client
	ctx    context.Context
	dir    string
	seen   atomic.Bool // dir is a directory
}

var (
	_ fs.ReadDirFS  = (*siteFS)(nil)
	_ fs.ReadFileFS = (*siteFS)(nil)
	_ fs.ReadLinkFS = (*siteFS)(nil)
	_ fs.StatFS     = (*siteFS)(nil)
	_ fs.SubFS      = (*siteFS)(nil)
)

// remote returns the path of name on the server.
func (f *siteFS) remote(name string) string {
	switch {
	case name == ".":
		return f.dir
	case f.dir == "":
		return name
	default:
		return strings.TrimSuffix(f.dir, "/") + "/" + name
	}
}

// pathError names what err is about, which may be nil.
func pathError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// Open opens a file or a directory.
func (f *siteFS) Open(name string) (fs.File, error) {
	info, err := f.stat(name)
	switch {
	case err != nil:
		return nil, pathError("open", name, err)
	case info.IsDir():
		return &openDir{fs: f, name: name, info: info}, nil
	default:
		return &openFile{fs: f, name: name, info: info}, nil
	}
}

// ReadFile returns what is in a file.
func (f *siteFS) ReadFile(name string) ([]byte, error) {
	content, err := f.readFile(name)
	return content, pathError("readfile", name, err)
}

func (f *siteFS) readFile(name string) ([]byte, error) {
	if !fs.ValidPath(name) {
		return nil, fs.ErrInvalid
	}
	if name == "." {
		return nil, errIsDir
	}
	s := &stream{path: f.remote(name), expect: -1}
	s.listed = func() int64 {
		info, err := f.stat(name)
		if err != nil {
			return -1 // nobody tells
		}
		return info.Size()
	}
	s.start(f.ctx, f.client)
	defer s.close()
	content, err := io.ReadAll(s)
	if err != nil {
		return nil, f.client.missing(f.ctx, s.path, err)
	}
	return content, nil
}

// ReadDir returns what is in a directory, by name.
func (f *siteFS) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := f.readDir(name)
	return entries, pathError("readdir", name, err)
}

func (f *siteFS) readDir(name string) ([]fs.DirEntry, error) {
	if !fs.ValidPath(name) {
		return nil, fs.ErrInvalid
	}
	l, err := f.client.listDir(f.ctx, f.remote(name))
	if l == nil {
		return nil, f.client.missing(f.ctx, f.remote(name), err)
	}
	if l.doubtful() {
		info, statErr := f.stat(name)
		switch {
		case statErr != nil:
			return nil, statErr
		case !info.IsDir():
			return nil, errNotDir
		}
	}
	var entries []fs.DirEntry
	for _, e := range l.entries {
		switch {
		case e.Type == EntryCurrent || e.Type == EntryParent:
		case e.Problem != "":
			note(&err, &ProtocolError{Problem: e.Problem, Line: shorten(e.Name)})
		default:
			entries = append(entries, fileInfo{e.Name, e})
		}
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return entries, err
}

// ReadLink returns where a symbolic link leads, if the server tells.
func (f *siteFS) ReadLink(name string) (string, error) {
	info, err := f.lstat(name)
	switch {
	case err != nil:
		return "", pathError("readlink", name, err)
	case info.entry.Type != EntryLink:
		return "", pathError("readlink", name, fs.ErrInvalid)
	case info.entry.Target == "":
		return "", pathError("readlink", name, errors.ErrUnsupported)
	default:
		return info.entry.Target, nil
	}
}

// Sub returns the tree below dir.
func (f *siteFS) Sub(dir string) (fs.FS, error) {
	if !fs.ValidPath(dir) {
		return nil, pathError("sub", dir, fs.ErrInvalid)
	}
	if dir == "." {
		return f, nil
	}
	return &siteFS{client: f.client, ctx: f.ctx, dir: f.remote(dir)}, nil
}
