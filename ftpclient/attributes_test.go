package ftpclient_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// TestAttributes asks three questions before the first answer, and takes what
// answers there are.
func TestAttributes(t *testing.T) {
	questions := ftptest.Steps(ftptest.Expect("TYPE I"), ftptest.Expect("SIZE a"), ftptest.Expect("MDTM a"))
	changed := time.Date(2026, 2, 28, 23, 59, 58, 0, time.UTC)
	for name, tt := range map[string]struct {
		script ftptest.Script
		want   ftpclient.Attributes
	}{
		"all": {ftptest.Steps(questions, ftptest.Send("200 binary", "213 42", "213 20260228235958")), ftpclient.Attributes{Size: 42, ModTime: changed}},
		"no size": {ftptest.Steps(questions, ftptest.Send("200 binary", "550 a directory", "213 20260228235958")),
			ftpclient.Attributes{Size: -1, ModTime: changed}},
		"no time":  {ftptest.Steps(questions, ftptest.Send("200 binary", "213 0", "550 no")), ftpclient.Attributes{}},
		"nonsense": {ftptest.Steps(questions, ftptest.Send("200 binary", "213 many", "213 yesterday")), ftpclient.Attributes{Size: -1}},
		"no such commands": {ftptest.Steps(questions, ftptest.Send("200 binary", "500 what", "502 what"),
			ftptest.Exchange("NOOP", "200 here")), ftpclient.Attributes{Size: -1}},
	} {
		t.Run(name, func(t *testing.T) {
			c := play(t, tt.script)
			a, err := c.Attributes(t.Context(), "a")
			if err != nil || a != tt.want {
				t.Errorf("%+v, %v; want %+v", a, err, tt.want)
			}
			if name == "no such commands" { // which are not asked again
				if _, err := c.Attributes(t.Context(), "b"); err != nil {
					t.Error(err)
				}
				if err := c.Noop(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestAttributesInTurn asks a server that loses what is sent ahead one question
// at a time.
func TestAttributesInTurn(t *testing.T) {
	s := set(t, ftptest.Login(),
		ftptest.Exchange("TYPE I", "200 binary"), ftptest.Exchange("SIZE a", "550 what"), ftptest.Exchange("MDTM a", "213 20260228235958"))
	s.cfg.Ahead = -1
	a, err := s.dial(t).Attributes(t.Context(), "a")
	if err != nil || a.Size != -1 || a.ModTime.Second() != 58 {
		t.Errorf("%+v, %v", a, err)
	}
}

// TestAttributesFail refuses the type, ends the connection, and is cancelled.
func TestAttributesFail(t *testing.T) {
	questions := ftptest.Steps(ftptest.Expect("TYPE I"), ftptest.Expect("SIZE a"), ftptest.Expect("MDTM a"))
	t.Run("type", func(t *testing.T) {
		c := play(t, questions, ftptest.Send("504 no", "213 1", "550 no"), ftptest.Exchange("NOOP", "200 here"))
		var refusal *ftpclient.ReplyError
		if _, err := c.Attributes(t.Context(), "a"); !errors.As(err, &refusal) || refusal.Code != 504 {
			t.Error(err)
		}
		if err := c.Noop(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("closing", func(t *testing.T) {
		c := play(t, questions, ftptest.Send("200 binary", "421 going"))
		var refusal *ftpclient.ReplyError
		if _, err := c.Attributes(t.Context(), "a"); !errors.As(err, &refusal) || refusal.Code != 421 || c.Usable() {
			t.Error(err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c := play(t, questions, ftptest.Send("200 binary"), func(*ftptest.Session) error { cancel(); return nil },
			ftptest.Send("213 1", "550 no"), ftptest.Exchange("NOOP", "200 here"))
		if _, err := c.Attributes(ctx, "a"); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if err := c.Noop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
