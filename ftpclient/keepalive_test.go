package ftpclient_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// Each NOOP that is sent during a transfer has its reply, whenever that comes,
// and no transfer is good because of one.
func TestKeepAlive(t *testing.T) {
	noop := ftptest.Expect("NOOP")
	some := ftptest.Steps(ftptest.Exchange("RETR f", "150 go"), ftptest.Write(hello[:4]))
	end := ftptest.Steps(ftptest.Write(hello[4:]), ftptest.CloseData())
	cut := ftptest.CloseData()
	var timeout *ftpclient.TimeoutError
	var protocol *ftpclient.ProtocolError
	tests := map[string]struct {
		script ftptest.Script
		check  func(error) bool // nil for success
		usable bool
	}{
		"at once":       {ftptest.Steps(some, noop, ftptest.Send("200 ok"), noop, ftptest.Send("200 ok"), end, ftptest.Send("226 done")), nil, true},
		"before 226":    {ftptest.Steps(some, noop, noop, end, ftptest.Send("200 ok", "200 ok", "226 done")), nil, true},
		"around 226":    {ftptest.Steps(some, noop, noop, end, ftptest.Send("200 ok", "226 done", "200 ok")), nil, true},
		"after 226":     {ftptest.Steps(some, noop, noop, end, ftptest.Send("226 done", "200 ok", "200 ok")), nil, true},
		"long after":    {ftptest.Steps(some, noop, end, ftptest.Send("226 done"), ftptest.Pause(20*time.Second), ftptest.Send("200 ok")), nil, true},
		"226 too early": {ftptest.Steps(some, noop, ftptest.Send("226 ok"), end, ftptest.Send("226 done")), nil, true},
		"refused":       {ftptest.Steps(some, noop, ftptest.Send("500 what"), ftptest.Pause(15*time.Second), end, ftptest.Send("226 done")), nil, true},
		"busy":          {ftptest.Steps(some, noop, ftptest.Send("450 busy"), ftptest.Pause(15*time.Second), end, ftptest.Send("226 done")), nil, true},
		"never": {
			ftptest.Steps(some, noop, noop, end, ftptest.Send("226 done"), hang),
			func(err error) bool { return errors.As(err, &timeout) && timeout.Step == ftpclient.StepReply }, false,
		},
		"and no 226": {
			ftptest.Steps(some, noop, noop, end, ftptest.Send("200 ok", "200 ok"), hang),
			func(err error) bool { return errors.As(err, &timeout) }, false,
		},
		"one too many": {
			ftptest.Steps(some, noop, end, ftptest.Send("200 ok", "200 ok"), hang),
			func(err error) bool { return errors.As(err, &protocol) }, false,
		},
		"226 too early, and a failure": {ftptest.Steps(some, noop, ftptest.Send("226 ok"), cut, ftptest.Send("426 broken")), isReply(426), true},
		"and a failure":                {ftptest.Steps(some, noop, noop, cut, ftptest.Send("426 broken", "200 ok", "200 ok")), isReply(426), true},
		"behind a failure":             {ftptest.Steps(some, noop, ftptest.Send("200 ok"), cut, ftptest.Send("426 broken")), isReply(426), true},
		"lost": {
			ftptest.Steps(some, noop, end, ftptest.Send("226 done"), ftptest.Close()),
			func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }, false,
		},
	}
	for name, tt := range tests {
		bubble(t, name, func(t *testing.T) {
			after := ftptest.Steps()
			if tt.usable {
				after = ftptest.Exchange("NOOP", "200 still here")
			}
			s := set(t, ftptest.Login(), ftptest.Exchange("TYPE I", "200 ok"), ftptest.EPSV(), tt.script, after)
			s.cfg.KeepAlive, s.cfg.Verify = 10*time.Second, ftpclient.VerifyNone
			c := s.dial(t)
			var got strings.Builder
			_, err := c.Retr(t.Context(), "f", &got, nil)
			if tt.check == nil && (err != nil || got.String() != hello) || tt.check != nil && (err == nil || !tt.check(err)) {
				t.Errorf("got %q, error %v", &got, err)
			}
			if c.Usable() != tt.usable {
				t.Errorf("usable: %v", !tt.usable)
			}
			if tt.usable {
				if err := c.Noop(t.Context()); err != nil {
					t.Error(err)
				}
			}
			c.Close()
		})
	}
}

// A transfer that is given up while NOOPs are unanswered leaves the Conn in order.
func TestKeepAliveAborted(t *testing.T) {
	for name, replies := range map[string][]string{
		"in turn":     {"426 broken", "200 ok", "226 aborted"},
		"out of turn": {"200 ok", "426 broken", "226 aborted"},
		"only one":    {"200 ok", "226 aborted"},
	} {
		bubble(t, name, func(t *testing.T) {
			s := set(t, ftptest.Login(), begin("f", "213 12"), ftptest.Exchange("RETR f", "150 go"), ftptest.Write(hello[:4]),
				ftptest.Expect("NOOP"), ignore(ftptest.Write(hello[4:])), ftptest.Exchange("ABOR", replies...),
				ftptest.Exchange("PWD", `257 "/"`), ftptest.Exchange("NOOP", "200 still here"))
			s.cfg.KeepAlive = 10 * time.Second
			c := s.dial(t)
			_, err := c.Retr(t.Context(), "f", &brokenWriter{left: 6}, nil)
			if !errors.Is(err, errDisk) || !c.Usable() {
				t.Errorf("error %v", err)
			}
			if err := c.Noop(t.Context()); err != nil {
				t.Error(err)
			}
			c.Close()
		})
	}
}

// Servers that answer out of turn get none.
func TestKeepAliveEager(t *testing.T) {
	for _, greeting := range []string{"ProFTPD 1.3.8", "Welcome to Pure-FTPd", "Microsoft FTP Service"} {
		bubble(t, greeting, func(t *testing.T) {
			s := set(t, ftptest.Send("220 "+greeting), ftptest.Exchange("USER anonymous", "230 in"), begin("f", "213 12"),
				ftptest.Exchange("RETR f", "150 go"), ftptest.Pause(25*time.Second), ftptest.Write(hello), ftptest.CloseData(), ftptest.Send("226 done"))
			s.cfg.KeepAlive = 10 * time.Second
			c := s.dial(t)
			if _, err := c.Retr(t.Context(), "f", io.Discard, nil); err != nil {
				t.Error(err)
			}
			c.Close()
		})
	}
}

// The files that follow are none the worse for it, also where the server never
// answers one.
func TestKeepAliveClient(t *testing.T) {
	for _, way := range []string{"passive", "no pipelining", "ProFTPD"} {
		for _, mute := range []bool{false, true} {
			bubble(t, fmt.Sprintf("%s/mute=%v", way, mute), func(t *testing.T) {
				f := &field{Site: &ftptest.Site{Files: map[string]string{"a": content(large), "b": content(large), "c": content(small)}}}
				ways[way](f)
				f.cfg.KeepAlive = time.Second
				f.Fault = func(_, _ int, line string) (fault ftptest.Fault) {
					switch verb(line) {
					case "RETR":
						fault.Pause = 5 * time.Second / 2
					case "NOOP":
						fault.Silent = mute
					}
					return fault
				}
				c := f.open(t)
				err := f.fetch(t.Context(), c, true, 1)
				if err != nil {
					t.Error(err)
				}
				f.check(t, nil)
				if n := f.count("NOOP"); (n > 0) != (way != "ProFTPD") {
					t.Errorf("log %q", f.Log())
				}
				retries := 0
				for _, r := range f.results {
					retries += r.Retries
				}
				if retries > 1 || retries > 0 && !mute {
					t.Errorf("%d retries", retries)
				}
			})
		}
	}
}
