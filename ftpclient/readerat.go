package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"
)

// A File is one on the server of which any part can be read, without fetching the
// rest: by an [io.SectionReader], or [archive/zip.NewReader]. It is made by
// [Client.OpenAt].
type File struct {
	client *Client
	ctx    context.Context // of all that it does; ends with Close
	cancel context.CancelFunc
	path   string
	size   int64
	time   time.Time // when it was changed, or zero

	mu      sync.Mutex
	kept    *stream // that nobody reads from, or nil
	readers int     // calls of ReadAt under way
	closed  bool
	reading sync.WaitGroup // the same
}

var _ interface {
	io.ReaderAt
	io.Closer
} = (*File)(nil)

// mostSkipped is how many bytes are read and thrown away rather than to begin a
// transfer behind them.
const mostSkipped = 64 << 10

var (
	errIgnored = errors.New("it grants REST and sends the file from its beginning")
	errUntold  = errors.New("it answers neither SIZE nor MLST")
	errNoFile  = errors.New("not a file with a size")
)

// OpenAt returns a file for reading at any offset (REST and RETR, [Binary] also
// where the URL has another type). The caller must call Close. ctx governs the
// File, not this call alone: when it is done, all calls of ReadAt return.
//
// The server has to tell the size, and to restart, for which the last byte is
// fetched once in the life of the Client. If it does not, the error is one for
// [errors.ErrUnsupported], with the [*ReplyError] inside; with [VerifyHash], which
// parts of a file cannot meet, an [*IntegrityError] of [KindUnverified]. It is one for
// [fs.ErrNotExist] only as with [Client.FS].
func (c *Client) OpenAt(ctx context.Context, path string) (*File, error) {
	f := &File{client: c, path: path}
	f.ctx, f.cancel = context.WithCancel(ctx)
	if err := f.open(); err != nil {
		f.cancel()
		return nil, operation("openat", err)
	}
	return f, nil
}

// open asks what there is, and whether the server can restart.
func (f *File) open() error {
	if err := checkPath("RETR", f.path); err != nil {
		return err
	}
	var asked Result
	err := f.client.ask(f.ctx, func(conn *Conn) (err error) {
		if err := conn.checkName("RETR", f.path); err != nil {
			return err
		}
		if f.size, err = conn.toldSize(f.ctx, f.path, &asked); err == nil {
			f.time, err = conn.toldTime(f.ctx, f.path)
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case f.size < 0:
		return f.sizeless(asked.Unsized)
	default:
		return f.restarts()
	}
}

// sizeless returns why there is no size; refusal, which may be nil, is the answer to
// SIZE.
func (f *File) sizeless(refusal *ReplyError) error {
	err := f.client.ask(f.ctx, func(conn *Conn) error { return conn.exists(f.ctx, f.path, nil, new(census)) })
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return err
	case refusal == nil:
		return &lackError{purpose: purposeSize, cause: errUntold}
	case unimplemented[refusal.Code]:
		return &lackError{purpose: purposeSize, cause: refusal}
	default:
		return fmt.Errorf("%w: %w", errNoFile, refusal)
	}
}

const (
	purposeSize    = "tell the size of a file"
	purposeRestart = "begin in the middle of a file"
)

// restarts makes sure that a transfer begins where it is told to: of all that
// follows, only what reaches the end of the file would show another beginning.
func (f *File) restarts() error {
	const way = "REST"
	lore := &f.client.site.lore
	if known := lore.lacks(way); known != nil {
		return &lackError{purpose: purposeRestart, cause: known}
	}
	if f.size < 3 || lore.proves(way) {
		return nil
	}
	s := f.stream(f.size - 1)
	_, err := io.ReadFull(s, make([]byte, 2))
	s.close()
	switch {
	case err == io.ErrUnexpectedEOF: // one byte, and the end
		lore.has(way)
		return nil
	case err == nil:
		if err = f.unchanged(); err != nil {
			return err
		}
		err = errIgnored
	case !refusedFor(err, way):
		return err
	}
	lore.lack(way, err)
	return &lackError{purpose: purposeRestart, cause: err}
}

// Size returns how many bytes the file had when it was opened.
func (f *File) Size() int64 { return f.size }

// ReadAt reads len(p) bytes from off on, as [io.ReaderAt] says. It may be called by
// several goroutines at once, each of which then gets a connection of its own, or
// waits for one. Close, the context of [Client.OpenAt], [Client.Close], and
// [Config.Timeout] without progress end it.
//
// A transfer goes on where the call before has ended, or a little behind that, if
// no other call runs meanwhile; anything else begins another one. So the File
// holds a connection between calls, too.
//
// The file must have the size and the time that it had, as far as the server tells
// them, whenever a transfer begins, and when the end is reached; otherwise the error
// wraps an [*IntegrityError] of [KindChanged]. The last byte of the file is given out
// only if the transfer ended well, with all the checks of [Conn.Retr]. That the
// bytes before it are those of the file, nothing tells.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.readAt(p, off)
	if err != nil && err != io.EOF {
		err = operation("readat", err)
	}
	return n, err
}

func (f *File) readAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, &ArgumentError{Command: "REST", Problem: "is negative"}
	}
	s, err := f.enter()
	if err != nil {
		return 0, err
	}
	s, n, err := f.read(s, p[:max(min(int64(len(p)), f.size-off), 0)], off)
	f.leave(s)
	if err == nil && n < len(p) {
		return n, io.EOF
	}
	return n, f.cause(err)
}

// cause returns err, or that the file is closed where that explains it.
func (f *File) cause(err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed && err != nil {
		return fmt.Errorf("%w (%w)", fs.ErrClosed, err)
	}
	return err
}

// read fills p from off on, from s if that can be, which may be nil. It returns the
// transfer that can go on behind p, or nil.
func (f *File) read(s *stream, p []byte, off int64) (*stream, int, error) {
	if len(p) == 0 {
		return s, 0, nil
	}
	if s != nil {
		if f.skip(s, off) {
			if n, err := io.ReadFull(s, p); err == nil {
				return f.conclude(s, n)
			}
		}
		s.close() // before another one needs its connection
	}
	if err := f.unchanged(); err != nil {
		return nil, 0, err
	}
	s = f.stream(off)
	n, err := io.ReadFull(s, p)
	if err != nil {
		s.close()
		return nil, n, err
	}
	return f.conclude(s, n)
}

// skip goes to off, if that is where s is or little more.
func (f *File) skip(s *stream, off int64) bool {
	gap := off - s.at
	if gap < 0 || gap > mostSkipped {
		return false
	}
	_, err := io.CopyN(io.Discard, s, gap)
	return err == nil
}

// conclude makes sure, of a transfer of which n more bytes have been read, that it
// ends where the file does.
func (f *File) conclude(s *stream, n int) (*stream, int, error) {
	if s.at < f.size {
		return s, n, nil
	}
	defer s.close()
	more, err := s.Read(make([]byte, 1))
	switch {
	case more > 0:
		return nil, 0, &IntegrityError{Kind: KindChanged, Want: f.size, Got: f.size + 1}
	case err != io.EOF:
		return nil, 0, err
	}
	if err := f.unchanged(); err != nil {
		return nil, 0, err
	}
	return nil, n, nil
}

// unchanged makes sure that the file has the size and the time that it had.
func (f *File) unchanged() error {
	return f.client.ask(f.ctx, func(conn *Conn) error {
		now := Attributes{Size: -1}
		if err := conn.attributes(f.ctx, f.path, &now); err != nil {
			return err
		}
		if now.Size < 0 {
			var err error
			if now.Size, err = conn.listedSize(f.ctx, f.path); err != nil {
				return err
			}
		}
		switch {
		case now.Size >= 0 && now.Size != f.size:
			return &IntegrityError{Kind: KindChanged, Want: f.size, Got: now.Size}
		case !f.time.IsZero() && !now.ModTime.IsZero() && !now.ModTime.Equal(f.time):
			return changedTime(f.time, now.ModTime)
		default:
			return nil
		}
	})
}

// stream begins a transfer at off.
func (f *File) stream(off int64) *stream {
	s := &stream{path: f.path, offset: off, size: f.size, expect: f.size}
	s.start(f.ctx, f.client)
	return s
}

// enter begins a call, with the transfer that is open, or nil. It must be ended
// by leave.
func (f *File) enter() (*stream, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, fs.ErrClosed
	}
	f.readers++
	f.reading.Add(1)
	s := f.kept
	f.kept = nil
	return s, nil
}

// leave ends a call. s, which may be nil, is kept if nobody else is reading, who may
// be waiting for its connection.
func (f *File) leave(s *stream) {
	defer f.reading.Done()
	f.mu.Lock()
	f.readers--
	if f.readers == 0 && !f.closed {
		f.kept, s = s, nil
	}
	f.mu.Unlock()
	if s != nil {
		s.close()
	}
}

// Close ends all calls and waits for them. Further calls return fs.ErrClosed.
func (f *File) Close() error {
	f.mu.Lock()
	s, closed := f.kept, f.closed
	f.kept, f.closed = nil, true
	f.mu.Unlock()
	if closed {
		return operation("close", fs.ErrClosed)
	}
	if s != nil {
		s.close()
	}
	f.cancel()
	f.reading.Wait()
	return nil
}
