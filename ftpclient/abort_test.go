package ftpclient_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

type brokenWriter struct{ left int }

var errDisk = errors.New("disk full")

func (w *brokenWriter) Write(p []byte) (int, error) {
	if len(p) > w.left {
		return w.left, errDisk
	}
	w.left -= len(p)
	return len(p), nil
}

// A transfer that the client gives up is ended by ABOR; the dialogues are
// those of servers in use.
func TestAbort(t *testing.T) {
	tests := map[string]struct {
		script ftptest.Script
		usable bool
	}{
		"426 and 226": {ftptest.Steps(ftptest.Exchange("ABOR", "426 broken", "226 aborted"), ftptest.Exchange("PWD", `257 "/"`)), true},
		"226 and 225": {ftptest.Steps(ftptest.Exchange("ABOR", "226 done", "225 nothing to abort"), ftptest.Exchange("PWD", `257 "/"`)), true},
		"only one":    {ftptest.Steps(ftptest.Exchange("ABOR", "226 aborted"), ftptest.Exchange("PWD", `257 "/"`)), true},
		"unknown":     {ftptest.Steps(ftptest.Exchange("ABOR", "426 broken", "502 what"), ftptest.Exchange("PWD", `257 "/"`)), true},
		"PWD refused": {ftptest.Steps(ftptest.Exchange("ABOR", "426 broken", "226 aborted"), ftptest.Exchange("PWD", "550 no")), true},
		"421":         {ftptest.Steps(ftptest.Exchange("ABOR", "426 broken"), ftptest.Exchange("PWD", "421 bye")), false},
		"closed":      {ftptest.Steps(ftptest.Expect("ABOR"), ftptest.Close()), false},
	}
	for name, tt := range tests {
		t.Run("local error, "+name, func(t *testing.T) {
			after := ftptest.Steps()
			if tt.usable {
				after = ftptest.Exchange("NOOP", "200 ok")
			}
			c := play(t, begin("f", "213 12"), ftptest.Exchange("RETR f", "150 go"), ftptest.Write(hello[:4]), ignore(ftptest.Write(hello[4:])), ignore(tt.script), ignore(after))
			result, err := c.Retr(t.Context(), "f", &brokenWriter{left: 6}, nil)
			if !errors.Is(err, errDisk) || result.Bytes != 6 {
				t.Errorf("error %v, result %+v", err, result)
			}
			if errors.Is(err, ftpclient.ErrConnUnusable) == tt.usable || c.Usable() != tt.usable {
				t.Errorf("usable: %v, error %v", c.Usable(), err)
			}
			if tt.usable {
				if err := c.Noop(t.Context()); err != nil {
					t.Error(err)
				}
			}
			c.Close()
		})
		t.Run("cancelled, "+name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			c := play(t, begin("f", "213 12"), ftptest.Exchange("RETR f", "150 go"), ftptest.Write(hello[:4]),
				func(*ftptest.Session) error { cancel(); return nil }, ignore(tt.script))
			_, err := c.Retr(ctx, "f", io.Discard, nil)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
			if errors.Is(err, ftpclient.ErrConnUnusable) == tt.usable || c.Usable() != tt.usable {
				t.Errorf("usable: %v, error %v", c.Usable(), err)
			}
			c.Close()
		})
	}
}

// ignore plays a script that may find the client gone.
func ignore(script ftptest.Script) ftptest.Script {
	return func(s *ftptest.Session) error {
		if err := script(s); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrClosedPipe) && !errors.Is(err, syscall.ECONNRESET) {
			return err
		}
		return nil
	}
}

// A transfer is cancelled wherever it is.
func TestCancelTransfer(t *testing.T) {
	abor := ftptest.Steps(ftptest.Exchange("ABOR", "426 broken", "226 aborted"), ftptest.Exchange("PWD", `257 "/"`), ftptest.Exchange("NOOP", "200 ok"))
	for name, script := range map[string]func(cancel ftptest.Script) ftptest.Script{
		"before SIZE is answered": func(cancel ftptest.Script) ftptest.Script {
			return ftptest.Steps(ftptest.Exchange("TYPE I", "200 ok"), ftptest.Expect("SIZE f"), cancel, ftptest.Send("213 12"), ftptest.Exchange("NOOP", "200 ok"))
		},
		"before EPSV is answered": func(cancel ftptest.Script) ftptest.Script {
			return ftptest.Steps(ftptest.Exchange("TYPE I", "200 ok"), ftptest.Exchange("SIZE f", "213 12"), ftptest.Expect("EPSV"), cancel,
				ftptest.Send("229 (|||7|)"), ftptest.Exchange("NOOP", "200 ok"))
		},
		"before the 150": func(cancel ftptest.Script) ftptest.Script {
			return ftptest.Steps(begin("f", "213 12"), ftptest.Expect("RETR f"), cancel, abor)
		},
		"in the data": func(cancel ftptest.Script) ftptest.Script {
			return ftptest.Steps(begin("f", "213 12"), ftptest.Exchange("RETR f", "150 go"), ftptest.Write("x"), cancel, abor)
		},
		"before the 226": func(cancel ftptest.Script) ftptest.Script {
			return ftptest.Steps(begin("f", "213 12"), ftptest.Exchange("RETR f", "150 go"), ftptest.Write(hello), ftptest.CloseData(), cancel,
				ftptest.Send("226 done"), ftptest.Exchange("NOOP", "200 ok"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				c := play(t, script(func(*ftptest.Session) error {
					synctest.Wait() // until the client waits for the server
					cancel()
					synctest.Wait()
					return nil
				}))
				if _, err := c.Retr(ctx, "f", io.Discard, nil); !errors.Is(err, context.Canceled) || errors.Is(err, ftpclient.ErrConnUnusable) {
					t.Errorf("error %v", err)
				}
				if err := c.Noop(t.Context()); err != nil {
					t.Error(err)
				}
				c.Close()
			})
		})
	}
}

// A cancelled upload is reset, so that the server cannot take it for complete.
func TestCancelUpload(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := play(t, ftptest.Exchange("TYPE I", "200 ok"), ftptest.EPSV(), ftptest.Exchange("STOR f", "150 go"), ftptest.ReadSome(3),
		func(*ftptest.Session) error { cancel(); return nil }, ftptest.Expect("ABOR"), ftptest.Broken(),
		ftptest.Send("426 broken", "226 aborted"), ftptest.Exchange("PWD", `257 "/"`))
	result, err := c.Stor(ctx, "f", strings.NewReader(strings.Repeat(hello, 1000)), nil)
	if !errors.Is(err, context.Canceled) || result.Bytes != 3 || !c.Usable() {
		t.Errorf("error %v, result %+v", err, result)
	}
	c.Close()
}

// Close unblocks a transfer.
func TestCloseUnblocks(t *testing.T) {
	begun := make(chan struct{})
	c := play(t, begin("f", "213 12"), ftptest.Exchange("RETR f", "150 go"), ftptest.Write("x"), func(*ftptest.Session) error { close(begun); return nil })
	done := make(chan error, 1)
	go func() {
		_, err := c.Retr(context.Background(), "f", io.Discard, nil)
		done <- err
	}()
	<-begun
	c.Close()
	if err := <-done; err == nil {
		t.Error("no error")
	}
}
