package ftpclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// hang does nothing until the client hangs up.
func hang(s *ftptest.Session) error {
	_, _ = io.Copy(io.Discard, s.Control) // however it ends
	return nil
}

// isTimeout checks the step of a time-out and that it came after wait, or at
// most half as much later.
func isTimeout(t *testing.T, err error, step ftpclient.Step, begun time.Time, wait time.Duration) {
	t.Helper()
	var timeout *ftpclient.TimeoutError
	if !errors.As(err, &timeout) || timeout.Step != step || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("error %v, want a time-out of step %s", err, step)
	}
	if took := time.Since(begun); took < wait || took > wait*3/2 {
		t.Errorf("took %v, want %v", took, wait)
	}
}

type silentDialer struct{}

func (silentDialer) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

const patience = 3 * time.Second

func TestTimeouts(t *testing.T) {
	download := ftptest.Steps(begin("f", "213 12"), ftptest.Exchange("RETR f", "150 go"))
	tests := []struct {
		name   string
		script ftptest.Script
		step   ftpclient.Step
		extra  time.Duration // on top of Timeout
		active bool
		upload bool
		usable bool
	}{
		{name: "no reply", step: ftpclient.StepReply, script: ftptest.Steps(ftptest.Expect("TYPE I"), hang)},
		{name: "half a reply", step: ftpclient.StepReply, script: ftptest.Steps(ftptest.Expect("TYPE I"), ftptest.Raw("200-x"), hang)},
		{
			name: "lines keep it waiting, bytes do not", step: ftpclient.StepReply, extra: patience,
			script: ftptest.Steps(ftptest.Expect("TYPE I"), ftptest.Pause(patience-1), ftptest.Raw("200-x\r\n"), ftptest.Pause(patience-1),
				ignore(ftptest.Dribble(strings.Repeat("x", 100), time.Second/10)), hang),
		},
		{
			name: "data stalls, server obeys ABOR", step: ftpclient.StepData, usable: true,
			script: ftptest.Steps(download, ftptest.Write("x"), ftptest.Exchange("ABOR", "426 broken", "226 aborted"), ftptest.Exchange("PWD", `257 "/"`)),
		},
		{name: "data stalls, server is gone", step: ftpclient.StepData, extra: 2 * time.Second, script: ftptest.Steps(download, ftptest.Write("x"), hang)},
		{name: "no data after 226", step: ftpclient.StepData, script: ftptest.Steps(download, ftptest.Send("226 done"), hang), usable: true},
		{name: "no final reply", step: ftpclient.StepReply, script: ftptest.Steps(download, ftptest.Write(hello), ftptest.CloseData(), hang)},
		{
			name: "upload stalls", step: ftpclient.StepData, upload: true, usable: true,
			script: ftptest.Steps(ftptest.Exchange("TYPE I", "200 ok"), ftptest.EPSV(), ftptest.Exchange("STOR f", "150 go"), ftptest.ReadSome(1),
				ftptest.Expect("ABOR"), ftptest.Broken(), ftptest.Send("426 broken", "226 aborted"), ftptest.Exchange("PWD", `257 "/"`)),
		},
		{
			name: "server does not connect", step: ftpclient.StepAccept, active: true, usable: true,
			script: ftptest.Steps(ftptest.Exchange("TYPE I", "200 ok"), ftptest.Exchange("SIZE f", "213 12"), ftptest.EPRT(), ftptest.Exchange("RETR f", "150 go"),
				ftptest.Exchange("ABOR", "425 no", "226 aborted"), ftptest.Exchange("PWD", `257 "/"`)),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := set(t, ftptest.Login(), tt.script)
				s.cfg.Timeout, s.cfg.Active = patience, tt.active
				c := s.dial(t)
				begun := time.Now()
				var err error
				if tt.upload {
					_, err = c.Stor(t.Context(), "f", strings.NewReader(hello), nil)
				} else {
					_, err = c.Retr(t.Context(), "f", io.Discard, nil)
				}
				isTimeout(t, err, tt.step, begun, patience+tt.extra)
				if c.Usable() != tt.usable {
					t.Errorf("usable: %v", !tt.usable)
				}
				c.Close()
			})
		})
	}
}

func TestDialTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		_, err := ftpclient.Dial(t.Context(), serverURL, &ftpclient.Config{Dialer: silentDialer{}})
		isTimeout(t, err, ftpclient.StepDial, begun, 30*time.Second)
	})
}

// What the dialer knows by then is not lost.
func TestDialTimeoutUnanswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		_, err := ftpclient.Dial(t.Context(), serverURL, &ftpclient.Config{Dialer: unansweredDialer{}})
		isTimeout(t, err, ftpclient.StepDial, begun, 30*time.Second)
		var op *net.OpError
		if !errors.Is(err, syscall.EHOSTUNREACH) || !errors.As(err, &op) || !strings.HasSuffix(err.Error(), ": no progress for 30s: dial tcp: nobody: no route to host") {
			t.Errorf("%v", err)
		}
	})
}

// An unansweredDialer is one that nobody answers, and that knows it before it says so.
type unansweredDialer struct{}

func (unansweredDialer) DialContext(ctx context.Context, network, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, &net.OpError{Op: "dial", Net: network, Err: fmt.Errorf("nobody: %w", syscall.EHOSTUNREACH)}
}

func TestGreetingTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := set(t, hang)
		begun := time.Now()
		_, err := ftpclient.Dial(t.Context(), serverURL, &s.cfg)
		isTimeout(t, err, ftpclient.StepGreeting, begun, 30*time.Second)
	})
}

// A transfer may take any time as long as something moves, and the time that
// the caller's own writer takes is not the network's.
func TestSlowIsNotStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(s *ftptest.Session) error {
			for i := range len(hello) {
				time.Sleep(patience - 1)
				if err := ftptest.Write(hello[i : i+1])(s); err != nil {
					return err
				}
			}
			return nil
		}
		s := set(t, ftptest.Login(), begin("f", "213 12"), ftptest.Exchange("RETR f", "150 go"), slow, ftptest.CloseData(), ftptest.Pause(patience-1), ftptest.Send("226 done"))
		s.cfg.Timeout = patience
		c := s.dial(t)
		var got strings.Builder
		if _, err := c.Retr(t.Context(), "f", slowWriter{&got}, nil); err != nil || got.String() != hello {
			t.Errorf("got %q, %v", &got, err)
		}
		c.Close()
	})
}

type slowWriter struct{ io.Writer }

func (w slowWriter) Write(p []byte) (int, error) {
	time.Sleep(5 * patience)
	return w.Writer.Write(p)
}

// A cancelled transfer on a dead connection ends within AbortTimeout, or at
// once if that is negative.
func TestAbortTimeout(t *testing.T) {
	for abort, want := range map[time.Duration]time.Duration{0: 2 * time.Second, time.Second: time.Second, -1: 0} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			s := set(t, ftptest.Login(), begin("f", "213 12"), ftptest.Exchange("RETR f", "150 go"), func(*ftptest.Session) error { cancel(); return nil }, hang)
			s.cfg.AbortTimeout = abort
			c := s.dial(t)
			begun := time.Now()
			_, err := c.Retr(ctx, "f", io.Discard, nil)
			if !errors.Is(err, context.Canceled) || !errors.Is(err, ftpclient.ErrConnUnusable) || c.Usable() {
				t.Errorf("error %v", err)
			}
			if took := time.Since(begun); took != want {
				t.Errorf("took %v, want %v", took, want)
			}
			c.Close()
		})
	}
}

// A slowLink is a dialer of connections whose last bytes take a minute to be
// acknowledged.
type slowLink struct{ ftpclient.Dialer }

func (d slowLink) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.Dialer.DialContext(ctx, network, address)
	return &slowConn{Conn: conn, empty: time.Now().Add(time.Minute)}, err
}

type slowConn struct {
	net.Conn
	empty time.Time
}

func (c *slowConn) Unacknowledged() int { return int(max(time.Until(c.empty), 0) / time.Millisecond) }

// The reply to an upload may take as long as its last bytes are on their way,
// and one Timeout more.
func TestSlowEndOfUpload(t *testing.T) {
	for late, ok := range map[time.Duration]bool{0: true, patience - 1: true, 3 * patience: false} {
		synctest.Test(t, func(t *testing.T) {
			s := set(t, ftptest.Login(), ftptest.Exchange("TYPE A", "200 ok"), ftptest.EPSV(), ftptest.Exchange("STOR f", "150 go"), ftptest.Read(hello),
				ftptest.Pause(time.Minute+late), ignore(ftptest.Send("226 done")))
			s.cfg.Timeout = patience
			s.cfg.Dialer = slowLink{s.cfg.Dialer}
			c := s.dial(t)
			if err := c.Type(t.Context(), ftpclient.ASCII); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Stor(t.Context(), "f", strings.NewReader(hello), nil); (err == nil) != ok {
				t.Errorf("%v late: %v", late, err)
			}
			c.Close()
		})
	}
}
