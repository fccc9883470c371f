package stack

import (
	"io"
	"sync"

	"gvisor.dev/gvisor/pkg/tcpip"
)

// copyBuffer is the size in bytes of the buffer through which WriteTo copies.
// It stays in the cache next to the processor; a larger one does not.
const copyBuffer = 64 << 10

var copyBuffers = sync.Pool{New: func() any { return new([copyBuffer]byte) }}

// Read reads up to len(b) bytes. At the end of the stream it returns io.EOF.
func (c *Conn) Read(b []byte) (int, error) {
	c.readMu.Lock()
	defer c.readMu.Unlock()
	return c.readLocked(b)
}

func (c *Conn) readLocked(b []byte) (int, error) {
	if err := c.check(&c.readDeadline); err != nil {
		return 0, c.opError("read", err)
	}
	if len(b) == 0 {
		return 0, nil
	}
	for {
		w := tcpip.SliceWriter(b)
		res, err := c.ep.Read(&w, tcpip.ReadOptions{})
		switch err.(type) {
		case nil:
			c.read.Add(uint64(res.Count))
			return res.Count, nil
		case *tcpip.ErrWouldBlock:
		default:
			if err := c.failure(err, &c.readDeadline); err != nil {
				return 0, c.opError("read", err)
			}
			return 0, io.EOF
		}
		if err := c.await(c.readable, &c.readDeadline); err != nil {
			return 0, c.opError("read", err)
		}
	}
}

// WriteTo writes what arrives to w until the end of the stream. A w that
// blocks stops the peer by the receive window, and nothing else: the
// connection goes on answering.
func (c *Conn) WriteTo(w io.Writer) (int64, error) {
	c.readMu.Lock()
	defer c.readMu.Unlock()
	buf := copyBuffers.Get().(*[copyBuffer]byte)
	defer copyBuffers.Put(buf)
	var total int64
	for {
		n, err := c.readLocked(buf[:])
		if n > 0 {
			m, werr := w.Write(buf[:n])
			total += int64(m)
			if werr != nil {
				return total, werr
			}
			if m < n {
				return total, io.ErrShortWrite
			}
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}
