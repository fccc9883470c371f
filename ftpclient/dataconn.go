package ftpclient

import (
	"context"
	"net"
)

// A dataEnd is our end of a data connection; in active mode it begins as a
// net.Listener.
type dataEnd struct {
	ln   net.Listener
	conn net.Conn
}

// openData prepares a data connection, before the command that uses it.
func (c *Conn) openData(ctx context.Context) (*dataEnd, error) {
	if c.cfg.Active {
		ln, err := c.listen(ctx)
		return &dataEnd{ln: ln}, err
	}
	conn, err := c.passive(ctx)
	return &dataEnd{conn: conn}, err
}

func (d *dataEnd) unlisten() {
	if d.ln != nil {
		_ = d.ln.Close() // nothing can be lost
	}
}

// finish ends a data connection after the last byte. The sender shuts down
// its half and keeps the rest until the server's reply, so that nothing that
// the server still sends makes the close a reset that discards the tail.
func (d *dataEnd) finish(upload bool) error {
	half, ok := d.conn.(interface{ CloseWrite() error })
	if upload && ok {
		return half.CloseWrite()
	}
	err := d.conn.Close()
	if !upload {
		return nil // all that was to come has come
	}
	return err
}

// drain reads what the server still says after an upload, if the connection is one
// where that matters. The caller must call wait when it has the last reply, or has
// given up waiting.
func (d *dataEnd) drain(upload bool) (wait func(failed bool)) {
	if secured, ok := d.conn.(*secureData); ok && upload {
		return secured.drain()
	}
	return func(bool) {}
}

// reset ends a data connection so that the server does not take the end of a
// broken upload for the end of the file.
func (d *dataEnd) reset() {
	d.unlisten()
	if d.conn == nil {
		return
	}
	if l, ok := d.conn.(interface{ SetLinger(sec int) error }); ok {
		_ = l.SetLinger(0) // the close below is all that can be done otherwise
	}
	_ = d.conn.Close()
}

// close releases what is left.
func (d *dataEnd) close() {
	d.unlisten()
	if d.conn != nil {
		_ = d.conn.Close() // finish has told of what matters
	}
}
