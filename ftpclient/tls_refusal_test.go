package ftpclient_test

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

func wraps[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}

// inTLS reports whether err is a TLSError of the control connection around a T.
func inTLS[T error](err error) bool {
	var failed *ftpclient.TLSError
	return errors.As(err, &failed) && failed.Step == "control" && wraps[T](failed.Err)
}

func pinOf(cert tls.Certificate) [32]byte { return sha256.Sum256(cert.Leaf.RawSubjectPublicKeyInfo) }

// Whoever is not shown what he wants to see tells nothing of himself.
func TestTLSVerification(t *testing.T) {
	tests := []struct {
		name    string
		prepare func(t *testing.T, g *guarded)
		wrong   func(error) bool // nil if it must work
	}{
		{name: "another authority", wrong: inTLS[x509.UnknownAuthorityError], prepare: func(t *testing.T, g *guarded) {
			g.cfg.TLS = trusted(t).client
		}},
		{name: "the roots of the system", wrong: inTLS[x509.UnknownAuthorityError], prepare: func(_ *testing.T, g *guarded) {
			g.cfg.TLS = nil
		}},
		{name: "another host", wrong: inTLS[x509.HostnameError], prepare: func(t *testing.T, g *guarded) {
			g.server.Certificates[0] = g.issue(t, time.Time{}, "192.0.2.3", "example.org")
		}},
		{name: "another name", wrong: inTLS[x509.HostnameError], prepare: func(_ *testing.T, g *guarded) {
			g.client.ServerName = "example.org"
		}},
		{name: "name of the caller", prepare: func(t *testing.T, g *guarded) {
			g.server.Certificates[0] = g.issue(t, time.Time{}, "example.org")
			g.client.ServerName = "example.org"
		}},
		{name: "expired", wrong: inTLS[x509.CertificateInvalidError], prepare: func(t *testing.T, g *guarded) {
			g.server.Certificates[0] = g.issue(t, time.Now().Add(-time.Hour), serverHost)
		}},
		{name: "not verified", prepare: func(_ *testing.T, g *guarded) {
			g.cfg.TLS = &tls.Config{InsecureSkipVerify: true}
		}},
		{name: "pinned", prepare: func(_ *testing.T, g *guarded) {
			g.cfg.TLSPins = [][32]byte{{1}, pinOf(g.server.Certificates[0])}
		}},
		{name: "another pin", wrong: inTLS[*ftpclient.PinError], prepare: func(_ *testing.T, g *guarded) {
			g.cfg.TLSPins = [][32]byte{{1}, {2}}
		}},
		{name: "pinned, else not verified", prepare: func(_ *testing.T, g *guarded) {
			g.cfg.TLS = &tls.Config{InsecureSkipVerify: true}
			g.cfg.TLSPins = [][32]byte{pinOf(g.server.Certificates[0])}
		}},
		{name: "another pin, else not verified", wrong: inTLS[*ftpclient.PinError], prepare: func(_ *testing.T, g *guarded) {
			g.cfg.TLS = &tls.Config{InsecureSkipVerify: true}
			g.cfg.TLSPins = [][32]byte{{1}}
		}},
		{name: "pinned, but another authority", wrong: inTLS[x509.UnknownAuthorityError], prepare: func(t *testing.T, g *guarded) {
			g.cfg.TLS = trusted(t).client
			g.cfg.TLSPins = [][32]byte{pinOf(g.server.Certificates[0])}
		}},
		{name: "pinned, but the caller objects", wrong: inTLS[errObjection], prepare: func(_ *testing.T, g *guarded) {
			g.cfg.TLSPins = [][32]byte{pinOf(g.server.Certificates[0])}
			g.client.VerifyConnection = func(tls.ConnectionState) error { return errObjection{} }
		}},
		{name: "TLS 1.1", wrong: inTLS[error], prepare: func(_ *testing.T, g *guarded) {
			g.server.MinVersion, g.server.MaxVersion = tls.VersionTLS11, tls.VersionTLS11
			g.client.MinVersion = tls.VersionTLS10
		}},
		{name: "client certificate", prepare: func(t *testing.T, g *guarded) {
			g.server.ClientAuth, g.server.ClientCAs = tls.RequireAndVerifyClientCert, g.authority.Pool()
			g.client.Certificates = []tls.Certificate{g.issue(t, time.Time{})}
		}},
		{name: "no client certificate", wrong: wraps[*ftpclient.TLSError], prepare: func(_ *testing.T, g *guarded) {
			g.server.ClientAuth, g.server.ClientCAs = tls.RequireAndVerifyClientCert, g.authority.Pool()
		}},
		{name: "no client certificate, TLS 1.2", wrong: wraps[*ftpclient.TLSError], prepare: func(_ *testing.T, g *guarded) {
			g.server.ClientAuth, g.server.ClientCAs = tls.RequireAndVerifyClientCert, g.authority.Pool()
			g.server.MaxVersion = tls.VersionTLS12
		}},
		{name: "implicit where nothing is in clear", wrong: inTLS[tls.RecordHeaderError], prepare: func(_ *testing.T, g *guarded) {
			g.TLS = nil
			g.url = "ftps://" + serverHost + "/"
		}},
	}
	securities(t, func(t *testing.T, security ftpclient.Security) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				g := guard(t, security, func(g *guarded) {
					g.Files = map[string]string{"f": hello}
					tt.prepare(t, g)
				})
				c, err := ftpclient.Dial(t.Context(), g.url, &g.cfg)
				if tt.wrong == nil {
					if err != nil {
						t.Fatal(err)
					}
					defer c.Close()
					var b strings.Builder
					if _, err := c.Retr(t.Context(), "f", &b, nil); err != nil || b.String() != hello {
						t.Errorf("%q, %v", b.String(), err)
					}
					return
				}
				if err == nil || !tt.wrong(err) {
					t.Errorf("error %v", err)
				}
				g.toldNothing(t)
			})
		}
	})
}

type errObjection struct{}

func (errObjection) Error() string { return "no" }

// toldNothing makes sure that nobody has logged in.
func (g *guarded) toldNothing(t *testing.T) {
	t.Helper()
	if slices.ContainsFunc(g.Log(), func(line string) bool { return verb(line) == "USER" || verb(line) == "PASS" }) {
		t.Errorf("the client sent %q", g.Log())
	}
}

// A server that does not protect gets no login, from a Conn and from a Client.
func TestTLSRefused(t *testing.T) {
	for _, tt := range []struct {
		command, reply string
		code           int
	}{
		{"AUTH", "500 what", 500}, {"AUTH", "502 no", 502}, {"AUTH", "504 no", 504}, {"AUTH", "534 no", 534}, {"AUTH", "431 later", 431},
		{"AUTH", "530 login first", 530}, {"AUTH", "200 well", 200}, {"AUTH", "230 in", 230}, {"AUTH", "334 go on", 334}, {"AUTH", "421 bye", 421},
		{"PROT", "500 what", 500}, {"PROT", "504 no", 504}, {"PROT", "536 no", 536}, {"PROT", "534 no", 534}, {"PROT", "331 well", 331},
		{"PBSZ", "421 bye", 421},
	} {
		t.Run(tt.command+"/"+tt.reply, func(t *testing.T) {
			g := guard(t, ftpclient.Explicit, func(g *guarded) { g.Refuse = map[string]string{tt.command: tt.reply} })
			_, err := ftpclient.Dial(t.Context(), g.url, &g.cfg)
			if !isReply(tt.code)(err) {
				t.Errorf("dial: %v", err)
			}
			g.cfg.Retries = -1
			client, err := ftpclient.New(g.url, &g.cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if err := client.Do(t.Context(), func(*ftpclient.Conn) error { return nil }); !isReply(tt.code)(err) {
				t.Errorf("client: %v", err)
			}
			g.toldNothing(t)
		})
	}
}

// A server that wants to know first who asks is told; if it refuses then, it gets
// no file.
func TestTLSProtectedAfterLogin(t *testing.T) {
	for _, reply := range []string{"530 login first", "503 login first"} {
		for _, later := range []string{"", "536 no"} {
			t.Run(reply+"/"+later, func(t *testing.T) {
				g := guard(t, ftpclient.Explicit, func(g *guarded) {
					g.Files = map[string]string{"f": hello}
					in := false
					g.Fault = func(_, _ int, line string) ftptest.Fault {
						in = in || verb(line) == "PASS"
						switch {
						case verb(line) != "PBSZ" && verb(line) != "PROT":
							return ftptest.Fault{}
						case in:
							return ftptest.Fault{Reply: later}
						default:
							return ftptest.Fault{Reply: reply}
						}
					}
				})
				c, err := ftpclient.Dial(t.Context(), g.url, &g.cfg)
				if later != "" {
					if !isReply(536)(err) || !errors.Is(err, ftpclient.ErrConnUnusable) {
						t.Errorf("error %v", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				var b strings.Builder
				if _, err := c.Retr(t.Context(), "f", &b, nil); err != nil || b.String() != hello {
					t.Errorf("%q, %v", b.String(), err)
				}
			})
		}
	}
}

// PBSZ is a form; a server that refuses it and protects is good enough.
func TestTLSWithoutPBSZ(t *testing.T) {
	g := guard(t, ftpclient.Explicit, func(g *guarded) { g.Refuse = map[string]string{"PBSZ": "500 what"} })
	if err := g.dial(t).Quit(t.Context()); err != nil {
		t.Error(err)
	}
}

// In clear nobody is asked for TLS, whatever else is configured.
func TestPlainIsPlain(t *testing.T) {
	g := guard(t, ftpclient.Plain, func(g *guarded) {
		g.cfg.Security, g.TLS = ftpclient.Explicit, nil
		g.Files = map[string]string{"f": hello}
	})
	var b strings.Builder
	if _, err := g.dial(t).Retr(t.Context(), "f", &b, nil); err != nil || b.String() != hello {
		t.Errorf("%q, %v", b.String(), err)
	}
	if log := strings.Join(g.Log(), " "); strings.Contains(log, "AUTH") {
		t.Errorf("the client sent %q", log)
	}
}

// What stands in clear behind the reply to AUTH is not taken for what the server
// says later, however it comes.
func TestTLSInjection(t *testing.T) {
	for name, script := range map[string]func(*trust) ftptest.Script{
		"in one packet": func(x *trust) ftptest.Script {
			return ftptest.Steps(ftptest.Expect("AUTH TLS"), ftptest.Raw("234 go on\r\n200 ok\r\n200 ok\r\n331 password\r\n230 in\r\n"), ignore(ftptest.StartTLS(x.server)))
		},
		"one byte": func(x *trust) ftptest.Script {
			return ftptest.Steps(ftptest.Expect("AUTH TLS"), ftptest.Raw("234 go on\r\n2"), ignore(ftptest.StartTLS(x.server)))
		},
		"before the reply": func(x *trust) ftptest.Script {
			return ftptest.Steps(ftptest.Expect("AUTH TLS"), ftptest.Raw("200 ok\r\n234 go on\r\n"))
		},
		"granted twice": func(x *trust) ftptest.Script {
			return ftptest.Steps(ftptest.Expect("AUTH TLS"), ftptest.Raw("234 go on\r\n234 go on\r\n"), ignore(ftptest.StartTLS(x.server)))
		},
		"granted before it was asked for": func(x *trust) ftptest.Script {
			return ftptest.Steps(ftptest.Raw("234 go on\r\n"), ignore(ftptest.Exchange("AUTH TLS", "234 go on")), ignore(ftptest.StartTLS(x.server)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			x := trusted(t)
			s := setTLS(t, x, ftptest.Send("220 ready"), script(x))
			c, err := ftpclient.Dial(t.Context(), "ftpes://"+serverHost+"/", &s.cfg)
			if err == nil {
				c.Close()
				t.Fatal("no error")
			}
			if !wraps[*ftpclient.ProtocolError](err) && !wraps[*ftpclient.TLSError](err) && !isReply(200)(err) {
				t.Error(err)
			}
		})
	}
}

// setTLS is set for scripts that speak TLS, and a client that trusts them.
func setTLS(t *testing.T, x *trust, script ...ftptest.Script) *stage {
	t.Helper()
	s := setOn(t, func(n *ftptest.Network) { n.Buffer = buffer }, script...)
	s.cfg.TLS = x.client
	s.cfg.Trace = func(line string) { t.Log(line) }
	return s
}
