package ftpclient

import (
	"bufio"
	"io"
	"net"
	"time"
)

const (
	// recordHeader is the length of what begins each record (RFC 8446, Section
	// 5.1): a type, two bytes of version and two of length.
	recordHeader = 5

	// maxRecord is the most that a record holds in clear.
	maxRecord = 16 << 10

	// wireBuffer is how many bytes are read from a connection at a time.
	wireBuffer = 64 << 10
)

// A wire is what lies below the TLS of a data connection. TLS reads and writes one
// record of 16 KiB at a time; a wire reads and writes many.
type wire struct {
	net.Conn
	in   *bufio.Reader
	left int // bytes of the record that is being read

	ended bool // the stream has; a close_notify would have come before

	held    []byte // written, and not passed on yet
	holding bool
}

func newWire() *wire { return &wire{in: bufio.NewReaderSize(nil, wireBuffer)} }

// reset begins with a new connection.
func (w *wire) reset(conn net.Conn) {
	w.Conn = conn
	w.in.Reset(conn)
	w.left, w.ended, w.held, w.holding = 0, false, w.held[:0], false
}

// Read never reads over the end of a record, so that it is known here whether
// there is another one.
func (w *wire) Read(p []byte) (int, error) {
	if w.left == 0 {
		header, err := w.in.Peek(recordHeader)
		if len(header) == 0 {
			w.ended = err == io.EOF
			return 0, err
		}
		w.left = len(header)
		if err == nil {
			w.left += recordLength(header)
		}
	}
	n, err := w.in.Read(p[:min(len(p), w.left)])
	w.left -= n
	w.ended = err == io.EOF
	return n, err
}

func recordLength(header []byte) int { return int(header[3])<<8 | int(header[4]) }

// whole reports whether a whole record has arrived, so that it can be read without
// a wait.
func (w *wire) whole() bool {
	if w.left > 0 || w.in.Buffered() < recordHeader {
		return false
	}
	header, err := w.in.Peek(recordHeader)
	return err == nil && w.in.Buffered() >= recordHeader+recordLength(header)
}

// Write passes p on, or holds it until release.
func (w *wire) Write(p []byte) (int, error) {
	if w.holding {
		w.held = append(w.held, p...)
		return len(p), nil
	}
	return w.Conn.Write(p)
}

// hold begins to collect what is written.
func (w *wire) hold() { w.holding = true }

// release passes on what was collected.
func (w *wire) release() error {
	w.holding = false
	held := w.held
	w.held = w.held[:0]
	if len(held) == 0 {
		return nil
	}
	_, err := w.Conn.Write(held)
	return err
}

// SetWriteDeadline does nothing. crypto/tls gives a close_notify five seconds to
// find room in the send buffer; how long that may take on a slow link is for the
// watch of the transfer to say, which sets the deadlines of the connection itself.
func (w *wire) SetWriteDeadline(time.Time) error { return nil }
