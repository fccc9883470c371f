package ftptest

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
)

// AuthTLS expects AUTH TLS, grants it and protects the control connection (RFC
// 4217, Section 4). The network has to buffer; see [Network].
func AuthTLS(config *tls.Config) Script {
	return Steps(Exchange("AUTH TLS", "234 go on"), StartTLS(config))
}

// StartTLS protects the control connection at once, as on a port for implicit TLS.
func StartTLS(config *tls.Config) Script {
	return func(s *Session) error {
		secure := tls.Server(s.Control, config)
		if err := secure.HandshakeContext(s.ctx); err != nil {
			return err
		}
		s.track(secure)
		s.Control, s.reader, s.tls = secure, bufio.NewReader(secure), config
		return nil
	}
}

// Protect expects the commands that protect data connections, and grants them.
func Protect() Script {
	return Steps(Exchange("PBSZ 0", "200 ok"), Exchange("PROT P", "200 private"))
}

// SecureData makes the handshake on the data connection. Reading it to an end
// without close_notify is an error then.
func SecureData() Script {
	return func(s *Session) (err error) {
		s.Data, err = secureData(s.ctx, s.Data, s.tls)
		return err
	}
}

// Resumed wants the session of the data connection to be one that was resumed.
func Resumed() Script {
	return func(s *Session) error {
		if secure, ok := s.Data.(*protected); !ok || !secure.ConnectionState().DidResume {
			return errors.New("the data connection resumes no session")
		}
		return nil
	}
}

// FinishData says that no more data come, and reads the client's end before it
// closes the data connection.
func FinishData() Script {
	return func(s *Session) error { return finishData(s.Data) }
}

// TruncateData closes the data connection without a close_notify.
func TruncateData() Script {
	return func(s *Session) error { return unclosed(s.Data) }
}

// A protected is a data connection under TLS.
type protected struct {
	*tls.Conn
	below *noted
}

// A noted connection knows whether its end was read. crypto/tls takes that for a
// good end of the stream if it is between two records.
type noted struct {
	net.Conn
	ended bool
}

func (n *noted) Read(p []byte) (int, error) {
	m, err := n.Conn.Read(p)
	n.ended = err == io.EOF
	return m, err
}

// secureData makes the handshake on conn. It returns a connection also beside an
// error.
func secureData(ctx context.Context, conn net.Conn, config *tls.Config) (*protected, error) {
	below := &noted{Conn: conn}
	p := &protected{Conn: tls.Server(below, config), below: below}
	return p, p.HandshakeContext(ctx)
}

// errTruncated is of a stream that ends without close_notify.
var errTruncated = errors.New("the data end without close_notify")

func (p *protected) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	if err == io.EOF && p.below.ended {
		err = errTruncated
	}
	return n, err
}

// SetLinger is that of the connection below.
func (p *protected) SetLinger(sec int) error {
	if l, ok := p.below.Conn.(interface{ SetLinger(sec int) error }); ok {
		return l.SetLinger(sec)
	}
	return nil
}

func finishData(data net.Conn) error {
	if secure, ok := data.(*protected); ok {
		if err := secure.CloseWrite(); err != nil {
			return err
		}
		_, err := io.Copy(io.Discard, struct{ io.Reader }{secure})
		return errors.Join(err, secure.below.Close())
	}
	return data.Close()
}

func unclosed(data net.Conn) error {
	if secure, ok := data.(*protected); ok {
		return secure.below.Close()
	}
	return data.Close()
}
