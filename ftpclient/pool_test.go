package ftpclient_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

func noop(ctx context.Context) func(*ftpclient.Conn) error {
	return func(c *ftpclient.Conn) error { return c.Noop(ctx) }
}

// Nothing is connected before it is needed, and what is there is used again.
func TestPoolReuse(t *testing.T) {
	f := &field{Site: &ftptest.Site{Refuse: map[string]string{"CWD d": "250 there", "CWD none": "550 no"}}}
	c := f.open(t)
	if n := f.Sessions(); n != 0 {
		t.Errorf("%d sessions", n)
	}
	for range 3 {
		if err := c.Do(t.Context(), noop(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	// A refusal leaves it where it was.
	var refusal *ftpclient.ReplyError
	if err := c.Do(t.Context(), func(c *ftpclient.Conn) error { return c.ChangeDir(t.Context(), "none") }); !errors.As(err, &refusal) {
		t.Errorf("error %v", err)
	}
	if err := c.Do(t.Context(), noop(t.Context())); err != nil {
		t.Fatal(err)
	}
	if n := f.Sessions(); n != 1 {
		t.Errorf("%d sessions", n)
	}
	// One that is no longer where the login began is not.
	for _, stray := range []func(*ftpclient.Conn) error{
		func(c *ftpclient.Conn) error { _ = c.ChangeDir(t.Context(), "d"); return nil },
		func(c *ftpclient.Conn) error { _, _ = c.Command(t.Context(), "SITE UMASK 0"); return nil },
	} {
		before := f.Sessions()
		_ = c.Do(t.Context(), stray)
		if err := c.Do(t.Context(), noop(t.Context())); err != nil || f.Sessions() != before+1 {
			t.Errorf("%d sessions, %v", f.Sessions(), err)
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if log := f.Log(); log[len(log)-1] != "QUIT" {
		t.Errorf("log %q", log)
	}
	if err := c.Do(t.Context(), noop(t.Context())); !errors.Is(err, ftpclient.ErrClosed) {
		t.Errorf("error %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// A connection that the server drops while nobody uses it is replaced, whether
// the server says so or not.
func TestPoolDropped(t *testing.T) {
	for _, said := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			drop := make(chan struct{})
			first := []ftptest.Script{ftptest.Login(), ftptest.Exchange("NOOP", "200 ok"), ftptest.Await(drop)}
			if said {
				first = append(first, ftptest.Send("421 idle"), ftptest.Close())
			} else {
				first = append(first, ftptest.Expect("NOOP"), ftptest.Close())
			}
			s := set(t, first...)
			client, err := ftpclient.New(serverURL, &s.cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if err := client.Do(t.Context(), noop(t.Context())); err != nil {
				t.Fatal(err)
			}
			close(drop)
			time.Sleep(time.Minute) // of the bubble's time
			synctest.Wait()
			host := s.network.Host(serverHost)
			ln, err := host.Listen(t.Context(), "tcp", serverHost+":21")
			if err != nil {
				t.Fatal(err)
			}
			second := ftptest.Serve(ln, host, ftptest.Login(), ftptest.Exchange("NOOP", "200 ok"), ftptest.Exchange("QUIT", "221 bye"))
			if err := client.Do(t.Context(), noop(t.Context())); err != nil {
				t.Error(err)
			}
			if err := client.Close(); err != nil {
				t.Error(err)
			}
			if err := second.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

// No more connections than allowed are open, those who wait get their turn,
// and a wait ends with ctx and with the Client.
func TestPoolLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &field{Site: &ftptest.Site{}}
		f.cfg.MaxConns = 2
		c := f.open(t)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				err := c.Do(t.Context(), func(conn *ftpclient.Conn) error {
					time.Sleep(time.Second)
					return conn.Noop(t.Context())
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := f.MostSessions(); n != 2 {
			t.Errorf("%d sessions", n)
		}

		release := make(chan struct{})
		for range 2 {
			wg.Go(func() {
				_ = c.Do(t.Context(), func(*ftpclient.Conn) error { <-release; return nil })
			})
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Do(ctx, noop(ctx)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		wg.Go(func() {
			if err := c.Do(t.Context(), noop(t.Context())); !errors.Is(err, ftpclient.ErrClosed) {
				t.Errorf("error %v", err)
			}
		})
		synctest.Wait()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		close(release)
		wg.Wait()
	})
}

// Somebody who waits for one answer gets a connection before the work is done.
func TestPoolUrgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &field{Site: &ftptest.Site{Files: files(40)}}
		f.cfg.MaxConns = 1
		started := make(chan struct{})
		var once sync.Once
		resume := make(chan struct{})
		f.Fault = func(_, _ int, line string) ftptest.Fault {
			if line == "RETR f05" {
				once.Do(func() { close(started) })
				return ftptest.Fault{Await: resume}
			}
			return ftptest.Fault{}
		}
		c := f.open(t)
		var wg sync.WaitGroup
		wg.Go(func() {
			<-started
			wg.Go(func() {
				if err := c.Do(t.Context(), noop(t.Context())); err != nil {
					t.Error(err)
				}
			})
			time.Sleep(time.Second)
			close(resume)
		})
		if err := f.fetch(t.Context(), c, true, 1); err != nil {
			t.Error(err)
		}
		wg.Wait()
		f.check(t, nil)
		log := f.Log()
		if i, last := slices.Index(log, "NOOP"), slices.Index(log, "RETR f39"); i < 0 || i > last {
			t.Errorf("NOOP is command %d, the last file %d", i, last)
		}
	})
}

// Close ends the calls that are under way.
func TestPoolClosedInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &field{Site: &ftptest.Site{Files: files(40)}}
		never := make(chan struct{})
		f.Fault = func(_, _ int, line string) ftptest.Fault {
			if strings.HasPrefix(line, "RETR f1") {
				return ftptest.Fault{Await: never}
			}
			return ftptest.Fault{}
		}
		c := f.open(t)
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := f.fetch(t.Context(), c, true, 2); !errors.Is(err, ftpclient.ErrClosed) {
				t.Errorf("error %v", err)
			}
		})
		synctest.Wait()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
		for path, err := range f.errs {
			if f.opened[path] == 0 && err == nil {
				t.Errorf("%s: no error", path)
			}
		}
	})
}
