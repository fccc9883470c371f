package ftpclient

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"time"
)

// begun is what remains of the tries that a job has behind it.
type begun struct {
	failures int   // tries that have failed
	cause    error // of the last
	swept    bool  // it was next on a connection that was lost, which is no try
	final    bool  // there is no other try

	held   *held // what the writer of a download holds, once it is open
	reader io.Reader
	seeker io.Seeker // the same, if it can be read again
	start  int64     // where the reader was at first
	given  int64     // the most that any try has sent of it
	anew   bool      // the server does not continue an upload

	size     int64     // of the remote file before, or not positive
	modified time.Time // when that was changed, or zero
	stored   bool      // an upload is whole and good, but for its name
	result   Result    // then
}

// maxReplay is how much of a file is fetched again rather than continued, and
// compared with what came before, in bytes: then nothing need be known of it.
const maxReplay = 64 << 10

// held is the writer of a download and what it was given so far.
type held struct {
	w    io.Writer
	n    int64
	head []byte // the first bytes, up to maxReplay
	last byte
}

func (h *held) Write(p []byte) (int, error) {
	n, err := h.w.Write(p)
	if n > 0 && n <= len(p) {
		if room := maxReplay - len(h.head); room > 0 {
			h.head = append(h.head, p[:min(n, room)]...)
		}
		h.n, h.last = h.n+int64(n), p[n-1]
	}
	return n, err
}

// A replay compares what comes with what h holds already, and passes the rest on.
type replay struct {
	h    *held
	left []byte // to be compared
}

var errReplay = errors.New("other bytes came than before")

func (r *replay) Write(p []byte) (int, error) {
	n := min(len(p), len(r.left))
	if !bytes.Equal(p[:n], r.left[:n]) {
		return 0, errReplay
	}
	if r.left = r.left[n:]; n == len(p) {
		return n, nil
	}
	m, err := r.h.Write(p[n:])
	return n + m, err
}

// openWriter returns where a download goes, which is asked for once. A listing
// begins anew each time.
func (j *job) openWriter() (io.Writer, error) {
	j.opened = true
	if j.list {
		return j.writer()
	}
	if j.held == nil {
		w, err := j.writer()
		if err != nil {
			return nil, err
		}
		j.held = &held{w: w}
		if j.told != nil && j.known > 0 {
			j.size = j.known
		}
	}
	return j.held, nil
}

// openReader returns what an upload sends, which is asked for once.
func (j *job) openReader() (io.Reader, error) {
	j.opened = true
	if j.begun.reader != nil {
		return j.begun.reader, nil
	}
	r, err := j.reader()
	if err != nil {
		return nil, err
	}
	j.begun.reader = r
	if s, ok := r.(io.Seeker); ok {
		if j.start, err = s.Seek(0, io.SeekCurrent); err == nil {
			j.seeker = s
		}
	}
	return r, nil
}

// stepwise reports whether a job is done command by command: because the server
// needs that, or because something was done for it before.
func (p *pipeline) stepwise(j *job) bool { return (p.single || j.failures > 0) && !j.list }

// repeatable reports whether a job can be begun again with what is left of it.
func (j *job) repeatable() bool {
	switch {
	case j.final:
		return false
	case !j.opened || j.list || j.stored:
		return true
	case j.verb == "STOR":
		return j.seeker != nil
	default:
		return j.held != nil
	}
}

// again puts the job of a flight that failed with err aside for another try. It
// returns false if there is none.
func (p *pipeline) again(f *flight, err error) bool {
	f.given = max(f.given, f.result.Bytes)
	if f.begun.size <= 0 {
		f.begun.size = f.result.Size
	}
	if f.failures >= p.client.retries() || !f.repeatable() || !transient(err) {
		return false
	}
	f.failures++
	f.cause = err
	p.backlog.rest(f.job, backoff(p.client.cfg.RetryWait, f.failures))
	return true
}

// lockstep does the first flight command by command, from where an earlier try of
// it has ended.
func (p *pipeline) lockstep(ctx context.Context, f *flight) error {
	switch {
	case f.stored:
		return p.renameAgain(ctx, f)
	case f.verb == "STOR":
		return p.storeRest(ctx, f)
	default:
		return p.retrieveRest(ctx, f)
	}
}

// retrieveRest fetches what the writer does not hold: behind that, if the file
// is known to be the same, or from the start, if that is little.
func (p *pipeline) retrieveRest(ctx context.Context, f *flight) (err error) {
	c := p.c
	if err := c.checkName("RETR", f.path); err != nil {
		return err
	}
	if err := c.setType(ctx, c.want); err != nil {
		return err
	}
	opts := &TransferOptions{Offset: f.offset, Size: f.size, Before: f.before}
	if f.told != nil && !f.opened {
		if opts.Size, err = p.ask(ctx, f.job); err != nil {
			return err
		}
	}
	r := &replay{h: f.held}
	switch {
	case f.held != nil && f.held.n > int64(len(f.held.head)):
		if opts.Size, err = p.same(ctx, f); err != nil {
			return err
		}
		opts.Offset += f.held.n
		if opts.Offset == opts.Size {
			// All is here, and the server has not said so. The last byte is fetched
			// once more, for the sake of the reply.
			opts.Offset--
			r.left = []byte{f.held.last}
		}
		opts.Before = f.beginning(opts.Offset - f.offset)
	case f.held != nil:
		r.left = f.held.head
	}
	if f.modified.IsZero() && p.pinned(f.job) {
		if f.modified, err = c.toldTime(ctx, f.path); err != nil {
			return err
		}
	}
	moved := opts.Offset - f.offset
	opts.Progress = f.progressFrom(moved)
	open := func() (io.Writer, error) {
		w, err := f.openWriter()
		if r.h == nil || err != nil {
			return w, err
		}
		return r, nil
	}
	err = c.retr(ctx, f.path, open, opts, &f.digest, &f.result)
	if errors.Is(err, errReplay) {
		return &IntegrityError{Kind: KindChanged, Want: f.begun.size, Got: f.result.Size}
	}
	if moved > 0 && refusedFor(err, "REST") {
		f.final = true
		return f.cause
	}
	return err
}

// pinned reports whether the server is asked when the file of a download was
// changed, so that another try can see whether it is the same file.
func (p *pipeline) pinned(j *job) bool {
	return j.verb == "RETR" && p.backlog != nil && p.c.want == Binary && !p.c.lacks("MDTM") &&
		(j.told != nil || p.client.retries() > 0 && (j.size <= 0 || j.size-j.offset > maxReplay))
}

// ask asks what the caller of a download is to be told, tells it, and returns the
// size.
func (p *pipeline) ask(ctx context.Context, j *job) (int64, error) {
	a := Attributes{Size: -1}
	if p.c.want == Binary {
		if err := p.c.attributes(ctx, j.path, &a); err != nil {
			return 0, err
		}
	}
	if j.size > 0 {
		a.Size = j.size
	}
	j.modified = a.ModTime
	j.tell(a)
	return a.Size, nil
}

// tell tells the caller what the server says of a file that is not opened yet.
func (j *job) tell(a Attributes) {
	if j.told != nil {
		j.known = a.Size
		j.told(a)
	}
}

// same makes sure that the remote file is the one that the tries before have
// begun, and returns its size.
func (p *pipeline) same(ctx context.Context, f *flight) (int64, error) {
	size, err := p.c.toldSize(ctx, f.path, &f.result)
	if err != nil {
		return 0, err
	}
	modified, err := p.c.toldTime(ctx, f.path)
	if err != nil {
		return 0, err
	}
	before := f.begun.size
	switch {
	case p.c.want != Binary || size <= 0 || before <= 0:
		f.final = true
		return 0, f.cause // nobody knows
	case size != before, !modified.IsZero() && !f.modified.IsZero() && !modified.Equal(f.modified):
		return 0, &IntegrityError{Kind: KindChanged, Want: before, Got: size}
	}
	f.modified = modified
	return size, nil
}

// beginning opens the first moved bytes of a download with what is before them,
// if the writer can be read.
func (f *flight) beginning(moved int64) func() (io.Reader, error) {
	at, ok := f.held.w.(io.ReaderAt)
	if !ok || f.offset > 0 {
		return f.before
	}
	return func() (io.Reader, error) { return io.NewSectionReader(at, 0, moved), nil }
}

// progressFrom returns the caller's function for a try that begins behind moved
// bytes.
func (j *job) progressFrom(moved int64) func(done, total int64) {
	if j.progress == nil {
		return nil
	}
	return func(done, total int64) {
		if total >= 0 {
			total += moved
		}
		j.progress(moved+done, total)
	}
}

// refusedFor reports whether err is the refusal of a command for good.
func refusedFor(err error, verb string) bool {
	var refusal *ReplyError
	return errors.As(err, &refusal) && !refusal.Temporary() && strings.HasPrefix(refusal.Command, verb)
}
