package lab_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/textproto"
	"strconv"
	"strings"
	"testing"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// session is the little of an FTP client that these tests need, over kernel
// sockets of a host.
type session struct {
	t    *testing.T
	host *lab.Host
	peer netip.Addr
	ctl  *textproto.Conn
	tls  *tls.Config // nil without TLS
}

func login(t *testing.T, h *lab.Host, server netip.AddrPort, user, pass string) *session {
	t.Helper()
	conn, err := h.DialContext(t.Context(), "tcp", server.String())
	if err != nil {
		t.Fatal(err)
	}
	s := &session{t: t, host: h, peer: server.Addr(), ctl: textproto.NewConn(conn)}
	t.Cleanup(func() { s.ctl.Close() })
	s.expect(220)
	s.cmd(331, "USER %s", user)
	s.cmd(230, "PASS %s", pass)
	s.cmd(200, "TYPE I")
	return s
}

// loginTLS logs in with TLS, which protects the data too. Data connections
// resume the session of the control connection if cfg has a cache.
func loginTLS(t *testing.T, h *lab.Host, server netip.AddrPort, mode lab.TLSMode, cfg *tls.Config) *session {
	t.Helper()
	conn, err := h.DialContext(t.Context(), "tcp", server.String())
	if err != nil {
		t.Fatal(err)
	}
	s := &session{t: t, host: h, peer: server.Addr(), tls: cfg}
	if mode == lab.ExplicitTLS {
		s.ctl = textproto.NewConn(conn)
		s.expect(220)
		s.cmd(234, "AUTH TLS")
	}
	s.ctl = textproto.NewConn(tls.Client(conn, cfg))
	t.Cleanup(func() { s.ctl.Close() })
	if mode == lab.ImplicitTLS {
		s.expect(220)
	}
	s.cmd(331, "USER anonymous")
	s.cmd(230, "PASS x@y")
	s.cmd(200, "PBSZ 0")
	s.cmd(200, "PROT P")
	s.cmd(200, "TYPE I")
	return s
}

// protect puts TLS on a data connection, if there is to be any.
func (s *session) protect(conn net.Conn) net.Conn {
	s.t.Helper()
	if s.tls == nil {
		return conn
	}
	c := tls.Client(conn, s.tls)
	if err := c.HandshakeContext(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	if s.tls.ClientSessionCache != nil && !c.ConnectionState().DidResume {
		s.t.Error("the data connection resumes no session")
	}
	return c
}

func (s *session) expect(code int) string {
	s.t.Helper()
	_, msg, err := s.ctl.ReadResponse(code)
	if err != nil {
		s.t.Fatal(err)
	}
	return msg
}

func (s *session) cmd(code int, format string, args ...any) string {
	s.t.Helper()
	if _, err := s.ctl.Cmd(format, args...); err != nil {
		s.t.Fatal(err)
	}
	_, msg, err := s.ctl.ReadResponse(code)
	if err != nil {
		s.t.Fatalf("%s: %v", fmt.Sprintf(format, args...), err)
	}
	return msg
}

// data prepares a data connection in one of four ways and returns the
// function that completes it after the transfer command.
func (s *session) data(mode string) func() net.Conn {
	s.t.Helper()
	switch mode {
	case "PASV", "EPSV":
		conn, err := s.host.DialContext(s.t.Context(), "tcp", s.passive(mode).String())
		if err != nil {
			s.t.Fatal(err)
		}
		return func() net.Conn { return conn }
	default:
		own := s.host.IPv4.Addr()
		if s.peer.Is6() {
			own = s.host.IPv6.Addr()
		}
		ln, err := s.host.Listen(context.Background(), "tcp", netip.AddrPortFrom(own, 0).String())
		if err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(func() { ln.Close() })
		port := ln.Addr().(*net.TCPAddr).Port
		switch {
		case mode == "EPRT" && own.Is6():
			s.cmd(200, "EPRT |2|%s|%d|", own, port)
		case mode == "EPRT":
			s.cmd(200, "EPRT |1|%s|%d|", own, port)
		default:
			s.cmd(200, "PORT %s,%d,%d", strings.ReplaceAll(own.String(), ".", ","), port>>8, port&0xff)
		}
		return func() net.Conn {
			conn, err := ln.Accept()
			if err != nil {
				s.t.Fatal(err)
			}
			return conn
		}
	}
}

func (s *session) passive(mode string) netip.AddrPort {
	s.t.Helper()
	if mode == "EPSV" {
		reply := s.cmd(229, "EPSV")
		port, err := strconv.Atoi(strings.Trim(reply[strings.Index(reply, "("):], "(|)."))
		if err != nil {
			s.t.Fatalf("%q: %v", reply, err)
		}
		return netip.AddrPortFrom(s.peer, uint16(port))
	}
	reply := s.cmd(227, "PASV")
	var a, b, c, d, hi, lo byte
	if _, err := fmt.Sscanf(reply[strings.Index(reply, "("):], "(%d,%d,%d,%d,%d,%d", &a, &b, &c, &d, &hi, &lo); err != nil {
		s.t.Fatalf("%q: %v", reply, err)
	}
	if got := netip.AddrFrom4([4]byte{a, b, c, d}); got != s.peer {
		s.t.Errorf("PASV names %v, want %v", got, s.peer)
	}
	return netip.AddrPortFrom(s.peer, uint16(hi)<<8|uint16(lo))
}

func (s *session) retr(mode, name string, w io.Writer) {
	s.t.Helper()
	open := s.data(mode)
	s.cmd(150, "RETR %s", name)
	conn := s.protect(open())
	_, err := io.Copy(w, conn)
	conn.Close() // proftpd waits for it before it replies
	if err != nil {
		s.t.Fatal(err)
	}
	s.expect(226)
}

func (s *session) stor(mode, name string, r io.Reader) {
	s.t.Helper()
	open := s.data(mode)
	s.cmd(150, "STOR %s", name)
	conn := s.protect(open())
	if _, err := io.Copy(conn, r); err != nil {
		s.t.Fatal(err)
	}
	if c, ok := conn.(*tls.Conn); ok {
		// What the server still sends must not meet a closed socket.
		if err := c.CloseWrite(); err != nil {
			s.t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, c); err != nil && err != io.ErrUnexpectedEOF {
			s.t.Fatal(err)
		}
	}
	if err := conn.Close(); err != nil {
		s.t.Fatal(err)
	}
	s.expect(226)
}
