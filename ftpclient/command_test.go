package ftpclient_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

func TestCommands(t *testing.T) {
	c := play(t,
		ftptest.Exchange("NOOP", "200 ok"),
		ftptest.Exchange("MKD d", `257 "d" made`),
		ftptest.Exchange("CWD d", "250 ok"),
		ftptest.Exchange("PWD", `257 "/a ""b"" c" is it`),
		ftptest.Exchange("RNFR a", "350 to?"), ftptest.Exchange("RNTO b", "250 ok"),
		ftptest.Exchange("DELE b", "250 ok"),
		ftptest.Exchange("RMD d", "250 ok"),
		ftptest.Exchange("TYPE I", "200 ok"),
		ftptest.Exchange("SIZE f", "213 12345678901"),
		ftptest.Exchange("MDTM f", "213 20260228235960.25"),
		ftptest.Exchange("FEAT", "211-Can:", " mdtm", " REST STREAM", "211-MLST type*;size*;", " AUTH TLS", " AUTH SSL", "211 end"),
		ftptest.Exchange("SITE CHMOD 644 f", "200 ok"),
		ftptest.Exchange("TYPE A", "200 ok"),
		ftptest.Exchange("QUIT", "221 bye"),
	)
	ctx := t.Context()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	check(c.Noop(ctx))
	check(c.MakeDir(ctx, "d"))
	check(c.ChangeDir(ctx, "d"))
	dir, err := c.WorkingDir(ctx)
	check(err)
	if want := `/a "b" c`; dir != want {
		t.Errorf("working directory %q, want %q", dir, want)
	}
	check(c.Rename(ctx, "a", "b"))
	check(c.Delete(ctx, "b"))
	check(c.RemoveDir(ctx, "d"))
	check(c.Type(ctx, ftpclient.Binary))
	check(c.Type(ctx, ftpclient.Binary)) // known; not sent again
	n, err := c.Size(ctx, "f")
	check(err)
	if n != 12345678901 {
		t.Errorf("size %d", n)
	}
	mtime, err := c.ModTime(ctx, "f")
	check(err)
	if want := time.Date(2026, 3, 1, 0, 0, 0, 250e6, time.UTC); !mtime.Equal(want) {
		t.Errorf("time %v, want %v", mtime, want)
	}
	for range 2 { // the second is from memory
		f, err := c.Features(ctx)
		check(err)
		want := ftpclient.Features{"MDTM": "", "REST": "STREAM", "MLST": "type*;size*;", "AUTH": "TLS SSL"}
		if !maps.Equal(f, want) || !f.Has("MDTM") || f.Has("SIZE") {
			t.Errorf("features %v, want %v", f, want)
		}
	}
	reply, err := c.Command(ctx, "SITE CHMOD 644 f")
	check(err)
	if reply.Code != 200 || reply.Text() != "ok" {
		t.Errorf("reply %v", reply)
	}
	check(c.Type(ctx, ftpclient.ASCII))
	if !c.Usable() {
		t.Error("not usable before QUIT")
	}
	check(c.Quit(ctx))
	if c.Usable() {
		t.Error("usable after QUIT")
	}
	if err := c.Noop(ctx); !errors.Is(err, ftpclient.ErrConnUnusable) || !errors.Is(err, net.ErrClosed) {
		t.Errorf("error %v, want unusable", err)
	}
}

func TestRefusals(t *testing.T) {
	c := play(t,
		ftptest.Exchange("DELE f", "450-busy", "450 later"),
		ftptest.Exchange("MDTM f", "550 none"),
		ftptest.Exchange("FEAT", "502 what?"),
		ftptest.Exchange("RNFR f", "550 none"),
		ftptest.Exchange("PWD", `257 "/never closed`),
		ftptest.Exchange("MDTM f", "213 yesterday"),
		ftptest.Exchange("TYPE I", "504 no"), ftptest.Exchange("TYPE I", "200 ok"),
		ftptest.Exchange("SIZE f", "213 -1"),
	)
	ctx := t.Context()
	err := c.Delete(ctx, "f")
	var refusal *ftpclient.ReplyError
	if !errors.As(err, &refusal) || !refusal.Temporary() || refusal.Text != "busy\nlater" || refusal.Command != "DELE f" {
		t.Errorf("error %#v", err)
	}
	if got, want := err.Error(), "ftpclient: delete: 450 busy; later"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
	if _, err = c.ModTime(ctx, "f"); !errors.As(err, &refusal) || refusal.Temporary() {
		t.Errorf("error %v", err)
	}
	if f, err := c.Features(ctx); err != nil || len(f) != 0 {
		t.Errorf("features %v, %v", f, err)
	}
	if err := c.Rename(ctx, "f", "g"); !errors.As(err, &refusal) || refusal.Command != "RNFR f" {
		t.Errorf("error %v", err)
	}
	var protocol *ftpclient.ProtocolError
	if _, err := c.WorkingDir(ctx); !errors.As(err, &protocol) {
		t.Errorf("error %v", err)
	}
	if _, err := c.ModTime(ctx, "f"); !errors.As(err, &protocol) {
		t.Errorf("error %v", err)
	}
	if _, err := c.Size(ctx, "f"); !errors.As(err, &refusal) {
		t.Errorf("error %v", err)
	}
	if n, err := c.Size(ctx, "f"); !errors.As(err, &protocol) {
		t.Errorf("size %d, error %v", n, err)
	}
	if !c.Usable() {
		t.Error("not usable after refusals")
	}
}

// After a TYPE that failed nobody knows which one holds.
func TestTypeUnknown(t *testing.T) {
	c := play(t, ftptest.Exchange("TYPE I", "200 ok"), ftptest.Exchange("TYPE A", "451 hiccup"), ftptest.Exchange("TYPE I", "200 ok"))
	if err := c.Type(t.Context(), ftpclient.Binary); err != nil {
		t.Error(err)
	}
	if err := c.Type(t.Context(), ftpclient.ASCII); err == nil {
		t.Error("no error")
	}
	if err := c.Type(t.Context(), ftpclient.Binary); err != nil {
		t.Error(err)
	}
}

// No argument is sent that would be more than one command, by any method.
func TestArguments(t *testing.T) {
	c := play(t, ftptest.Exchange("NOOP", "200 ok"))
	ctx := t.Context()
	calls := map[string]func(arg string) error{
		"Retr":       func(a string) error { _, err := c.Retr(ctx, a, io.Discard, nil); return err },
		"Stor":       func(a string) error { _, err := c.Stor(ctx, a, strings.NewReader(""), nil); return err },
		"Append":     func(a string) error { _, err := c.Append(ctx, a, strings.NewReader(""), nil); return err },
		"List":       func(a string) error { return c.List(ctx, a, io.Discard) },
		"NameList":   func(a string) error { _, err := c.NameList(ctx, a); return err },
		"MLSD":       func(a string) error { _, err := c.MLSD(ctx, a); return err },
		"MLST":       func(a string) error { _, err := c.MLST(ctx, a); return err },
		"ModTime":    func(a string) error { _, err := c.ModTime(ctx, a); return err },
		"RenameFrom": func(a string) error { return c.Rename(ctx, a, "x") },
		"RenameTo":   func(a string) error { return c.Rename(ctx, "x", a) },
		"Delete":     func(a string) error { return c.Delete(ctx, a) },
		"MakeDir":    func(a string) error { return c.MakeDir(ctx, a) },
		"RemoveDir":  func(a string) error { return c.RemoveDir(ctx, a) },
		"ChangeDir":  func(a string) error { return c.ChangeDir(ctx, a) },
		"Command":    func(a string) error { _, err := c.Command(ctx, "SITE "+a); return err },
		"Verb":       func(a string) error { _, err := c.Command(ctx, a); return err },
		"User":       func(a string) error { return c.Login(ctx, a, "") },
	}
	for name, call := range calls {
		for _, arg := range []string{"a\r\nDELE b", "a\nb", "a\rb", "a\x00b", "\n"} {
			var argument *ftpclient.ArgumentError
			if err := call(arg); !errors.As(err, &argument) {
				t.Errorf("%s(%q): error %v, want an ArgumentError", name, arg, err)
			}
		}
	}
	if err := c.Delete(ctx, ""); err == nil {
		t.Error("an empty path was sent")
	}
	if err := c.Noop(ctx); err != nil {
		t.Error(err)
	}
}

// RFC 854: IAC is doubled, other Telnet commands are no part of the text. For
// most servers it is a byte like any other.
func TestTelnet(t *testing.T) {
	for greeting, wire := range map[string]string{
		"220 ProFTPD Server (lab) [::1]":         "\xff\xffx",
		"220 ftp.example FTP server (tnftpd) ok": "\xff\xffx",
		"220 (vsFTPd 3.0.5)":                     "\xffx",
		"220 ready":                              "\xffx",
	} {
		c := set(t, ftptest.Send(greeting),
			ftptest.Exchange("USER anonymous", "230 in"),
			ftptest.Exchange("CWD "+wire, "250 ok"),
			ftptest.Exchange("PWD", "257 \"/"+wire+"\xff\xfb\x01y\xff\xf1z\x00\" ok")).dial(t)
		if err := c.ChangeDir(t.Context(), "\xffx"); err != nil {
			t.Errorf("%s: %v", greeting, err)
		}
		if dir, err := c.WorkingDir(t.Context()); err != nil || dir != "/\xffxyz" {
			t.Errorf("%s: working directory %q, %v", greeting, dir, err)
		}
	}
}

// A reply that nothing asked for makes the Conn unusable before a command is
// judged by it.
func TestStrayReply(t *testing.T) {
	sent := make(chan struct{})
	c := play(t, ftptest.Exchange("NOOP", "200 ok", "200 once more"),
		func(*ftptest.Session) error { close(sent); return nil })
	if err := c.Noop(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-sent
	for c.Usable() { // until the reader has passed it on
		time.Sleep(time.Millisecond)
	}
	err := c.Delete(t.Context(), "f")
	var protocol *ftpclient.ProtocolError
	if !errors.Is(err, ftpclient.ErrConnUnusable) || !errors.As(err, &protocol) {
		t.Errorf("error %v", err)
	}
	if err := c.Delete(t.Context(), "f"); !errors.Is(err, ftpclient.ErrConnUnusable) {
		t.Errorf("error %v", err)
	}
}

// A server that closes an idle connection says why, and the next call knows.
func TestIdleClosed(t *testing.T) {
	c := play(t, ftptest.Send("421 idle"), ftptest.Close())
	for c.Usable() {
		time.Sleep(time.Millisecond)
	}
	err := c.Noop(t.Context())
	var refusal *ftpclient.ReplyError
	if !errors.As(err, &refusal) || refusal.Code != 421 || !errors.Is(err, ftpclient.ErrConnUnusable) {
		t.Errorf("error %v", err)
	}
}

// A command that was cancelled leaves the Conn usable; its reply is skipped.
func TestCancelCommand(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	resume := make(chan struct{})
	c := play(t,
		ftptest.Expect("DELE a"), func(*ftptest.Session) error { cancel(); return nil },
		ftptest.Await(resume), ftptest.Send("150 soon", "550 reply to a"), ftptest.Exchange("DELE b", "250 reply to b"))
	if err := c.Delete(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want cancelled", err)
	}
	if !c.Usable() {
		t.Error("not usable after a cancelled command")
	}
	if err := c.Delete(ctx, "b"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want cancelled", err)
	}
	close(resume)
	if err := c.Delete(t.Context(), "b"); err != nil {
		t.Errorf("b was judged by the reply to a: %v", err)
	}
}

// Replies arrive in any pieces.
func TestDribble(t *testing.T) {
	c := play(t, ftptest.Expect("NOOP"), ftptest.Dribble("200-a\n200-b\r\n c\r\n200 d\r\n", 0),
		ftptest.Expect("NOOP"), ftptest.Raw("200\r\n"), ftptest.Expect("NOOP"), ftptest.Raw("200\n"))
	for range 3 {
		if err := c.Noop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestReplyLimits(t *testing.T) {
	for name, flood := range map[string]string{
		"line":  "200 " + strings.Repeat("x", 20<<10),
		"lines": "200-\r\n" + strings.Repeat("\n", 11_000),
		"bytes": "200-\r\n" + strings.Repeat(strings.Repeat("x", 10<<10)+"\n", 110),
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, ftptest.Login(), ftptest.Expect("NOOP"), func(s *ftptest.Session) error {
				_, _ = io.WriteString(s.Control, flood) // the client hangs up
				return nil
			})
			c := s.dial(t)
			var protocol *ftpclient.ProtocolError
			if err := c.Noop(t.Context()); !errors.As(err, &protocol) {
				t.Errorf("error %v", err)
			}
			if c.Usable() {
				t.Error("usable")
			}
			c.Close()
		})
	}
}

// A lingerer is a connection whose Read takes its time to end.
type lingerer struct{ net.Conn }

func (l *lingerer) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	if err != nil {
		time.Sleep(time.Minute)
	}
	return n, err
}

// Nothing of a Conn runs any more when Close returns.
func TestCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		go func() { _, _ = io.WriteString(theirs, "220 ready\r\n") }()
		c, err := ftpclient.NewConn(t.Context(), &lingerer{ours}, nil)
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if time.Since(begun) != time.Minute {
			t.Error("Close did not wait for the reader")
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}
