package ftpclient_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

func TestLogin(t *testing.T) {
	tests := []struct {
		name   string
		url    string
		cfg    ftpclient.Config
		script ftptest.Script
		code   int // of the ReplyError, or 0
	}{
		{name: "anonymous", script: ftptest.Login()},
		{
			name: "120, then a greeting of several lines",
			script: ftptest.Steps(
				ftptest.Send("120 ready in 1 minutes"),
				ftptest.Raw("220-welcome\r\n 220 not yet\r\n220-still not\r\n230 nor this\r\n220 ready\r\n"),
				ftptest.Exchange("USER anonymous", "331 who are you"),
				ftptest.Exchange("PASS anonymous@", "230-hello", "230 in"),
			),
		},
		{name: "USER is enough", script: ftptest.Steps(ftptest.Send("220 ready"), ftptest.Exchange("USER anonymous", "230 in"))},
		{
			name: "user and password from the URL, unescaped",
			url:  "ftp://an%40na:p%3Aw@192.0.2.2/x",
			script: ftptest.Steps(ftptest.Send("220 ready"), ftptest.Exchange("USER an@na", "331 password"),
				ftptest.Exchange("PASS p:w", "230 in")),
		},
		{
			name: "account",
			cfg:  ftpclient.Config{User: "u", Password: "p", Account: "a"},
			script: ftptest.Steps(ftptest.Send("220 ready"), ftptest.Exchange("USER u", "331 password"),
				ftptest.Exchange("PASS p", "332 account"), ftptest.Exchange("ACCT a", "230 in")),
		},
		{
			name: "account without password",
			cfg:  ftpclient.Config{User: "u", Account: "a"},
			script: ftptest.Steps(ftptest.Send("220 ready"), ftptest.Exchange("USER u", "332 account"),
				ftptest.Exchange("ACCT a", "202 superfluous")),
		},
		{
			name:   "account wanted, none there",
			script: ftptest.Steps(ftptest.Send("220 ready"), ftptest.Exchange("USER anonymous", "332 account")),
			code:   332,
		},
		{
			name: "asked twice for the password",
			script: ftptest.Steps(ftptest.Send("220 ready"), ftptest.Exchange("USER anonymous", "331 password"),
				ftptest.Exchange("PASS anonymous@", "331 password")),
			code: 331,
		},
		{
			name: "refused",
			script: ftptest.Steps(ftptest.Send("220 ready"), ftptest.Exchange("USER anonymous", "331 password"),
				ftptest.Exchange("PASS anonymous@", "530 no")),
			code: 530,
		},
		{name: "busy", script: ftptest.Send("421 too many"), code: 421},
		{name: "unwilling", script: ftptest.Send("554 go away"), code: 554},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := set(t, tt.script)
			tt.cfg.Dialer = s.cfg.Dialer
			url := serverURL
			if tt.url != "" {
				url = tt.url
			}
			c, err := ftpclient.Dial(t.Context(), url, &tt.cfg)
			if err == nil {
				defer c.Close()
			}
			var refusal *ftpclient.ReplyError
			switch {
			case tt.code == 0 && err != nil:
				t.Fatal(err)
			case tt.code != 0 && !errors.As(err, &refusal):
				t.Fatalf("error %v, want a refusal", err)
			case tt.code != 0 && refusal.Code != tt.code:
				t.Errorf("code %d, want %d", refusal.Code, tt.code)
			}
		})
	}
}

// A password is in no error and in no trace, even if the server repeats it.
func TestPasswordIsSecret(t *testing.T) {
	const password = "hunter2/xyzzy"
	s := set(t, ftptest.Send("220 ready"), ftptest.Exchange("USER u", "331 password"),
		ftptest.Exchange("PASS "+password, "530-the password "+password, "530 is wrong for "+password))
	var trace strings.Builder
	s.cfg.User, s.cfg.Password = "u", password
	s.cfg.Trace = func(line string) { trace.WriteString(line + "\n") }
	_, err := ftpclient.Dial(t.Context(), serverURL, &s.cfg)
	if err == nil {
		t.Fatal("no error")
	}
	var refusal *ftpclient.ReplyError
	if !errors.As(err, &refusal) {
		t.Fatal(err)
	}
	said := err.Error() + refusal.Text + refusal.Command + trace.String()
	if strings.Contains(said, "hunter2") {
		t.Errorf("the password is in %q", said)
	}
	if !strings.Contains(trace.String(), "> PASS ****\n") {
		t.Errorf("trace without PASS: %q", trace.String())
	}
}

func TestDialErrors(t *testing.T) {
	s := set(t, ftptest.Login())
	c := s.dial(t) // plays the script, so that nobody listens any more
	_ = c
	_, err := ftpclient.Dial(t.Context(), serverURL, &s.cfg)
	if err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("error %v, want connection refused", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ftpclient.Dial(ctx, serverURL, &s.cfg); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want cancelled", err)
	}
}

func TestGreetingNonsense(t *testing.T) {
	for _, greeting := range []string{"SSH-2.0-x\r\n", "22 x\r\n", "2200 x\r\n", "\r\n", "999 x\r\n", "220x\r\n"} {
		s := set(t, ftptest.Raw(greeting))
		_, err := ftpclient.Dial(t.Context(), serverURL, &s.cfg)
		var protocol *ftpclient.ProtocolError
		if !errors.As(err, &protocol) {
			t.Errorf("%q: error %v, want a ProtocolError", greeting, err)
		}
	}
	for _, greeting := range []string{"", "220-x\r\n", "220 x"} {
		s := set(t, ftptest.Raw(greeting), ftptest.Close())
		_, err := ftpclient.Dial(t.Context(), serverURL, &s.cfg)
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q: error %v, want an unexpected EOF", greeting, err)
		}
		s.server.Close()
	}
}

func TestActiveNeedsListener(t *testing.T) {
	s := set(t)
	s.cfg.Active, s.cfg.Listener = true, nil
	if c, err := ftpclient.Dial(t.Context(), serverURL, &s.cfg); err == nil {
		c.Close()
		t.Error("no error")
	}
}

// A login that was cancelled in the middle is not gone on with.
func TestCancelLogin(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := set(t, ftptest.Send("220 ready"), ftptest.Exchange("USER anonymous", "331 password"), ftptest.Expect("PASS anonymous@"),
		func(*ftptest.Session) error { cancel(); return nil })
	if _, err := ftpclient.Dial(ctx, serverURL, &s.cfg); !errors.Is(err, context.Canceled) || !errors.Is(err, ftpclient.ErrConnUnusable) {
		t.Errorf("error %v", err)
	}
}
