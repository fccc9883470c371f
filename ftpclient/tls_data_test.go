package ftpclient_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// secured is the dialogue of a login under explicit TLS.
func secured(x *trust) ftptest.Script {
	return ftptest.Steps(ftptest.Send("220 ready"), ftptest.AuthTLS(x.server), ftptest.Protect(),
		ftptest.Exchange("USER anonymous", "331 password, please"), ftptest.Exchange("PASS anonymous@", "230 in"))
}

// dialTLS plays secured and then script.
func dialTLS(t *testing.T, x *trust, script ...ftptest.Script) *ftpclient.Conn {
	t.Helper()
	s := setTLS(t, x, append([]ftptest.Script{secured(x)}, script...)...)
	s.cfg.Timeout = patience
	c, err := ftpclient.Dial(t.Context(), "ftpes://"+serverHost+"/", &s.cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

var (
	retrTLS = ftptest.Steps(begin("f", "213 12"), ftptest.Exchange("RETR f", "150 go"))
	storTLS = ftptest.Steps(ftptest.Exchange("TYPE I", "200 ok"), ftptest.EPSV(), ftptest.Exchange("STOR f", "150 go"))
	aborted = ftptest.Steps(ftptest.Exchange("ABOR", "426 broken", "226 aborted"), ftptest.Exchange("PWD", `257 "/"`))
)

// A download whose stream ends without close_notify is whole only if its size says
// so, and a list never is.
func TestTLSUnclosed(t *testing.T) {
	t.Run("size known", func(t *testing.T) {
		g := guard(t, ftpclient.Explicit, func(g *guarded) { g.Truncate, g.Files = true, map[string]string{"f": hello} })
		var b strings.Builder
		result, err := g.dial(t).Retr(t.Context(), "f", &b, nil)
		if err != nil || !result.Unclosed || result.Verified != ftpclient.VerifiedSize || b.String() != hello {
			t.Errorf("%+v, %v", result, err)
		}
	})
	t.Run("size not known", func(t *testing.T) {
		g := guard(t, ftpclient.Explicit, func(g *guarded) {
			g.Truncate, g.Files, g.Refuse = true, map[string]string{"f": hello}, map[string]string{"SIZE": "502 no", "MLST": "502 no"}
		})
		_, err := g.dial(t).Retr(t.Context(), "f", io.Discard, nil)
		if !isKind(ftpclient.KindUnclosed)(err) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("cut between records", func(t *testing.T) {
		g := guard(t, ftpclient.Explicit, func(g *guarded) { g.Truncate, g.Files = true, map[string]string{"f": hello} })
		g.Fault = func(_, _ int, line string) ftptest.Fault { return ftptest.Fault{Short: verb(line) == "RETR"} }
		_, err := g.dial(t).Retr(t.Context(), "f", io.Discard, nil)
		if !isKind(ftpclient.KindUnclosed)(err) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("list", func(t *testing.T) {
		g := guard(t, ftpclient.Explicit, func(g *guarded) { g.Truncate, g.Lists = true, map[string]string{"LIST": "x\r\n"} })
		if err := g.dial(t).List(t.Context(), "", io.Discard); !isKind(ftpclient.KindUnclosed)(err) {
			t.Errorf("error %v", err)
		}
	})
}

// A handshake of a data connection that fails leaves a Conn that goes on, as soon
// as the server has said what it makes of that.
func TestTLSDataHandshake(t *testing.T) {
	other, err := ftptest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := other.Issue(time.Time{}, serverHost)
	if err != nil {
		t.Fatal(err)
	}
	impostor := func(s *ftptest.Session) error {
		secure := tls.Server(s.Data, &tls.Config{Certificates: []tls.Certificate{cert}})
		if secure.Handshake() == nil {
			_, _ = secure.Read(make([]byte, 1)) // the client's alert, in TLS 1.3
		}
		return secure.NetConn().Close()
	}
	drop := func(s *ftptest.Session) error {
		_, _ = io.Copy(io.Discard, s.Data) // however the client ends it
		return s.Data.Close()
	}
	data := func(err error) bool {
		var failed *ftpclient.TLSError
		return errors.As(err, &failed) && failed.Step == "data"
	}
	for name, tt := range map[string]struct {
		data  ftptest.Script
		reply string
		wrong func(error) bool
	}{
		"in clear":        {data: ftptest.Steps(ftptest.Write("something else"), drop), reply: "426 broken", wrong: data},
		"somebody else":   {data: impostor, reply: "425 broken", wrong: wraps[x509.UnknownAuthorityError]},
		"closed":          {data: ftptest.CloseData(), reply: "522 session reuse required", wrong: isReply(522)},
		"reset":           {data: ftptest.ResetData(), reply: "522 session reuse required", wrong: isReply(522)},
		"refused":         {data: ftptest.Steps(), reply: "522 session reuse required", wrong: isReply(522)},
		"nothing but 226": {data: ftptest.CloseData(), reply: "226 done", wrong: wraps[error]},
	} {
		for _, upload := range []bool{false, true} {
			bubble(t, name, func(t *testing.T) {
				x := trusted(t)
				command := retrTLS
				if upload {
					command = storTLS
				}
				c := dialTLS(t, x, command, tt.data, ftptest.Send(tt.reply), ftptest.Exchange("NOOP", "200 ok"))
				var err error
				opened := false
				if upload {
					_, err = c.Stor(t.Context(), "f", readerFunc(func([]byte) (int, error) { opened = true; return 0, io.EOF }), nil)
				} else {
					_, err = c.Retr(t.Context(), "f", writerFunc(func(p []byte) (int, error) { opened = true; return len(p), nil }), nil)
				}
				if err == nil || !tt.wrong(err) || opened {
					t.Errorf("error %v, opened=%v", err, opened)
				}
				if err := c.Noop(t.Context()); err != nil {
					t.Errorf("afterwards: %v", err)
				}
			})
		}
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// Handshakes that get nowhere end by the time-out, or by the context.
func TestTLSPatience(t *testing.T) {
	for _, security := range []ftpclient.Security{ftpclient.Explicit, ftpclient.Implicit} {
		for _, cancelled := range []bool{false, true} {
			bubble(t, security.String(), func(t *testing.T) {
				x := trusted(t)
				var script ftptest.Script = hang
				url := "ftps://" + serverHost + ":21/"
				if security == ftpclient.Explicit {
					script = ftptest.Steps(ftptest.Send("220 ready"), ftptest.Exchange("AUTH TLS", "234 go on"), hang)
					url = "ftpes://" + serverHost + "/"
				}
				s := setTLS(t, x, script)
				s.cfg.Timeout = patience
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if cancelled {
					time.AfterFunc(patience/2, cancel)
				}
				begun := time.Now()
				_, err := ftpclient.Dial(ctx, url, &s.cfg)
				if cancelled {
					if !errors.Is(err, context.Canceled) || time.Since(begun) > patience*3/4 {
						t.Errorf("error %v after %v", err, time.Since(begun))
					}
					return
				}
				isTimeout(t, err, ftpclient.StepTLS, begun, patience)
			})
		}
	}
	for _, cancelled := range []bool{false, true} {
		bubble(t, "data", func(t *testing.T) {
			c := dialTLS(t, trusted(t), retrTLS, aborted, ftptest.Exchange("NOOP", "200 ok"))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if cancelled {
				time.AfterFunc(patience/2, cancel)
			}
			begun := time.Now()
			_, err := c.Retr(ctx, "f", io.Discard, nil)
			if !cancelled {
				isTimeout(t, err, ftpclient.StepTLS, begun, patience)
			} else if !errors.Is(err, context.Canceled) || time.Since(begun) > patience*3/4 {
				t.Errorf("error %v after %v", err, time.Since(begun))
			}
			if err := c.Noop(t.Context()); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// An upload that breaks off does not end by a close_notify: the server would take
// what it has for the file. That is so also where a connection cannot be reset.
func TestTLSUploadBroken(t *testing.T) {
	for _, bare := range []bool{false, true} {
		x := trusted(t)
		read := make(chan struct{})
		s := setTLS(t, x, secured(x), storTLS, ftptest.SecureData(), ftptest.ReadSome(5), func(*ftptest.Session) error { close(read); return nil },
			ftptest.Expect("ABOR"), ftptest.Broken(), ftptest.Send("426 broken", "226 aborted"), ftptest.Exchange("PWD", `257 "/"`))
		if bare {
			s.cfg.Dialer = bareDialer{s.cfg.Dialer}
		}
		c, err := ftpclient.Dial(t.Context(), "ftpes://"+serverHost+"/", &s.cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		rest := func([]byte) (int, error) { <-read; return 0, errDisk }
		_, err = c.Stor(t.Context(), "f", io.MultiReader(strings.NewReader(hello), readerFunc(rest)), nil)
		if !errors.Is(err, errDisk) || !c.Usable() {
			t.Errorf("bare=%v: error %v", bare, err)
		}
	}
}

// A bareDialer makes connections that have the methods of a net.Conn only.
type bareDialer struct{ ftpclient.Dialer }

func (d bareDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.Dialer.DialContext(ctx, network, address)
	return struct{ net.Conn }{conn}, err
}

// A server that closes the connection behind its close_notify is not answered, for
// it would not listen; one that waits is.
func TestTLSDownloadEnds(t *testing.T) {
	for name, end := range map[string]ftptest.Script{"at once": ftptest.CloseData(), "after the answer": ftptest.FinishData()} {
		bubble(t, name, func(t *testing.T) {
			x := trusted(t)
			once := ftptest.Steps(ftptest.EPSV(), ftptest.Exchange("RETR f", "150 go"), ftptest.SecureData(), ftptest.Write(hello), end, ftptest.Send("226 done"))
			sized := ftptest.Exchange("SIZE f", "213 12")
			s := setTLS(t, x, secured(x), ftptest.Exchange("TYPE I", "200 ok"), sized, once, sized, once, sized, once)
			c, err := ftpclient.Dial(t.Context(), "ftpes://"+serverHost+"/", &s.cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			for range 3 {
				if result, err := c.Retr(t.Context(), "f", io.Discard, nil); err != nil || result.Unclosed {
					t.Errorf("%+v, %v", result, err)
				}
			}
			if n := s.network.Resets(); n != 0 {
				t.Errorf("%d resets", n)
			}
		})
	}
}

// The server's last reply and its end of the data connection are watched for in
// any order.
func TestTLSUploadEnds(t *testing.T) {
	sized := ftptest.Exchange("SIZE f", "213 12")
	for name, end := range map[string]ftptest.Script{
		"closed, then 226":       ftptest.Steps(ftptest.CloseData(), ftptest.Pause(patience/2), ftptest.Send("226 done"), sized),
		"half closed, then 226":  ftptest.Steps(ftptest.FinishData(), ftptest.Pause(patience/2), ftptest.Send("226 done"), sized),
		"226, then closed":       ftptest.Steps(ftptest.Send("226 done"), ftptest.Pause(patience/20), ftptest.CloseData(), sized),
		"226, and never closed":  ftptest.Steps(ftptest.Send("226 done"), sized),
		"unclean, then 226":      ftptest.Steps(ftptest.TruncateData(), ftptest.Send("226 done"), sized),
		"tickets after the file": ftptest.Steps(ftptest.Write("not asked for"), ftptest.CloseData(), ftptest.Send("226 done"), sized),
	} {
		bubble(t, name, func(t *testing.T) {
			x := trusted(t)
			s := setTLS(t, x, secured(x), storTLS, ftptest.SecureData(), ftptest.Resumed(), ftptest.Read(hello), end)
			s.cfg.Timeout = patience
			c, err := ftpclient.Dial(t.Context(), "ftpes://"+serverHost+"/", &s.cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			result, err := c.Stor(t.Context(), "f", strings.NewReader(hello), nil)
			if err != nil || result.Bytes != int64(len(hello)) {
				t.Errorf("%+v, %v", result, err)
			}
			if n := s.network.Resets(); n != 0 {
				t.Errorf("%d resets", n)
			}
		})
	}
}

// A close_notify waits for room in the send buffer, as long as the server may take.
func TestTLSCloseNotifyWaits(t *testing.T) {
	bubble(t, "full", func(t *testing.T) {
		const record, overhead, notify = 16 << 10, 22, 24 // of TLS 1.3
		full := buffer - notify/2 - 4*overhead            // bytes that four records hold, so that no close_notify fits behind them
		if full <= 3*record || full > 4*record {
			t.Fatal("not four records")
		}
		content := string(random(4, full))
		x := trusted(t)
		s := setTLS(t, x, secured(x), storTLS, ftptest.SecureData(), ftptest.Pause(10*time.Second), ftptest.Read(content), ftptest.CloseData(),
			ftptest.Send("226 done"), ftptest.Exchange("SIZE f", fmt.Sprintf("213 %d", full)))
		c, err := ftpclient.Dial(t.Context(), "ftpes://"+serverHost+"/", &s.cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Stor(t.Context(), "f", strings.NewReader(content), nil); err != nil {
			t.Error(err)
		}
	})
}

// A server whose tickets are good for one use gets another one each time.
func TestTLSTicketsOfOneUse(t *testing.T) {
	var mu sync.Mutex
	used := make(map[string]bool)
	var resumed []bool
	g := guard(t, ftpclient.Explicit, func(g *guarded) {
		g.Reuse = false
		g.Files = map[string]string{"f": hello}
		g.server.UnwrapSession = func(identity []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
			mu.Lock()
			defer mu.Unlock()
			if used[string(identity)] {
				return nil, nil
			}
			used[string(identity)] = true
			return g.server.DecryptTicket(identity, cs)
		}
		g.server.WrapSession = func(cs tls.ConnectionState, ss *tls.SessionState) ([]byte, error) {
			return g.server.EncryptTicket(cs, ss)
		}
		g.server.VerifyConnection = func(cs tls.ConnectionState) error {
			mu.Lock()
			defer mu.Unlock()
			resumed = append(resumed, cs.DidResume)
			return nil
		}
	})
	c := g.dial(t)
	for range 5 {
		if _, err := c.Retr(t.Context(), "f", io.Discard, nil); err != nil {
			t.Error(err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if want := []bool{false, true, false, true, true, true}; !slices.Equal(resumed, want) {
		t.Errorf("resumed %v, want %v", resumed, want)
	}
}

// Text that comes in many small records, and in one write, is one text.
func TestTLSRecords(t *testing.T) {
	text := string(random(8, 3000))
	for _, n := range []int{1, 7, 3000} {
		var writes []ftptest.Script
		for part := range slices.Chunk([]byte(text), n) {
			writes = append(writes, ftptest.Write(string(part)))
		}
		x := trusted(t)
		c := dialTLS(t, x, begin("f", "213 3000"), ftptest.Exchange("RETR f", "150 go"), ftptest.SecureData(), ftptest.Steps(writes...),
			ftptest.FinishData(), ftptest.Send("226 done"))
		var b bytes.Buffer
		if _, err := c.Retr(t.Context(), "f", &b, nil); err != nil || b.String() != text {
			t.Errorf("records of %d: %d bytes, %v", n, b.Len(), err)
		}
	}
}
