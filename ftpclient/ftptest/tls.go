package ftptest

import (
	"bufio"
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

// SecureData makes the handshake on the data connection.
func SecureData() Script {
	return func(s *Session) error {
		secure := tls.Server(s.Data, s.tls)
		s.Data = secure
		return secure.HandshakeContext(s.ctx)
	}
}

// Resumed wants the session of the data connection to be one that was resumed.
func Resumed() Script {
	return func(s *Session) error {
		if secure, ok := s.Data.(*tls.Conn); !ok || !secure.ConnectionState().DidResume {
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

func finishData(data net.Conn) error {
	if secure, ok := data.(*tls.Conn); ok {
		if err := secure.CloseWrite(); err != nil {
			return err
		}
		_, err := io.Copy(io.Discard, secure) // an end without close_notify is an error
		return errors.Join(err, secure.NetConn().Close())
	}
	return data.Close()
}

func unclosed(data net.Conn) error {
	if secure, ok := data.(*tls.Conn); ok {
		return secure.NetConn().Close()
	}
	return data.Close()
}
