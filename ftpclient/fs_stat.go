package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// Stat says what there is of a name. It follows links.
func (f *siteFS) Stat(name string) (fs.FileInfo, error) {
	info, err := f.stat(name)
	if err != nil {
		return nil, pathError("stat", name, err)
	}
	return info, nil
}

// Lstat says what a list says of a name, which may be a link.
func (f *siteFS) Lstat(name string) (fs.FileInfo, error) {
	info, err := f.lstat(name)
	if err != nil {
		return nil, pathError("lstat", name, err)
	}
	return info, nil
}

// stat asks by MLST, or lists the directory that the name is in.
func (f *siteFS) stat(name string) (fileInfo, error) {
	info := fileInfo{name: path.Base(name)}
	if name == "." || !fs.ValidPath(name) {
		return f.lstat(name)
	}
	entry, told, err := f.client.tell(f.ctx, f.remote(name))
	switch {
	case err != nil:
		return info, err
	case told:
		info.entry = entry
	default:
		if info, err = f.lstat(name); err != nil {
			return info, err
		}
	}
	if info.entry.Type == EntryLink {
		info.entry, err = f.client.probe(f.ctx, f.remote(name))
	}
	return info, err
}

// lstat lists the directory that the name is in: of a link, ProFTPD's MLST tells the
// type of what it leads to.
func (f *siteFS) lstat(name string) (fileInfo, error) {
	info := fileInfo{name: path.Base(name)}
	remote := f.remote(name)
	switch {
	case !fs.ValidPath(name):
		return info, fs.ErrInvalid
	case name == "." && (remote == "" || remote == "/" || f.seen.Load()):
		info.entry = Entry{Type: EntryDir, Size: -1, Mode: -1}
		return info, nil
	case name == ".":
		entry, told, err := f.client.tell(f.ctx, remote)
		if err == nil && (!told || entry.Type == EntryLink) {
			entry, err = f.client.probe(f.ctx, remote)
			f.seen.Store(err == nil && entry.Type == EntryDir)
		}
		info.entry = entry
		return info, err
	}
	l, err := f.client.listDir(f.ctx, f.remote(path.Dir(name)))
	if l == nil {
		return info, f.client.missing(f.ctx, remote, err)
	}
	for _, e := range l.entries {
		if e.Name == info.name && e.Problem == "" && e.Type != EntryCurrent && e.Type != EntryParent {
			info.entry = e
			return info, nil
		}
	}
	info.entry, err = f.client.probe(f.ctx, remote)
	return info, err
}

// tell asks what there is by MLST. told is false if the server does not have that.
func (c *Client) tell(ctx context.Context, path string) (entry Entry, told bool, err error) {
	err = c.ask(ctx, func(conn *Conn) error {
		if err := conn.checkName("MLST", path); err != nil {
			return err
		}
		if _, err := conn.known(ctx); err != nil || conn.lacks("MLST") {
			return err
		}
		questions := []question{{verb: "MLST", arg: path}}
		if !conn.lacks("SIZE") {
			questions = append(questions, question{verb: "SIZE", arg: path})
		}
		if err := conn.ask(ctx, questions); err != nil {
			return err
		}
		if isUnimplemented(questions[0].err) {
			conn.refused["MLST"] = true
			return nil
		}
		told = true
		if questions[0].err != nil {
			return questions[0].err
		}
		var err error
		if entry, err = parseMLST(questions[0].reply); err != nil || len(questions) == 1 || entry.Type != EntryFile {
			return err
		}
		// What is transferred: behind a link, ProFTPD's MLST tells the size of the link.
		if n, err := parseSize(questions[1].reply); err == nil {
			entry.Size = n
		}
		return nil
	})
	return entry, told, c.missing(ctx, path, operation("stat", err))
}

var errKind = errors.New("the server does not say what it is")

// probe finds out what there is of a name, links followed, by what the server does
// with it.
func (c *Client) probe(ctx context.Context, path string) (Entry, error) {
	entry := Entry{Size: -1, Mode: -1}
	err := c.ask(ctx, func(conn *Conn) error {
		a := Attributes{Size: -1}
		if err := conn.attributes(ctx, path, &a); err != nil {
			return err
		}
		if a.Size >= 0 {
			entry.Type, entry.Size = EntryFile, a.Size
			entry.ModTime, entry.UTC = a.ModTime, !a.ModTime.IsZero()
			return nil
		}
		if conn.unentered(ctx, path) == nil {
			entry.Type = EntryDir
			return nil
		}
		if err := conn.exists(ctx, path, nil, new(census)); err != nil {
			return err
		}
		return errKind
	})
	return entry, err
}

// missing returns err, which may be nil. If that is a refusal which leaves open why,
// and the server has nothing of that name, or of one on the way to it, it wraps
// fs.ErrNotExist too.
func (c *Client) missing(ctx context.Context, name string, err error) error {
	var refusal *ReplyError
	if errors.Is(err, fs.ErrNotExist) || !errors.As(err, &refusal) || refusal.Code != codeUnavailable {
		return err
	}
	for name = strings.TrimRight(name, "/"); name != "" && name != "."; name = strings.TrimRight(parent(name), "/") {
		asked := c.ask(ctx, func(conn *Conn) error { return conn.exists(ctx, name, nil, new(census)) })
		if errors.Is(asked, fs.ErrNotExist) {
			return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
		}
		if asked == nil || ctx.Err() != nil {
			break
		}
	}
	return err
}

// parent returns the directory that name is in.
func parent(name string) string {
	dir, _ := path.Split(name)
	return dir
}

// A dirList is what a server lists of a directory.
type dirList struct {
	verb    string
	entries []Entry
}

// listDir lists a directory, which is tried again as [Config.Retries] says. The
// dirList is nil if there is no list. Beside one, the error is a [*ListError].
func (c *Client) listDir(ctx context.Context, path string) (*dirList, error) {
	var b listBuffer
	var err error
	j := &job{list: true, path: path}
	j.writer = func() (io.Writer, error) { b.Reset(); return &b, nil }
	j.done = func(_ Result, failure error) { err = failure }
	one := func(_ context.Context, yield func(*job) bool) { yield(j) }
	if ended := c.work(ctx, one, 1); err == nil {
		err = ended
	}
	if err != nil {
		return nil, err
	}
	entries, err := understood(parseList(j.verb, b.Bytes()), j.truncated)
	return &dirList{j.verb, entries}, err
}

// doubtful reports whether the list may be that of something else: many servers
// answer LIST for a file with the file, and for nothing with nothing.
func (l *dirList) doubtful() bool {
	switch len(l.entries) {
	case 0:
		return true
	case 1:
		return l.verb == "LIST" && l.entries[0].Type != EntryCurrent
	default:
		return false
	}
}
