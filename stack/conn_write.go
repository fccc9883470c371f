package stack

import (
	"io"
	"os"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
)

// Write writes b, blocking while the send buffer is full. On an error it
// returns how many bytes were taken into the send buffer.
func (c *Conn) Write(b []byte) (int, error) {
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	return c.writeLocked(b)
}

func (c *Conn) writeLocked(b []byte) (int, error) {
	for total := 0; ; {
		if err := c.check(&c.writeDeadline); err != nil {
			return total, c.opError("write", err)
		}
		p := slicePayload(b[total:min(len(b), total+c.piece)])
		n, err := c.writePayload(&p)
		if total += n; err != nil || total == len(b) {
			return total, err
		}
	}
}

// ReadFrom writes what r yields until its end. The bytes of a regular file, or
// of an [io.LimitedReader] on one, are read straight into the stack's buffers;
// those of another reader pass through a small buffer, one Read at a time, so
// that a slow reader delays nothing that it has already given. An error of r
// is returned as it is.
func (c *Conn) ReadFrom(r io.Reader) (int64, error) {
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	var total int64
	if left := knownLength(r); left > 0 {
		n, err := c.readFromFile(r, left)
		if total = n; err != nil {
			return total, err
		}
		// The file may have grown; the end is where r says it is.
	}
	buf := copyBuffers.Get().(*[copyBuffer]byte)
	defer copyBuffers.Put(buf)
	for {
		n, rerr := r.Read(buf[:c.piece])
		if n > 0 {
			m, err := c.writeLocked(buf[:n])
			total += int64(m)
			if err != nil {
				return total, err
			}
		}
		if rerr == io.EOF {
			return total, nil
		}
		if rerr != nil {
			return total, rerr
		}
	}
}

// readFromFile writes the next left bytes of r, which has as many.
func (c *Conn) readFromFile(r io.Reader, left int64) (int64, error) {
	var total int64
	for total < left {
		if err := c.check(&c.writeDeadline); err != nil {
			return total, c.opError("write", err)
		}
		p := filePayload{r: r, left: int(min(left-total, int64(c.piece)))}
		n, err := c.writePayload(&p)
		total += int64(n)
		switch {
		case p.err != nil:
			return total, p.err
		case err != nil:
			return total, err
		case n != p.read:
			return total, io.ErrShortWrite
		}
	}
	return total, nil
}

// knownLength returns how many bytes r is going to yield if it can be known,
// and 0 otherwise.
func knownLength(r io.Reader) int64 {
	limit := int64(-1)
	if l, ok := r.(*io.LimitedReader); ok {
		r, limit = l.R, max(l.N, 0)
	}
	f, ok := r.(*os.File)
	if !ok {
		return 0
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return 0
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil || at >= info.Size() {
		return 0
	}
	if left := info.Size() - at; limit < 0 || left < limit {
		return left
	}
	return limit
}

// writePayload writes one payload, which may be taken in part, waiting for
// room first.
func (c *Conn) writePayload(p tcpip.Payloader) (int, error) {
	for {
		n, err := c.ep.Write(p, tcpip.WriteOptions{})
		switch err.(type) {
		case nil:
			c.written.Add(uint64(n))
			return int(n), nil
		case *tcpip.ErrWouldBlock:
		default:
			if err := c.failure(err, &c.writeDeadline); err != nil {
				return 0, c.opError("write", err)
			}
			return 0, c.opError("write", syscall.EPIPE)
		}
		if err := c.await(c.writable, &c.writeDeadline); err != nil {
			return 0, c.opError("write", err)
		}
	}
}

// A payload must yield exactly Len bytes: the endpoint asks again for ever if
// it ends early, and on an error throws away what it has.

// slicePayload yields the bytes of a slice.
type slicePayload []byte

func (p *slicePayload) Len() int { return len(*p) }

func (p *slicePayload) Read(b []byte) (int, error) {
	n := copy(b, *p)
	*p = (*p)[n:]
	return n, nil
}

// filePayload yields the next left bytes of a file, and keeps the error if
// there are fewer.
type filePayload struct {
	r    io.Reader
	left int // bytes to yield
	read int // bytes yielded
	err  error
}

func (p *filePayload) Len() int { return p.left }

func (p *filePayload) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	n, err := p.r.Read(b)
	p.left -= n
	p.read += n
	if n > 0 {
		return n, nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF // it has been truncated since
	}
	p.err = err
	return 0, err
}
