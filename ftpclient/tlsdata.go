package ftpclient

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"
)

// A secureData is a data connection under TLS. Closing it says nothing to the
// server: only an upload that is whole may end by a close_notify.
type secureData struct {
	tls  *tls.Conn
	wire *wire
	buf  []byte // for copying
}

// protectData puts TLS on a data connection, whose deadlines end the handshake.
//
// The server is the server also where it has opened the connection (RFC 4217,
// Section 10). The handshake comes after the reply that begins the transfer, where
// servers wait for it, and for empty files too.
func (c *Conn) protectData(conn net.Conn) (*secureData, error) {
	if c.wire == nil {
		c.wire = newWire()
	}
	c.wire.reset(conn)
	d := &secureData{tls: tls.Client(c.wire, c.tls.data), wire: c.wire, buf: c.buffer()}
	_, offered := c.tls.sessions.offer()
	if err := d.tls.Handshake(); err != nil {
		return nil, handshakeError(tlsData, err)
	}
	if offered && !d.tls.ConnectionState().DidResume {
		c.tls.sessions.decline()
	}
	return d, nil
}

// Read returns errUnclosed where the stream ends without a close_notify: crypto/tls
// takes that for a good end between two records.
func (d *secureData) Read(p []byte) (int, error) {
	n, err := d.tls.Read(p)
	if d.wire.ended && (err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF)) {
		return n, errUnclosed
	}
	return n, violation(tlsData, err)
}

// WriteTo hands the records that have arrived to w, several at a time.
func (d *secureData) WriteTo(w io.Writer) (total int64, err error) {
	for {
		n, readErr := d.Read(d.buf)
		for readErr == nil && len(d.buf)-n >= maxRecord && d.wire.whole() {
			var m int
			m, readErr = d.Read(d.buf[n:])
			n += m
		}
		if n > 0 {
			m, err := w.Write(d.buf[:n])
			total += int64(m)
			if err != nil {
				return total, err
			}
		}
		switch {
		case readErr == io.EOF:
			return total, nil
		case readErr != nil:
			return total, readErr
		}
	}
}

func (d *secureData) Write(p []byte) (int, error) {
	n, err := d.tls.Write(p)
	return n, violation(tlsData, err)
}

// ReadFrom sends what r yields, each piece of it in one write to the connection.
func (d *secureData) ReadFrom(r io.Reader) (total int64, err error) {
	for {
		n, readErr := r.Read(d.buf)
		if n > 0 {
			d.wire.hold()
			m, err := d.Write(d.buf[:n])
			if sent := d.wire.release(); err == nil {
				err = sent
			}
			total += int64(m)
			if err != nil {
				return total, err
			}
		}
		switch {
		case readErr == io.EOF:
			return total, nil
		case readErr != nil:
			return total, readErr
		}
	}
}

// CloseWrite ends what is sent: by a close_notify, and the end of the stream
// below. Reads go on.
func (d *secureData) CloseWrite() error {
	if err := d.tls.CloseWrite(); err != nil {
		return violation(tlsData, err)
	}
	if half, ok := d.wire.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// afterNotify is how long a server may take from its close_notify to the end of the
// stream, if it is not one that waits for an answer in between. It is spent once for
// each control connection, and only where the server waits.
const afterNotify = 500 * time.Millisecond

// answerEnd answers the close_notify of the server by one, unless the server has
// closed the connection at once: it would answer that by a reset. Whether a server
// waits for the answer is learned from the first file.
func (d *secureData) answerEnd(p *protection) {
	if d.wire.ended {
		return
	}
	if !p.awaited {
		_ = d.wire.Conn.SetReadDeadline(time.Now().Add(afterNotify)) // fails on a closed connection only
		if _, err := d.wire.in.Peek(1); !isTimeout(err) {
			return
		}
		p.awaited = true
	}
	_ = d.tls.CloseWrite() // nothing of the file depends on it
}

// Close closes the connection as it is.
func (d *secureData) Close() error { return d.wire.Conn.Close() }

// SetLinger is that of the connection below, if it has one.
func (d *secureData) SetLinger(sec int) error {
	if l, ok := d.wire.Conn.(interface{ SetLinger(sec int) error }); ok {
		return l.SetLinger(sec)
	}
	return nil
}

// Unacknowledged is that of the connection below.
func (d *secureData) Unacknowledged() int { return unacknowledged(d.wire.Conn) }

func (d *secureData) LocalAddr() net.Addr                { return d.wire.LocalAddr() }
func (d *secureData) RemoteAddr() net.Addr               { return d.wire.RemoteAddr() }
func (d *secureData) SetDeadline(t time.Time) error      { return d.wire.Conn.SetDeadline(t) }
func (d *secureData) SetReadDeadline(t time.Time) error  { return d.wire.Conn.SetReadDeadline(t) }
func (d *secureData) SetWriteDeadline(t time.Time) error { return d.wire.Conn.SetWriteDeadline(t) }

// drain reads what the server still says on a data connection that nothing more
// is sent on, until its end: session tickets, above all, and its close_notify. A
// close with these unread would be a reset, by which the server loses the tail of
// what it was sent. The caller must call wait, which ends the drain after a while:
// at once if the transfer has failed.
func (d *secureData) drain() (wait func(failed bool)) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, err := io.Copy(io.Discard, struct{ io.Reader }{d.tls})
		if err == nil { // a close_notify; the end of the stream is still to come
			_, _ = io.Copy(io.Discard, d.wire.in)
		}
	}()
	return func(failed bool) {
		until := past
		if !failed {
			until = time.Now().Add(afterReply)
		}
		_ = d.wire.Conn.SetReadDeadline(until) // fails on a closed connection only
		<-done
	}
}

// afterReply is how long a server that has confirmed an upload is given to close
// its end of the data connection.
const afterReply = 500 * time.Millisecond

// finish ends a data connection after the last byte. Under TLS there is something
// to send for that, which may have to wait.
func (c *Conn) finish(ctx context.Context, t *transfer, data *dataEnd, w *watch, interrupt func(time.Duration)) (*watch, error) {
	if c.tls == nil {
		return w, data.finish(t.upload)
	}
	return c.guard(ctx, StepData, t.meter, w.reply, interrupt, func() error {
		if !t.upload {
			data.conn.(*secureData).answerEnd(c.tls)
		}
		return data.finish(t.upload)
	})
}
