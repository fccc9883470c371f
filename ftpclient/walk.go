package ftpclient

import (
	"container/list"
	"context"
	"errors"
	"io"
	"iter"
	"strings"
	"sync"
)

// WalkOptions are the particulars of [Client.Walk]. A nil *WalkOptions lists
// everything, over one connection.
type WalkOptions struct {
	// Parallel is how many directories are listed at a time, ahead of where
	// the walk is. If zero, it is 1.
	Parallel int

	// Skip, if not nil, is called for each directory below the first, and one
	// for which it returns true is not listed. It may be called by several
	// goroutines at once, and for directories that the walk does not reach.
	Skip func(dir Entry) bool
}

// maxDepth is how deep directories may be before they are taken for a loop of
// links that the server shows as directories.
const maxDepth = 255

// Walk lists a directory and all below it, each directory once: by MLSD, or by
// LIST where the server has no MLSD; then the times are as inexact as the server
// prints them, see [Entry]. The order is that of the server within a directory,
// and each directory is followed by what is in it. An empty dir is the one that
// the login begins in. Symbolic links are named ([EntryLink]) and not followed.
//
// Entry.Path is where the entry is below dir, with slashes. A directory that
// cannot be listed is yielded a second time, with the error; dir itself, for
// which there was no first time, has an empty Path. Lines that are no entries
// give an error in the same way, which wraps a [*ListError] that holds them. An
// entry whose name would lead elsewhere ("..", "a/b", a name with a NUL or a
// line break) has an Entry.Problem, an error and no Path. Directories of servers
// that do not join names by slashes (data sets of MVS, volumes of NonStop) are
// yielded once, with an error. The walk goes on after all of these. After an
// error of ctx or of the site it ends.
//
// If any error is yielded, nobody should conclude from the walk that a file does
// not exist.
func (c *Client) Walk(ctx context.Context, dir string, opts *WalkOptions) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		var o WalkOptions
		if opts != nil {
			o = *opts
		}
		o.Parallel = max(o.Parallel, 1)
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		w := &walker{
			client: c, dir: dir, skip: o.Skip, window: o.Parallel * (1 + c.ahead()),
			ended: make(chan struct{}), yield: yield,
		}
		w.changed.L = &w.mu
		root := &directory{entry: Entry{Type: EntryDir, Size: -1, Mode: -1}, ready: make(chan struct{})}
		root.place = w.pending.PushBack(root)
		var wg sync.WaitGroup
		defer wg.Wait()
		wg.Go(func() {
			defer close(w.ended)
			w.err = c.work(ctx, w.jobs, o.Parallel)
		})
		if !w.visit(ctx, root) {
			cancel() // what is listed ahead is not needed
		}
		w.stop()
	}
}

// A walker is a walk under way. The directories that are known and not reached
// yet are in pending, in the order in which the walk will reach them. The first
// of them are listed ahead, so that memory holds what is in a few of them.
type walker struct {
	client *Client
	dir    string
	skip   func(Entry) bool
	window int
	yield  func(Entry, error) bool

	ended chan struct{} // closed when no more lists come
	err   error         // why, then

	mu      sync.Mutex
	changed sync.Cond
	pending list.List // of *directory
	begun   int       // directories in pending that are listed, or will be
	over    bool
}

// A directory is one that the walk will reach.
type directory struct {
	entry   Entry
	parent  *directory
	depth   int
	place   *list.Element
	begun   bool
	ready   chan struct{} // closed when the rest is known
	entries []walked
	err     error

	// doubtful is set if the list may be that of something else: many servers
	// answer LIST for a file with the file, and for nothing with nothing.
	doubtful bool
}

// A walked is an entry as it will be yielded.
type walked struct {
	Entry
	err error
	dir *directory // to be visited, or nil
}

// jobs yields the lists that are to be fetched, while there is room for them.
func (w *walker) jobs(ctx context.Context, yield func(*job) bool) {
	stop := context.AfterFunc(ctx, w.stop)
	defer stop()
	for {
		d := w.next()
		if d == nil {
			return
		}
		var b listBuffer
		j := &job{list: true, path: w.remote(d.entry.Path)}
		j.writer = func() (io.Writer, error) { b.Reset(); return &b, nil }
		j.done = func(_ Result, err error) { w.listed(d, j, b.Bytes(), err) }
		if !yield(j) {
			return
		}
	}
}

// next waits for a directory that is to be listed, and returns nil at the end.
func (w *walker) next() *directory {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.over {
		e := w.pending.Front()
		for e != nil && e.Value.(*directory).begun {
			e = e.Next()
		}
		if e != nil && w.begun < w.window {
			d := e.Value.(*directory)
			d.begun = true
			w.begun++
			return d
		}
		w.changed.Wait()
	}
	return nil
}

// remote returns the path of what is at path below dir.
func (w *walker) remote(path string) string {
	switch {
	case w.dir == "":
		return path
	case path == "":
		return w.dir
	default:
		return strings.TrimSuffix(w.dir, "/") + "/" + path
	}
}

// listed takes the list of a directory, and puts those in it behind it.
func (w *walker) listed(d *directory, j *job, text []byte, err error) {
	if err != nil {
		d.err = err
	} else {
		d.entries, d.err = w.parse(d, j, text)
		d.doubtful = j.verb == "LIST" && d.parent == nil && w.dir != "" && len(d.entries) < 2
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	place := d.place
	for i := range d.entries {
		if sub := d.entries[i].dir; sub != nil {
			place = w.pending.InsertAfter(sub, place)
			sub.place = place
		}
	}
	w.changed.Broadcast()
	close(d.ready)
}

// parse reads a list. The error is that of what is no entry in it.
func (w *walker) parse(d *directory, j *job, text []byte) ([]walked, error) {
	l := parseList(j.verb, text)
	read, err := understood(l, j.truncated)
	entries := make([]walked, 0, len(read))
	for _, e := range read {
		if e.Type != EntryCurrent && e.Type != EntryParent {
			entries = append(entries, w.walked(d, e, l.Flat))
		}
	}
	return entries, err
}

// walked says what the walk will make of an entry in d. In a flat list, what is
// in a directory is not reached.
func (w *walker) walked(d *directory, e Entry, flat bool) walked {
	if e.Problem != "" {
		return walked{Entry: e, err: &ProtocolError{Problem: e.Problem, Line: shorten(e.Name)}}
	}
	e.Path = e.Name
	if d.entry.Path != "" {
		e.Path = d.entry.Path + "/" + e.Name
	}
	switch {
	case e.Type != EntryDir || w.skip != nil && w.skip(e):
		return walked{Entry: e}
	case d.depth == maxDepth || d.within(e.Facts["unique"]):
		return walked{Entry: e, err: errLoop}
	case flat:
		return walked{Entry: e, err: errFlat}
	default:
		return walked{Entry: e, dir: &directory{entry: e, parent: d, depth: d.depth + 1, ready: make(chan struct{})}}
	}
}

var (
	errLoop = errors.New("directories in a loop, or too deep")
	errFlat = errors.New("a directory of a kind that is not walked into")
)

// within reports whether d, or one that it is in, is the one with this unique
// fact (RFC 3659, Section 7.5.2).
func (d *directory) within(unique string) bool {
	for ; d != nil && unique != ""; d = d.parent {
		if d.entry.Facts["unique"] == unique {
			return true
		}
	}
	return false
}

// visit yields what is in d and below. It returns false at the end of the walk.
func (w *walker) visit(ctx context.Context, d *directory) bool {
	select {
	case <-d.ready:
	default:
		select {
		case <-d.ready:
		case <-w.ended:
			err := w.err
			if err == nil {
				err = ctx.Err()
			}
			w.yield(Entry{}, operation("walk", err))
			return false
		}
	}
	w.reached()
	if d.doubtful {
		err := w.client.Do(ctx, func(c *Conn) error { return c.ChangeDir(ctx, w.dir) })
		if err != nil {
			d.entries, d.err = nil, err
		}
	}
	for _, e := range d.entries {
		if !w.yield(e.Entry, e.err) || e.dir != nil && !w.visit(ctx, e.dir) {
			return false
		}
	}
	d.entries = nil
	switch {
	case d.err == nil:
		return true
	case ctx.Err() != nil || w.failed():
		w.yield(Entry{}, operation("walk", d.err))
		return false
	default:
		return w.yield(d.entry, operation("walk", d.err))
	}
}

// failed reports whether the site cannot be reached any more.
func (w *walker) failed() bool {
	select {
	case <-w.ended:
		return w.err != nil
	default:
		return false
	}
}

// reached takes the first directory off those to come.
func (w *walker) reached() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pending.Remove(w.pending.Front())
	w.begun--
	w.changed.Broadcast()
}

// stop makes next return nil.
func (w *walker) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	w.changed.Broadcast()
}
