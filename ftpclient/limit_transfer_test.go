package ftpclient_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// A rate of which a piece takes longer than Timeout.
const crawl = 100 // bytes per second

// Who waits for a Limiter is not stalled, and gets on in small steps.
func TestLimitedIsNotStalled(t *testing.T) {
	file := strings.Repeat("0123456789", 2000)
	download := ftptest.Steps(begin("f", "213 20000"), ftptest.Exchange("RETR f", "150 go"),
		ftptest.Write(file), ftptest.CloseData(), ftptest.Send("226 done"))
	upload := ftptest.Steps(ftptest.Exchange("TYPE I", "200 ok"), ftptest.EPSV(), ftptest.Exchange("STOR f", "150 go"),
		ftptest.Read(file), ftptest.Send("226 done"), ftptest.Exchange("SIZE f", "213 20000"))
	for name, script := range map[string]ftptest.Script{"download": download, "upload": upload} {
		for _, perSecond := range []int64{crawl, 5000} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := set(t, ftptest.Login(), script)
					s.cfg.Timeout = patience
					s.cfg.Limiter = ftpclient.NewLimiter(perSecond)
					c := s.dial(t)
					begun, last, step := time.Now(), int64(0), int64(0)
					opts := &ftpclient.TransferOptions{Progress: func(done, _ int64) { step, last = max(step, done-last), done }}
					var got bytes.Buffer
					var err error
					if name == "upload" {
						_, err = c.Stor(t.Context(), "f", strings.NewReader(file), opts)
					} else {
						_, err = c.Retr(t.Context(), "f", &got, opts)
					}
					if err != nil || name == "download" && got.String() != file {
						t.Fatalf("%d bytes, %v", got.Len(), err)
					}
					want := time.Duration(len(file)) * time.Second / time.Duration(perSecond)
					if took := time.Since(begun); took < want*9/10 || took > want {
						t.Errorf("took %v, want %v", took, want)
					}
					if step > 1400 || last != int64(len(file)) {
						t.Errorf("steps of up to %d bytes, to %d", step, last)
					}
					c.Close()
				})
			})
		}
	}
}

// What ends a transfer does not wait for the Limiter: the caller, or the server.
func TestLimitedIsEnded(t *testing.T) {
	moving := ftptest.Steps(begin("f", "213 20000"), ftptest.Exchange("RETR f", "150 go"), ftptest.Write(strings.Repeat("x", 1500)))
	t.Run("by the caller", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := set(t, ftptest.Login(), moving, hang)
			s.cfg.AbortTimeout = -1
			s.cfg.Limiter = ftpclient.NewLimiter(1)
			c := s.dial(t)
			begun := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := c.Retr(ctx, "f", new(bytes.Buffer), nil); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v", err)
			}
			if took := time.Since(begun); took != time.Second {
				t.Errorf("ended after %v", took)
			}
			c.Close()
		})
	})
	t.Run("by the server", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := set(t, ftptest.Login(), moving, ftptest.Pause(time.Second), ftptest.Send("451 disk"), hang)
			s.cfg.Limiter = ftpclient.NewLimiter(1)
			c := s.dial(t)
			begun := time.Now()
			var refusal *ftpclient.ReplyError
			if _, err := c.Retr(t.Context(), "f", new(bytes.Buffer), nil); !errors.As(err, &refusal) || refusal.Code != 451 {
				t.Errorf("error %v", err)
			}
			if took := time.Since(begun); took > 2*time.Second {
				t.Errorf("ended after %v", took)
			}
			c.Close()
		})
	})
	t.Run("a server that stalls", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := set(t, ftptest.Login(), begin("f", "213 20000"), ftptest.Exchange("RETR f", "150 go"), ftptest.Write("x"), hang)
			s.cfg.Timeout, s.cfg.AbortTimeout = patience, -1
			s.cfg.Limiter = ftpclient.NewLimiter(crawl)
			c := s.dial(t)
			begun := time.Now()
			_, err := c.Retr(t.Context(), "f", new(bytes.Buffer), nil)
			isTimeout(t, err, ftpclient.StepData, begun, patience)
			c.Close()
		})
	})
}

// The connections of a Client, and of another, share one rate.
func TestLimitedClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 50_000
		limiter := ftpclient.NewLimiter(10_000)
		begun := time.Now()
		content := strings.Repeat("x", size)
		f := &field{Site: &ftptest.Site{Files: map[string]string{"a": content, "b": content, "c": content}}}
		f.cfg.Limiter = limiter
		client := f.open(t)
		up := make(chan error, 1)
		go func() {
			up <- f.store(t.Context(), client, map[string]string{"new": content}, false, 1)
		}()
		down := slices.Values([]ftpclient.Download{f.download("a", size), f.download("b", size), f.download("c", size)})
		if err := errors.Join(client.Download(t.Context(), down, 3), <-up); err != nil {
			t.Fatal(err)
		}
		for path, err := range f.errs {
			if err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
		if took, want := time.Since(begun), 20*time.Second; took < want-time.Second || took > want+time.Second {
			t.Errorf("took %v, want %v", took, want)
		}
	})
}

// Under TLS what is limited is whole, too, both ways and in segments.
func TestLimitedTLS(t *testing.T) {
	securities(t, func(t *testing.T, security ftpclient.Security) {
		const size = 4 * mib
		large := random(7, size)
		g := guard(t, security, func(g *guarded) {
			g.Files = map[string]string{"large": string(large)}
		})
		g.cfg.Limiter = ftpclient.NewLimiter(100 * mib)
		c, err := ftpclient.New(g.url, &g.cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		roundTrip(t, c, smallFiles("", 20), 2)
		dst := newMemory(size)
		result, err := c.DownloadSegments(t.Context(), dst, &ftpclient.Segments{Path: "large", Count: 2})
		if err != nil || result.Bytes != size || sumOf(dst.b) != sumOf(large) {
			t.Errorf("segments: %+v, %v", result, err)
		}
	})
}
