package ftpclient_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// A failing dialer returns err where broken says so.
type failing struct {
	ftpclient.Dialer
	mu     sync.Mutex
	err    error
	dialed int
}

func (d *failing) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	d.mu.Lock()
	err := d.err
	d.dialed++
	d.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return d.Dialer.DialContext(ctx, network, address)
}

// set makes dials fail with err, or not if it is nil, and returns how many there
// were.
func (d *failing) set(err error) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
	n := d.dialed
	d.dialed = 0
	return n
}

// openThrough is open with a dialer that can fail.
func (f *field) openThrough(t *testing.T) (*ftpclient.Client, *failing) {
	t.Helper()
	first := f.open(t)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	d := &failing{Dialer: f.cfg.Dialer}
	f.cfg.Dialer = d
	c, err := ftpclient.New(serverURL, &f.cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, d
}

// drop makes the server end each session at its next command.
func drop(session *bool) func(int, int, string) ftptest.Fault {
	return func(int, int, string) ftptest.Fault { return ftptest.Fault{Hangup: *session} }
}

// A site at which somebody was let in is tried again while it does not answer,
// by all who wait together, and for as long as the budget lasts.
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &field{Site: &ftptest.Site{}}
		gone := false
		f.Fault = drop(&gone)
		c, d := f.openThrough(t)
		if err := c.Do(t.Context(), noop(t.Context())); err != nil {
			t.Fatal(err)
		}
		gone = true
		if err := c.Do(t.Context(), noop(t.Context())); err == nil {
			t.Error("the session was not dropped")
		}
		gone = false
		d.set(syscall.ECONNREFUSED)
		var wg sync.WaitGroup
		begun := time.Now()
		for range 5 {
			wg.Go(func() {
				err := c.Do(t.Context(), noop(t.Context()))
				var failed *ftpclient.ConnectError
				if !errors.As(err, &failed) || failed.Tries < 4 || failed.Address != "192.0.2.2:21" || !errors.Is(err, syscall.ECONNREFUSED) {
					t.Errorf("error %#v", err)
				}
			})
		}
		wg.Wait()
		// Who came after the first had failed may be there for one try more.
		if took := time.Since(begun); took < 7*time.Second/2 || took > 15*time.Second {
			t.Errorf("took %v", took)
		}
		if n := d.set(syscall.ECONNREFUSED); n > 5+3*5 {
			t.Errorf("dialed %d times", n)
		}
		// One that is back in time is found.
		begun = time.Now()
		for range 5 {
			wg.Go(func() {
				if err := c.Do(t.Context(), noop(t.Context())); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(2 * time.Second)
		d.set(nil)
		wg.Wait()
		if took := time.Since(begun); took < 2*time.Second || took > 7*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// A site at which nobody was let in yet is given up where nobody answers, and
// tried again where the server says that it is full.
func TestOutageAtFirst(t *testing.T) {
	for _, full := range []string{"", "421 too many users", "530 too many users", "421 not now", "530 wrong"} {
		bubble(t, full, func(t *testing.T) {
			f := &field{Site: &ftptest.Site{}}
			if full != "" {
				f.MaxSessions, f.TooMany = 1, full
			}
			c, d := f.openThrough(t)
			begun := time.Now()
			if full == "" {
				d.set(syscall.ECONNREFUSED)
			} else {
				other, err := ftpclient.Dial(t.Context(), serverURL, &f.cfg)
				if err != nil {
					t.Fatal(err)
				}
				time.AfterFunc(2*time.Second, func() { other.Close() })
			}
			err := c.Do(t.Context(), noop(t.Context()))
			switch full {
			case "":
				if !errors.Is(err, syscall.ECONNREFUSED) || d.set(nil) != 1 {
					t.Errorf("error %v", err)
				}
				paused(t, begun)
			case "530 wrong":
				if !isReply(530)(err) {
					t.Errorf("error %v", err)
				}
				paused(t, begun)
				time.Sleep(3 * time.Second) // until other is closed
			default:
				if err != nil {
					t.Error(err)
				}
				if took := time.Since(begun); took < 2*time.Second || took > 7*time.Second {
					t.Errorf("took %v", took)
				}
			}
		})
	}
}

// The number of connections falls to what the server allows, and rises when it
// allows more, one at a time.
func TestPoolRises(t *testing.T) {
	for _, tooMany := range []string{"421 too many", "530 too many"} {
		bubble(t, tooMany, func(t *testing.T) {
			f := &field{Site: &ftptest.Site{MaxSessions: 2, TooMany: tooMany}}
			c := f.open(t)
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			for range 6 { // work without end
				wg.Go(func() {
					for ctx.Err() == nil {
						err := c.Do(ctx, func(conn *ftpclient.Conn) error {
							time.Sleep(time.Second)
							return conn.Noop(ctx)
						})
						if err != nil && ctx.Err() == nil {
							t.Error(err)
						}
					}
				})
			}
			time.Sleep(10 * time.Second)
			if n := f.MostSessions(); n != 2 {
				t.Errorf("%d sessions at first", n)
			}
			begun := f.Sessions()
			time.Sleep(10 * time.Minute)
			if n := f.Sessions() - begun; n < 2 || n > 8 {
				t.Errorf("%d refusals in ten minutes", n)
			}
			f.SetMaxSessions(4)
			time.Sleep(10 * time.Minute)
			if n := f.MostSessions(); n != 4 {
				t.Errorf("%d sessions where 4 are allowed", n)
			}
			f.SetMaxSessions(0)
			time.Sleep(10 * time.Minute)
			if n := f.MostSessions(); n != 6 {
				t.Errorf("%d sessions where all are allowed", n)
			}
			cancel()
			wg.Wait()
		})
	}
}

// Nor is one on which a caller's own transfer went wrong.
func TestPoolKeepsOutDo(t *testing.T) {
	for short, fresh := range map[bool]int{true: 1, false: 0} {
		f := &field{Site: &ftptest.Site{Files: map[string]string{"f": content(small)}}}
		f.Fault = times("RETR", 1, ftptest.Fault{Short: short})
		c := f.open(t)
		err := c.Do(t.Context(), func(conn *ftpclient.Conn) error {
			_, err := conn.Retr(t.Context(), "f", io.Discard, nil)
			return err
		})
		before := f.Sessions()
		if err := c.Do(t.Context(), noop(t.Context())); err != nil {
			t.Error(err)
		}
		if n := f.Sessions() - before; n != fresh {
			t.Errorf("%d new sessions after %v", n, err)
		}
	}
}

// Files that are fetched meanwhile are none the worse for it.
func TestPoolFallsInWork(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		f := &field{Site: &ftptest.Site{Files: files(40), TooMany: "421 too many"}}
		fallen := false
		f.Fault = func(session, n int, line string) ftptest.Fault {
			if verb(line) == "RETR" && session > 1 && !fallen {
				fallen = true
				f.MaxSessions = 2 // Fault is called with the lock of SetMaxSessions
				return ftptest.Fault{Reply: "421 too many connections"}
			}
			// Slow enough for the first session not to have done it all before
			// there is a second.
			return ftptest.Fault{Pause: time.Second}
		}
		c := f.open(t)
		if err := f.fetch(t.Context(), c, true, 4); err != nil {
			t.Error(err)
		}
		f.check(t, nil)
		if !fallen {
			t.Error("no session was ended")
		}
	})
}

// A connection that saw something unexpected is not used again.
func TestPoolKeepsOut(t *testing.T) {
	hello := map[string]string{"f": content(large)}
	for name, tt := range map[string]struct {
		fault ftptest.Fault
		line  string
		fresh bool
	}{
		"short":                   {ftptest.Fault{Short: true}, "RETR", true},
		"nonsense":                {ftptest.Fault{Reply: "213 very large"}, "SIZE", false},
		"a reply to nothing":      {ftptest.Fault{Reply: "213 100000\r\n200 and more"}, "SIZE", true},
		"refused":                 {ftptest.Fault{Reply: "550 no"}, "RETR", false},
		"broken off, and so said": {ftptest.Fault{Last: "451 disk"}, "RETR", false},
	} {
		for _, way := range []string{"passive", "no pipelining"} {
			bubble(t, name+"/"+way, func(t *testing.T) {
				f := &field{Site: &ftptest.Site{Files: hello}}
				f.cfg.Retries = -1
				ways[way](f)
				f.Fault = times(tt.line, 1, tt.fault)
				c := f.open(t)
				if err := f.fetch(t.Context(), c, false, 1); err != nil {
					t.Error(err)
				}
				before := f.Sessions()
				if err := c.Do(t.Context(), noop(t.Context())); err != nil {
					t.Error(err)
				}
				if n := f.Sessions() - before; (n == 1) != tt.fresh && before == 1 {
					t.Errorf("%d new sessions, error %v, log %q", n, f.errs["f"], f.Log())
				}
			})
		}
	}
}
