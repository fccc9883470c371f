package lab_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/rand/v2"
	"net/textproto"
	"os"
	"testing"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// trust returns a client's settings for the server, over one family.
func trust(t *testing.T, s *lab.Server, v6 bool) *tls.Config {
	t.Helper()
	pem, err := os.ReadFile(s.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatalf("no certificate in %s", s.CAFile())
	}
	return &tls.Config{RootCAs: roots, ServerName: s.Addr(v6).Addr().String(), ClientSessionCache: tls.NewLRUClientSessionCache(1)}
}

// eachTLS runs a test against every kind of server in every mode that it has.
func eachTLS(t *testing.T, test func(*testing.T, *lab.Lab, *lab.Server, lab.Kind, lab.TLSMode)) {
	eachServer(t, func(t *testing.T, kind lab.Kind) {
		for _, mode := range []lab.TLSMode{lab.ExplicitTLS, lab.ImplicitTLS} {
			t.Run(mode.String(), func(t *testing.T) {
				l := lab.ForTest(t, lab.Config{})
				s, err := l.Server.StartServer(t.Context(), lab.ServerConfig{Kind: kind, Root: lab.RootDir(t), TLS: mode})
				if kind == lab.Pureftpd && mode == lab.ImplicitTLS {
					if !errors.Is(err, errors.ErrUnsupported) {
						t.Errorf("%v, want %v", err, errors.ErrUnsupported)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				test(t, l, s, kind, mode)
			})
		}
	})
}

// TestServersMoveFilesOverTLS resumes the session on each data connection.
func TestServersMoveFilesOverTLS(t *testing.T) {
	eachTLS(t, func(t *testing.T, l *lab.Lab, s *lab.Server, kind lab.Kind, mode lab.TLSMode) {
		content := make([]byte, 3<<20+17)
		rand.NewChaCha8([32]byte{1}).Read(content)
		want := sha256.Sum256(content)
		for _, v6 := range []bool{false, true} {
			cfg := trust(t, s, v6)
			if kind == lab.Pureftpd {
				cfg.ClientSessionCache = nil // it resumes none
			}
			c := loginTLS(t, l.Client, s.Addr(v6), mode, cfg)
			for _, data := range []string{"EPSV", "EPRT"} {
				c.stor(data, "upload/f", bytes.NewReader(content))
				h := sha256.New()
				c.retr(data, "upload/f", h)
				if got := [sha256.Size]byte(h.Sum(nil)); got != want {
					t.Errorf("%s: %x came back, want %x", data, got, want)
				}
			}
			c.cmd(221, "QUIT")
		}
		if kind == lab.Vsftpd {
			checkHandshakes(t, s)
		}
	})
}

// checkHandshakes of two control connections with four data connections each.
func checkHandshakes(t *testing.T, s *lab.Server) {
	t.Helper()
	all, err := s.Handshakes()
	if err != nil || len(all) != 10 {
		t.Fatalf("%d handshakes, %v; want 10", len(all), err)
	}
	for i, h := range all {
		if want := (lab.Handshake{Version: "TLSv1.3", Cipher: all[0].Cipher, Resumed: i%5 != 0}); h != want || h.Cipher == "" {
			t.Errorf("handshake %d is %+v, want %+v", i, h, want)
		}
	}
}

// TestTLSIsRequired for the login, and for data.
func TestTLSIsRequired(t *testing.T) {
	eachTLS(t, func(t *testing.T, l *lab.Lab, s *lab.Server, kind lab.Kind, mode lab.TLSMode) {
		if mode == lab.ImplicitTLS {
			return // there is no way to begin in the clear
		}
		conn, err := l.Client.DialContext(t.Context(), "tcp", s.Addr(false).String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		c := textproto.NewConn(conn)
		for _, command := range []string{"", "USER anonymous", "PASS x@y"} {
			if command != "" {
				if _, err := c.Cmd("%s", command); err != nil {
					t.Fatal(err)
				}
			}
			code, msg, err := c.ReadResponse(0)
			if err != nil || code >= 400 {
				return
			}
			if code == 230 {
				t.Errorf("logged in without TLS: %d %s", code, msg)
			}
		}
	})
}

// TestSessionReuseIsRequired by those servers that can.
func TestSessionReuseIsRequired(t *testing.T) {
	eachTLS(t, func(t *testing.T, l *lab.Lab, s *lab.Server, kind lab.Kind, mode lab.TLSMode) {
		if kind != lab.Vsftpd && kind != lab.Proftpd {
			return
		}
		cfg := trust(t, s, false)
		cfg.ClientSessionCache = nil
		c := loginTLS(t, l.Client, s.Addr(false), mode, cfg)
		open := c.data("EPSV")
		c.cmd(150, "STOR upload/f")
		conn := tls.Client(open(), cfg)
		_, err := io.Copy(conn, bytes.NewReader(make([]byte, 100)))
		err = errors.Join(err, conn.Close())
		if _, _, reply := c.ctl.ReadResponse(2); reply == nil {
			t.Errorf("stored without the session of the control connection (%v)", err)
		}
	})
}

func TestURLsOverTLS(t *testing.T) {
	l := lab.ForTest(t, lab.Config{})
	root := lab.RootDir(t)
	for _, tt := range []struct {
		mode      lab.TLSMode
		port      int
		url, url6 string
	}{
		{lab.ExplicitTLS, 0, "ftpes://10.99.0.2/f", "ftpes://[fd99::2]/f"},
		{lab.ImplicitTLS, 0, "ftps://10.99.0.2/f", "ftps://[fd99::2]/f"},
		{lab.ExplicitTLS, 990, "ftpes://10.99.0.2:990/f", "ftpes://[fd99::2]:990/f"},
		{lab.ImplicitTLS, 21, "ftps://10.99.0.2:21/f", "ftps://[fd99::2]:21/f"},
	} {
		s := start(t, l.Server, lab.ServerConfig{Root: root, TLS: tt.mode, Port: tt.port})
		if got := s.URL("f"); got != tt.url {
			t.Errorf("URL is %s, want %s", got, tt.url)
		}
		if got := s.URL6("f"); got != tt.url6 {
			t.Errorf("URL6 is %s, want %s", got, tt.url6)
		}
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if got := start(t, l.Server, lab.ServerConfig{Root: root}).CAFile(); got != "" {
		t.Errorf("a server without TLS has an authority: %s", got)
	}
}
