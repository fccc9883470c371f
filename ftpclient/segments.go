package ftpclient

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// A Range is a part of a file: the bytes from From up to, but not including,
// To.
type Range struct{ From, To int64 }

// Segments describe a download of one file over several connections.
type Segments struct {
	Path string

	// Size is the size of the file in bytes. If zero or negative, the server
	// is asked.
	Size int64

	// Count is the most connections that are used. If zero, that is found out: one
	// at first, and one more as long as that makes the transfer a tenth faster, but
	// no more than 8, and none that the server refuses.
	Count int

	// Missing are the parts to fetch; they do not overlap. If nil, that is the
	// whole file.
	Missing []Range

	// Progress, if not nil, is called after each piece that was written, with
	// the bytes that this call has written so far and those that it is to
	// write, or -1 if unknown. It is never called twice at the same time.
	Progress func(done, total int64)

	// Written, if not nil, is called while bytes come, no sooner than WrittenEvery
	// after the last time (zero is one second), and before DownloadSegments returns,
	// with the parts that are not written yet: what Missing has to be to continue
	// later. It is never called twice at the same time.
	Written      func(missing []Range)
	WrittenEvery time.Duration
}

// DownloadSegments fetches one file over several connections at once, each of
// which gets a range of it (REST and RETR) and writes it to dst where it belongs.
// A connection that is done takes over half of what is left of another's
// range, if that is some megabytes. Pieces are written in no order, also by
// several goroutines at once.
//
// If the server does not tell a size, cannot restart, or the file is small,
// one connection fetches all of it, also what is not in Missing; if the server
// allows fewer connections, there are fewer. A connection that breaks is
// replaced, [Config.Retries] times in all.
//
// Result.Bytes is what this call has written, Result.Segments over how many
// connections at a time. All connections must find the
// file of the same size, which is also asked for at the end, as is its time (MDTM)
// at both ends; otherwise the error wraps an [*IntegrityError]. With [VerifyHash]
// dst must be an io.ReaderAt too: the file is read back. With [VerifyNone] the
// server is asked for a size only if there is none in s. The other errors are
// those of [Conn.Retr]. The type of the URL does not matter: the bytes are
// transferred as they are.
func (c *Client) DownloadSegments(ctx context.Context, dst io.WriterAt, s *Segments) (Result, error) {
	result, err := c.segments(ctx, dst, s)
	return result, operation("segments", err)
}

func (c *Client) segments(ctx context.Context, dst io.WriterAt, s *Segments) (Result, error) {
	if err := checkPath("RETR", s.Path); err != nil {
		return Result{Size: -1}, err
	}
	size := s.Size
	if size <= 0 {
		var err error
		if size, err = c.sizeOf(ctx, s.Path); err != nil {
			return Result{Size: -1}, err
		}
	}
	count := max(s.Count, 0)
	if size <= 0 || s.Missing == nil && (count == 1 || count == 0 && size < mostWhole) {
		return c.whole(ctx, dst, s, size)
	}
	w := &segmented{client: c, path: s.Path, parts: &pieces{
		size: size, dst: dst, progress: s.Progress, written: s.Written, every: cmp.Or(s.WrittenEvery, writtenEvery),
	}}
	if err := w.prepare(ctx); err != nil {
		return Result{Size: size}, err
	}
	w.parts.cut(s.Missing, max(count, 1))
	result, err := w.run(ctx, min(count, max(len(w.parts.free), 1)))
	if errors.Is(err, errNoRestart) && ctx.Err() == nil {
		return c.whole(ctx, dst, s, size)
	}
	if s.Written != nil {
		s.Written(w.parts.missing())
	}
	return result, err
}

// ask puts a question to the server, on another connection if it has dropped the
// first.
func (c *Client) ask(ctx context.Context, question func(*Conn) error) (err error) {
	for range 2 {
		lost := false
		err = c.Do(ctx, func(conn *Conn) error {
			conn.want = Binary
			err := conn.setType(ctx, Binary)
			if err == nil {
				err = question(conn)
			}
			lost = conn.unusable() != nil
			return err
		})
		if err == nil || !lost || ctx.Err() != nil {
			break
		}
	}
	return err
}

// sizeOf asks for the size of a file, which is -1 if the server does not tell.
func (c *Client) sizeOf(ctx context.Context, path string) (size int64, err error) {
	size = -1
	err = c.ask(ctx, func(conn *Conn) (err error) {
		size, err = conn.toldSize(ctx, path, &Result{})
		return err
	})
	return size, err
}

// timeOf asks when a file was last changed, which is zero if the server does not
// tell.
func (c *Client) timeOf(ctx context.Context, path string) (at time.Time, err error) {
	err = c.ask(ctx, func(conn *Conn) (err error) {
		at, err = conn.toldTime(ctx, path)
		return err
	})
	return at, err
}

// whole fetches the file over one connection at a time.
func (c *Client) whole(ctx context.Context, dst io.WriterAt, s *Segments, size int64) (result Result, err error) {
	w := &countingWriter{w: io.NewOffsetWriter(dst, 0)}
	j := &job{
		verb: "RETR", path: s.Path, size: size, progress: s.Progress,
		writer: func() (io.Writer, error) { return w, nil },
		done:   func(r Result, failure error) { result, err = r, failure },
	}
	one := func(_ context.Context, yield func(*job) bool) { yield(j) }
	if ended := c.workAs(ctx, Binary, one, 1); err == nil {
		err = ended
	}
	result.Segments = 1
	if s.Written != nil {
		var missing []Range
		if size > w.n {
			missing = []Range{{w.n, size}}
		}
		s.Written(missing)
	}
	return result, err
}

// A countingWriter counts what w took.
type countingWriter struct {
	w io.Writer
	n int64
}

func (w *countingWriter) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	w.n += int64(n)
	return n, err
}

// errNoRestart is why a file cannot be fetched in parts.
var errNoRestart = errors.New("the server cannot restart")

// A segmented download is one under way.
type segmented struct {
	client *Client
	path   string
	parts  *pieces
	lanes  lanes
	time   time.Time   // of the file before, or zero
	back   io.ReaderAt // to read the file back, for VerifyHash

	mu       sync.Mutex
	err      error // the first that ended it
	unclosed bool  // a range that ended with the file ended without close_notify
	cancel   context.CancelFunc
}

// fail ends the download because of err.
func (w *segmented) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
	w.cancel()
}

// fetch gets one part. It is nil if the part is whole; what became of the Conn
// is for Usable to say.
func (w *segmented) fetch(ctx context.Context, conn *Conn, part *piece) error {
	conn.want = Binary
	p := newPipeline(w.client, conn, nil)
	dst := pieceWriter{w.parts, part}
	var err error
	if p.single {
		err = w.lockstep(ctx, conn, dst)
	} else {
		err = w.pipelined(ctx, p, dst)
		if err != nil && ctx.Err() != nil && conn.unusable() == nil {
			_ = conn.fail(err) // replies are outstanding
		}
	}
	var refusal *ReplyError
	switch {
	case ctx.Err() != nil && w.parts.end(part) > part.at:
		return ctx.Err()
	case errors.Is(err, errPieceEnd):
		return nil
	case errors.Is(err, errGrown):
		return w.ofSize(ctx, conn, w.parts.size+1)
	case errors.As(err, &refusal) && strings.HasPrefix(refusal.Command, "REST"):
		return errors.Join(errNoRestart, err)
	case err == nil && part.at != w.parts.size:
		return w.ofSize(ctx, conn, part.at)
	default:
		return err
	}
}

// pipelined gets one part with all commands sent at once.
func (w *segmented) pipelined(ctx context.Context, p *pipeline, dst pieceWriter) error {
	if err := p.c.settle(ctx); err != nil {
		return err
	}
	f := &flight{job: &job{verb: "RETR", path: w.path, offset: dst.p.at}, result: Result{Size: -1}}
	f.expect(-1)
	lines, err := p.commands(ctx, f)
	if err != nil {
		return err
	}
	defer f.data.close()
	if err := p.c.write(ctx, lines...); err != nil {
		return err
	}
	var refusal error
	if err := p.typeReply(ctx, f, &refusal); err != nil {
		return err
	}
	if err := p.sizeReply(ctx, f); err != nil {
		return err
	}
	if f.result.Size >= 0 && f.result.Size != w.parts.size {
		note(&refusal, w.changed(f.result.Size))
	}
	if err := p.begin(ctx, f, &refusal); err != nil {
		return err
	}
	if refusal != nil {
		return p.refuse(ctx, f, refusal)
	}
	t := f.transfer
	t.open = func() error { return w.counted(t) }
	t.abandon = func(ctx context.Context, closeData func()) error {
		if dst.p.at == w.parts.end(dst.p) {
			return p.abandonWithin(ctx, closeData, defaultAbortTimeout) // nothing went wrong
		}
		return p.abandon(ctx, closeData)
	}
	t.copy = func(data net.Conn) (int64, error) { return p.c.download(dst, data, &f.meter) }
	return w.ended(t, p.c.move(ctx, t, &f.data.dataEnd))
}
