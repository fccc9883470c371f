package ftpclient

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"
)

const (
	// copyBuffer is what is read at a time where neither side has a better
	// way to copy.
	copyBuffer = 256 << 10

	// A piece is what is given to a connection's ReadFrom at a time: progress is
	// seen only between pieces, so that slow links get small ones.
	minPiece = 16 << 10
	maxPiece = 256 << 10
)

// A meter counts the bytes of a transfer while it runs.
type meter struct {
	bytes atomic.Int64  // moved so far
	steps atomic.Int64  // calls of the caller's reader or writer, begun and ended
	local atomic.Bool   // in such a call, or waiting for a Limiter: the network is not to blame
	hurry chan struct{} // closed when a Limiter must not hold it up any longer; may be nil

	progress func(done, total int64) // may be nil
	total    int64                   // what progress is told, or -1

	late   func() // called once when lateAt bytes have moved, or nil
	lateAt int64
}

// position changes whenever the transfer makes progress.
func (m *meter) position() int64 { return m.bytes.Load() + m.steps.Load() }

func (m *meter) enter() { m.local.Store(true); m.steps.Add(1) }
func (m *meter) leave() { m.steps.Add(1); m.local.Store(false) }

// add counts n bytes and tells the caller.
func (m *meter) add(n int64) {
	done := m.bytes.Add(n)
	if m.late != nil && m.total >= 0 && done >= m.lateAt {
		late := m.late
		m.late = nil
		late()
	}
	if m.progress != nil && n > 0 {
		m.progress(done, m.total)
	}
}

// A localError is one of the caller's own reader or writer.
type localError struct{ err error }

func (e *localError) Error() string { return e.err.Error() }
func (e *localError) Unwrap() error { return e.err }

// A meteredWriter counts what is written to w.
type meteredWriter struct {
	w io.Writer
	m *meter
}

func (mw *meteredWriter) Write(p []byte) (int, error) {
	mw.m.enter()
	n, err := mw.w.Write(p)
	mw.m.leave()
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if n > 0 {
		mw.m.add(int64(n))
	}
	if err != nil {
		err = &localError{err}
	}
	return n, err
}

// A meteredReader counts what is read from r.
type meteredReader struct {
	r io.Reader
	m *meter
}

func (mr *meteredReader) Read(p []byte) (int, error) {
	mr.m.enter()
	n, err := mr.r.Read(p)
	mr.m.leave()
	if n > 0 {
		mr.m.add(int64(n))
	}
	if err != nil && err != io.EOF {
		err = &localError{err}
	}
	return n, err
}

// download copies from the data connection until its end. It returns the
// number of bytes that w took.
//
// A connection of a user-space stack has a WriteTo that hands out its own
// buffers. The one of a net.TCPConn only helps where the destination is a
// socket too; a large buffer is better.
func (c *Conn) download(w io.Writer, data net.Conn, m *meter) (int64, error) {
	return c.downloadTo(&meteredWriter{w: w, m: m}, data, m)
}

// downloadTo is download to a writer that counts by itself.
func (c *Conn) downloadTo(w io.Writer, data net.Conn, m *meter) (int64, error) {
	if l := c.cfg.Limiter; l != nil {
		return io.CopyBuffer(w, &pacedReader{data, l, m}, c.buffer())
	}
	_, kernel := data.(*net.TCPConn)
	if wt, ok := data.(io.WriterTo); ok && !kernel {
		return wt.WriteTo(w)
	}
	return io.CopyBuffer(w, struct{ io.Reader }{data}, c.buffer())
}

// upload copies r to the data connection until the end of r. It returns the
// number of bytes that the connection took.
//
// The ReadFrom of a user-space stack is best given a file itself, which it
// reads straight into its buffers. That of a net.TCPConn would use sendfile(2),
// which is slower than a large buffer: a link that does not compute checksums
// has the kernel copy each segment of a file whose pages may change meanwhile.
func (c *Conn) upload(data net.Conn, r io.Reader, m *meter) (int64, error) {
	rf, ok := data.(io.ReaderFrom)
	_, kernel := data.(*net.TCPConn)
	if file, isFile := r.(*os.File); ok && !kernel && isFile && c.cfg.Limiter == nil && regular(file) {
		return c.sendFile(rf, file, m)
	}
	return c.uploadFrom(data, &meteredReader{r: r, m: m}, m)
}

// uploadFrom is upload from a reader that counts by itself.
func (c *Conn) uploadFrom(data net.Conn, r io.Reader, m *meter) (int64, error) {
	if l := c.cfg.Limiter; l != nil {
		return io.CopyBuffer(struct{ io.Writer }{data}, &pacedReader{r, l, m}, c.buffer())
	}
	rf, ok := data.(io.ReaderFrom)
	if _, kernel := data.(*net.TCPConn); ok && !kernel {
		return rf.ReadFrom(r)
	}
	return io.CopyBuffer(struct{ io.Writer }{data}, r, c.buffer())
}

func regular(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode().IsRegular()
}

// sendFile copies a file in pieces, as nobody sees what moves within one. A
// piece must not take so long that the watch mistakes it for a stall.
func (c *Conn) sendFile(data io.ReaderFrom, file *os.File, m *meter) (int64, error) {
	piece := int64(minPiece)
	for {
		begun := time.Now()
		n, err := data.ReadFrom(&io.LimitedReader{R: file, N: piece})
		m.add(n)
		if err != nil || n < piece {
			var path *os.PathError
			if errors.As(err, &path) {
				err = &localError{err}
			}
			return m.bytes.Load(), err
		}
		switch took := time.Since(begun); {
		case took > c.cfg.Timeout/8:
			piece = max(piece/2, minPiece)
		case took < c.cfg.Timeout/64:
			piece = min(piece*2, maxPiece)
		}
	}
}

// buffer returns the Conn's buffer for copying.
func (c *Conn) buffer() []byte {
	if c.buf == nil {
		c.buf = make([]byte, copyBuffer)
	}
	return c.buf
}
