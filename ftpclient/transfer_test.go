package ftpclient_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

const hello = "hello, world"

func TestRetr(t *testing.T) {
	const size = "213 12"
	tests := []struct {
		name     string
		script   ftptest.Script
		active   bool
		offset   int64
		want     string
		verified ftpclient.Verified
	}{
		{
			name: "plain", want: hello, verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(begin("f", size), ftptest.Exchange("RETR f", "150 go"), ftptest.Write(hello), ftptest.CloseData(), ftptest.Send("226 done")),
		},
		{
			name: "226 before the data", want: hello, verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(begin("f", size), ftptest.Exchange("RETR f", "150 go", "226 done"), ftptest.Write(hello), ftptest.CloseData()),
		},
		{
			name: "no preliminary reply", want: hello, verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(begin("f", size), ftptest.Exchange("RETR f", "226 done"), ftptest.Write(hello), ftptest.CloseData()),
		},
		{
			name: "several preliminary replies", want: hello, verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(begin("f", size), ftptest.Exchange("RETR f", "125 go", "110 MARK 1 = 2"), ftptest.Write(hello), ftptest.CloseData(), ftptest.Send("250 done")),
		},
		{
			name: "empty", want: "", verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(begin("f", "213 0"), ftptest.Exchange("RETR f", "150 go"), ftptest.CloseData(), ftptest.Send("226 done")),
		},
		{
			name: "size only in the 150 reply", want: hello, verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(begin("f", "502 what"), ftptest.Exchange("RETR f", "150 go (12 bytes)."), ftptest.Write(hello), ftptest.CloseData(), ftptest.Send("226 done")),
		},
		{
			name: "no size anywhere", want: hello, verified: ftpclient.VerifiedNone,
			script: ftptest.Steps(begin("f", "550 no"), ftptest.Exchange("RETR f", "150 go"), ftptest.Write(hello), ftptest.CloseData(), ftptest.Send("226 done")),
		},
		{
			name: "offset", want: hello[7:], offset: 7, verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(begin("f", size), ftptest.Exchange("REST 7", "350 from 7"), ftptest.Exchange("RETR f", "150 go"),
				ftptest.Write(hello[7:]), ftptest.CloseData(), ftptest.Send("226 done")),
		},
		{
			name: "active", active: true, want: hello, verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(ftptest.Exchange("TYPE I", "200 ok"), ftptest.Exchange("SIZE f", size), ftptest.EPRT(),
				ftptest.Exchange("RETR f", "150 go"), ftptest.Connect(), ftptest.Write(hello), ftptest.CloseData(), ftptest.Send("226 done")),
		},
		{
			name: "active, connected before the 150", active: true, want: hello, verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(ftptest.Exchange("TYPE I", "200 ok"), ftptest.Exchange("SIZE f", size), ftptest.EPRT(),
				ftptest.Expect("RETR f"), ftptest.Connect(), ftptest.Send("150 go"), ftptest.Write(hello), ftptest.CloseData(), ftptest.Send("226 done")),
		},
		{
			name: "active, EPRT unknown", active: true, want: hello, verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(ftptest.Exchange("TYPE I", "200 ok"), ftptest.Exchange("SIZE f", size), anyLine("500 what"), ftptest.PORT(),
				ftptest.Exchange("RETR f", "150 go"), ftptest.Connect(), ftptest.Write(hello), ftptest.CloseData(), ftptest.Send("226 done")),
		},
		{
			name: "EPSV refused", want: hello, verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(ftptest.Exchange("TYPE I", "200 ok"), ftptest.Exchange("SIZE f", size), ftptest.Exchange("EPSV", "500 what"),
				ftptest.PASV("10,9,8,7"), ftptest.Exchange("RETR f", "150 go"), ftptest.Write(hello), ftptest.CloseData(), ftptest.Send("226 done")),
		},
		{
			name: "EPSV answered with nonsense", want: hello, verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(ftptest.Exchange("TYPE I", "200 ok"), ftptest.Exchange("SIZE f", size), ftptest.Exchange("EPSV", "229 (||||)"),
				ftptest.PASV("127,0,0,1"), ftptest.Exchange("RETR f", "150 go"), ftptest.Write(hello), ftptest.CloseData(), ftptest.Send("226 done")),
		},
		{
			name: "EPSV leads nowhere", want: hello, verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(ftptest.Exchange("TYPE I", "200 ok"), ftptest.Exchange("SIZE f", size), ftptest.Exchange("EPSV", "229 (|||9|)"),
				ftptest.PASV("127,0,0,1"), ftptest.Exchange("RETR f", "150 go"), ftptest.Write(hello), ftptest.CloseData(), ftptest.Send("226 done")),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := set(t, ftptest.Login(), tt.script)
			s.cfg.Active = tt.active
			c := s.dial(t)
			var got bytes.Buffer
			result, err := c.Retr(t.Context(), "f", &got, &ftpclient.TransferOptions{Offset: tt.offset})
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != tt.want || result.Bytes != int64(len(tt.want)) || result.Verified != tt.verified {
				t.Errorf("got %q, %+v; want %q, verified %v", &got, result, tt.want, tt.verified)
			}
			if !c.Usable() {
				t.Error("not usable")
			}
			c.Close()
		})
	}
}

// anyLine answers one line whatever it is.
func anyLine(reply string) ftptest.Script {
	return func(s *ftptest.Session) error {
		if _, err := s.Line(); err != nil {
			return err
		}
		return ftptest.Send(reply)(s)
	}
}

// No server gets a broken download past the client as a whole one.
func TestRetrBroken(t *testing.T) {
	const size = "213 12"
	tests := []struct {
		name   string
		script ftptest.Script
		active bool
		check  func(err error) bool
		bytes  int64
		usable bool
	}{
		{
			name: "short, then 226, size known", bytes: 5, usable: true,
			script: ftptest.Steps(begin("f", size), ftptest.Exchange("RETR f", "150 go"), ftptest.Write(hello[:5]), ftptest.CloseData(), ftptest.Send("226 done")),
			check:  isIntegrity(ftpclient.KindSize, 12, 5),
		},
		{
			name: "long, then 226, size known", bytes: 13, usable: true,
			script: ftptest.Steps(begin("f", size), ftptest.Exchange("RETR f", "150 go"), ftptest.Write(hello+"!"), ftptest.CloseData(), ftptest.Send("226 done")),
			check:  isIntegrity(ftpclient.KindSize, 12, 13),
		},
		{
			name: "short, then 226, size in the 150 reply", bytes: 5, usable: true,
			script: ftptest.Steps(begin("f", "500 no"), ftptest.Exchange("RETR f", "150 go (12 bytes)"), ftptest.Write(hello[:5]), ftptest.CloseData(), ftptest.Send("226 done")),
			check:  isIntegrity(ftpclient.KindAnnounced, 12, 5),
		},
		{
			name: "short, then 426", bytes: 5, usable: true,
			script: ftptest.Steps(begin("f", "550 no"), ftptest.Exchange("RETR f", "150 go"), ftptest.Write(hello[:5]), ftptest.CloseData(), ftptest.Send("426 broken")),
			check:  isReply(426),
		},
		{
			name: "whole, then 451", bytes: 12, usable: true,
			script: ftptest.Steps(begin("f", size), ftptest.Exchange("RETR f", "150 go"), ftptest.Write(hello), ftptest.CloseData(), ftptest.Send("451 broken")),
			check:  isReply(451),
		},
		{
			name: "426 while the data connection stays open", bytes: 5, usable: true,
			script: ftptest.Steps(begin("f", size), ftptest.Exchange("RETR f", "150 go"), ftptest.Write(hello[:5]), ftptest.Send("426 broken")),
			check:  isReply(426),
		},
		{
			name: "421 while the data connection stays open", bytes: 5,
			script: ftptest.Steps(begin("f", size), ftptest.Exchange("RETR f", "150 go"), ftptest.Write(hello[:5]), ftptest.Send("421 shutting down")),
			check:  isReply(421),
		},
		{
			name: "control connection closed in the middle, data connection left open", bytes: 5,
			script: ftptest.Steps(begin("f", size), ftptest.Exchange("RETR f", "150 go"), ftptest.Write(hello[:5]), ftptest.Close(), dataClosed),
			check:  is(io.ErrUnexpectedEOF),
		},
		{
			name: "control connection reset in the middle", bytes: 5,
			script: ftptest.Steps(begin("f", size), ftptest.Exchange("RETR f", "150 go"), ftptest.Write(hello[:5]), ftptest.Reset()),
			check:  is(syscall.ECONNRESET),
		},
		{
			name: "control connection closed after the data", bytes: 12,
			script: ftptest.Steps(begin("f", size), ftptest.Exchange("RETR f", "150 go"), ftptest.Write(hello), ftptest.CloseData(), ftptest.Close()),
			check:  is(io.ErrUnexpectedEOF),
		},
		{
			name: "data reset, then 226", bytes: 5, usable: true,
			script: ftptest.Steps(begin("f", size), ftptest.Exchange("RETR f", "150 go"), ftptest.Write(hello[:5]), ftptest.ResetData(), ftptest.Send("226 done")),
			check:  is(syscall.ECONNRESET),
		},
		{
			name: "data reset, then 426: both are told", bytes: 5, usable: true,
			script: ftptest.Steps(begin("f", size), ftptest.Exchange("RETR f", "150 go"), ftptest.Write(hello[:5]), ftptest.ResetData(), ftptest.Send("426 disk")),
			check:  func(err error) bool { return is(syscall.ECONNRESET)(err) && isReply(426)(err) },
		},
		{
			name: "550 instead of data", usable: true,
			script: ftptest.Steps(begin("f", "550 none"), ftptest.Exchange("RETR f", "550 none")),
			check:  isReply(550),
		},
		{
			name: "nonsense in the middle", bytes: 5,
			script: ftptest.Steps(begin("f", size), ftptest.Exchange("RETR f", "150 go"), ftptest.Write(hello[:5]), ftptest.Send("hello?")),
			check: func(err error) bool {
				var protocol *ftpclient.ProtocolError
				return errors.As(err, &protocol)
			},
		},
		{
			name: "active, 425 instead of a connection", active: true, usable: true,
			script: ftptest.Steps(ftptest.Exchange("TYPE I", "200 ok"), ftptest.Exchange("SIZE f", size), ftptest.EPRT(),
				ftptest.Exchange("RETR f", "150 go", "425 cannot connect")),
			check: isReply(425),
		},
		{
			name: "active, 421 instead of a connection", active: true,
			script: ftptest.Steps(ftptest.Exchange("TYPE I", "200 ok"), ftptest.Exchange("SIZE f", size), ftptest.EPRT(),
				ftptest.Exchange("RETR f", "150 go", "421 bye")),
			check: isReply(421),
		},
		{
			name: "active, 500 to EPRT and PORT", active: true, usable: true,
			script: ftptest.Steps(ftptest.Exchange("TYPE I", "200 ok"), ftptest.Exchange("SIZE f", size), anyLine("500 what"), anyLine("502 what")),
			check:  isReply(502),
		},
		{
			name: "EPSV and PASV refused", usable: true,
			script: ftptest.Steps(ftptest.Exchange("TYPE I", "200 ok"), ftptest.Exchange("SIZE f", size),
				ftptest.Exchange("EPSV", "522 no"), ftptest.Exchange("PASV", "502 no")),
			check: isReply(502),
		},
		{
			name: "EPSV refused for now", usable: true,
			script: ftptest.Steps(ftptest.Exchange("TYPE I", "200 ok"), ftptest.Exchange("SIZE f", size), ftptest.Exchange("EPSV", "425 no ports")),
			check:  isReply(425),
		},
		{
			name: "REST refused", usable: true,
			script: ftptest.Steps(ftptest.Exchange("TYPE I", "200 ok"), ftptest.Exchange("SIZE g", size), ftptest.EPSV(), ftptest.Exchange("REST 3", "502 no")),
			check:  isReply(502),
		},
		{
			name: "offset behind the end", usable: true,
			script: ftptest.Steps(ftptest.Exchange("TYPE I", "200 ok"), ftptest.Exchange("SIZE g", "213 2")),
			check:  isIntegrity(ftpclient.KindSize, 2, 3),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := set(t, ftptest.Login(), tt.script)
			s.cfg.Active = tt.active
			c := s.dial(t)
			path, offset := "f", int64(0)
			if strings.Contains(tt.name, "REST") || strings.Contains(tt.name, "offset") {
				path, offset = "g", 3
			}
			result, err := c.Retr(t.Context(), path, io.Discard, &ftpclient.TransferOptions{Offset: offset})
			if err == nil || !tt.check(err) {
				t.Errorf("error %v", err)
			}
			if result.Bytes != tt.bytes || result.Verified != ftpclient.VerifiedNone {
				t.Errorf("result %+v, want %d bytes", result, tt.bytes)
			}
			if c.Usable() != tt.usable {
				t.Errorf("usable: %v", !tt.usable)
			}
			c.Close()
		})
	}
}

// dataClosed waits until the client closes the data connection.
func dataClosed(s *ftptest.Session) error {
	_, _ = io.Copy(io.Discard, s.Data) // however it ends
	return nil
}

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

func isReply(code int) func(error) bool {
	return func(err error) bool {
		var refusal *ftpclient.ReplyError
		return errors.As(err, &refusal) && refusal.Code == code
	}
}

func isIntegrity(kind ftpclient.Kind, want, got int64) func(error) bool {
	return func(err error) bool {
		var integrity *ftpclient.IntegrityError
		return errors.As(err, &integrity) && *integrity == ftpclient.IntegrityError{Kind: kind, Want: want, Got: got} &&
			errors.Is(err, io.ErrUnexpectedEOF) == (got < want)
	}
}

func TestStor(t *testing.T) {
	ok := ftptest.Exchange("TYPE I", "200 ok")
	tests := []struct {
		name     string
		script   ftptest.Script
		offset   int64
		call     string // "" is Stor
		check    func(error) bool
		verified ftpclient.Verified
	}{
		{
			name: "plain", verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(ok, ftptest.EPSV(), ftptest.Exchange("STOR f", "150 go"), ftptest.Read(hello), ftptest.Send("226 done"), ftptest.Exchange("SIZE f", "213 12")),
		},
		{
			name:   "no SIZE",
			script: ftptest.Steps(ok, ftptest.EPSV(), ftptest.Exchange("STOR f", "150 go"), ftptest.Read(hello), ftptest.Send("226 done"), ftptest.Exchange("SIZE f", "500 what")),
		},
		{
			name: "offset", offset: 100, verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(ok, ftptest.EPSV(), ftptest.Exchange("REST 100", "350 ok"), ftptest.Exchange("STOR f", "150 go"), ftptest.Read(hello),
				ftptest.Send("226 done"), ftptest.Exchange("SIZE f", "213 112")),
		},
		{
			name: "append", call: "Append", verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(ok, ftptest.Exchange("SIZE f", "213 8"), ftptest.EPSV(), ftptest.Exchange("APPE f", "150 go"), ftptest.Read(hello),
				ftptest.Send("226 done"), ftptest.Exchange("SIZE f", "213 20")),
		},
		{
			name: "append to nothing", call: "Append", verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(ok, ftptest.Exchange("SIZE f", "550 none"), ftptest.EPSV(), ftptest.Exchange("APPE f", "150 go"), ftptest.Read(hello),
				ftptest.Send("226 done"), ftptest.Exchange("SIZE f", "213 12")),
		},
		{
			name: "append replaced the file", call: "Append", check: isIntegrity(ftpclient.KindStored, 20, 12),
			script: ftptest.Steps(ok, ftptest.Exchange("SIZE f", "213 8"), ftptest.EPSV(), ftptest.Exchange("APPE f", "150 go"), ftptest.Read(hello),
				ftptest.Send("226 done"), ftptest.Exchange("SIZE f", "213 12")),
		},
		{
			name: "226 for a part", check: isIntegrity(ftpclient.KindStored, 12, 5),
			script: ftptest.Steps(ok, ftptest.EPSV(), ftptest.Exchange("STOR f", "150 go"), ftptest.Read(hello), ftptest.Send("226 done"), ftptest.Exchange("SIZE f", "213 5")),
		},
		{
			name: "552 after the data", check: isReply(552),
			script: ftptest.Steps(ok, ftptest.EPSV(), ftptest.Exchange("STOR f", "150 go"), ftptest.Read(hello), ftptest.Send("552 full")),
		},
		{
			name: "552 in the middle, data connection left open", check: isReply(552),
			script: ftptest.Steps(ok, ftptest.EPSV(), ftptest.Exchange("STOR f", "150 go"), ftptest.ReadSome(3), ftptest.Send("552 full")),
		},
		{
			name: "552 before the data", check: isReply(552),
			script: ftptest.Steps(ok, ftptest.EPSV(), ftptest.Exchange("STOR f", "552 full")),
		},
		{
			name: "reset in the middle, then 226", check: is(syscall.ECONNRESET),
			script: ftptest.Steps(ok, ftptest.EPSV(), ftptest.Exchange("STOR f", "150 go"), ftptest.ReadSome(3), ftptest.ResetData(), ftptest.Send("226 done")),
		},
		{
			name: "closed in the middle, then 226", check: is(io.ErrClosedPipe),
			script: ftptest.Steps(ok, ftptest.EPSV(), ftptest.Exchange("STOR f", "150 go"), ftptest.ReadSome(3), ftptest.CloseData(), ftptest.Send("226 done")),
		},
		{
			name: "no final reply", check: is(io.ErrUnexpectedEOF),
			script: ftptest.Steps(ok, ftptest.EPSV(), ftptest.Exchange("STOR f", "150 go"), ftptest.Read(hello), ftptest.Close()),
		},
		{
			name: "control connection lost before SIZE is answered", check: is(io.ErrUnexpectedEOF),
			script: ftptest.Steps(ok, ftptest.EPSV(), ftptest.Exchange("STOR f", "150 go"), ftptest.Read(hello), ftptest.Send("226 done"), ftptest.Expect("SIZE f"), ftptest.Close()),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := play(t, tt.script)
			call := c.Stor
			if tt.call == "Append" {
				call = c.Append
			}
			result, err := call(t.Context(), "f", strings.NewReader(hello), &ftpclient.TransferOptions{Offset: tt.offset})
			switch {
			case tt.check == nil && err != nil:
				t.Fatal(err)
			case tt.check == nil && result.Bytes != int64(len(hello)):
				t.Errorf("result %+v", result)
			case tt.check != nil && (err == nil || !tt.check(err)):
				t.Errorf("error %v", err)
			}
			if result.Verified != tt.verified {
				t.Errorf("verified by %v, want %v", result.Verified, tt.verified)
			}
			c.Close()
		})
	}
}

// In active mode only the server's own host may deliver data.
func TestActiveStranger(t *testing.T) {
	var s *stage
	s = set(t, ftptest.Login(), ftptest.Exchange("TYPE I", "200 ok"), ftptest.Exchange("SIZE f", "213 12"), ftptest.EPRT(),
		ftptest.Expect("RETR f"),
		func(session *ftptest.Session) error {
			return ftptest.ConnectFrom(s.network.Host("198.51.100.9"))(session)
		},
		ftptest.Send("150 go"),
		func(session *ftptest.Session) error { // the stranger is sent away without a byte taken
			if _, err := io.WriteString(session.Data, "forged!"); err == nil {
				return errors.New("a stranger's data was read")
			}
			return nil
		},
		ftptest.Connect(), ftptest.Write(hello),
		func(session *ftptest.Session) error { // nobody else is let in meanwhile
			data := session.Data
			if err := ftptest.Connect()(session); err == nil {
				return errors.New("the listener is open during the transfer")
			}
			session.Data = data
			return nil
		},
		ftptest.CloseData(), ftptest.Send("226 done"))
	s.cfg.Active = true
	c := s.dial(t)
	var got bytes.Buffer
	if _, err := c.Retr(t.Context(), "f", &got, nil); err != nil || got.String() != hello {
		t.Errorf("got %q, %v", &got, err)
	}
	c.Close()
}

// What was learned of a server holds: EPSV, SIZE and TYPE are not tried again.
// An offset that a refused command left behind is taken back.
func TestLearned(t *testing.T) {
	retr := ftptest.Steps(ftptest.PASV("0,0,0,0"), ftptest.Exchange("RETR f", "150 go"), ftptest.Write(hello), ftptest.CloseData(), ftptest.Send("226 done"))
	c := play(t, ftptest.Exchange("TYPE I", "200 ok"), ftptest.Exchange("SIZE f", "502 what"), ftptest.Exchange("EPSV", "502 what"), retr, retr,
		ftptest.PASV("0,0,0,0"), ftptest.Exchange("REST 4", "350 ok"), ftptest.Exchange("RETR f", "550 no"),
		ftptest.PASV("0,0,0,0"), ftptest.Exchange("REST 0", "350 ok"), ftptest.Exchange("RETR f", "150 go"), ftptest.Write(hello), ftptest.CloseData(), ftptest.Send("226 done"),
		retr)
	for _, offset := range []int64{0, 0, 4, 0, 0} {
		var got bytes.Buffer
		_, err := c.Retr(t.Context(), "f", &got, &ftpclient.TransferOptions{Offset: offset})
		if offset == 0 && (err != nil || got.String() != hello) {
			t.Fatalf("got %q, %v", &got, err)
		}
	}
	c.Close()
}

// A server that knows PORT only is asked for EPRT once.
func TestLearnedActive(t *testing.T) {
	list := ftptest.Steps(ftptest.PORT(), ftptest.Exchange("LIST", "150 go"), ftptest.Connect(), ftptest.CloseData(), ftptest.Send("226 done"))
	s := set(t, ftptest.Login(), anyLine("500 what"), list, list)
	s.cfg.Active = true
	c := s.dial(t)
	for range 2 {
		if err := c.List(t.Context(), "", io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	c.Close()
}

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

func TestLists(t *testing.T) {
	send := func(command, data string) ftptest.Script {
		return ftptest.Steps(ftptest.EPSV(), ftptest.Exchange(command, "150 go"), ftptest.Write(data), ftptest.CloseData(), ftptest.Send("226 done"))
	}
	c := play(t,
		send("LIST", "-rw-r--r-- f\r\n"), send("LIST ./-R", ""), send("NLST d", "d/a\r\n b\nc"),
		send("MLSD", "type=cdir;modify=19991231235959; .\r\nType=file;Size=12;Modify=20260101000000.5;  b\r\ntype=OS.unix=slink:/x y;size=x; l"),
		send("MLSD", "type=file; a\r\nbroken\r\ntype=dir; b\r\n"),
		ftptest.Exchange("MLST f", "250-here", "  type=file;size=3; /f", "250 end"),
		ftptest.Exchange("MLST f", "250 nothing"),
		ftptest.EPSV(), ftptest.Exchange("NLST", "450 none"),
	)
	ctx := t.Context()
	var list bytes.Buffer
	if err := c.List(ctx, "", &list); err != nil || list.String() != "-rw-r--r-- f\r\n" {
		t.Errorf("list %q, %v", &list, err)
	}
	if err := c.List(ctx, "-R", io.Discard); err != nil {
		t.Error(err)
	}
	if names, err := c.NameList(ctx, "d"); err != nil || fmt.Sprintf("%q", names) != `["d/a" " b" "c"]` {
		t.Errorf("names %q, %v", names, err)
	}
	entries, err := c.MLSD(ctx, "")
	if err != nil || len(entries) != 3 {
		t.Fatalf("entries %v, %v", entries, err)
	}
	if e := entries[1]; e.Name != " b" || e.Type != ftpclient.EntryFile || e.Size != 12 || e.ModTime.Year() != 2026 || e.ModTime.Nanosecond() != 5e8 {
		t.Errorf("entry %+v", e)
	}
	if e := entries[2]; e.Name != "l" || e.Type != ftpclient.EntryLink || e.Size != -1 || e.Target != "/x y" || !e.ModTime.IsZero() {
		t.Errorf("entry %+v", e)
	}
	entries, err = c.MLSD(ctx, "")
	var protocol *ftpclient.ProtocolError
	if !errors.As(err, &protocol) || protocol.Line != "broken" || len(entries) != 2 {
		t.Errorf("entries %v, %v", entries, err)
	}
	if e, err := c.MLST(ctx, "f"); err != nil || e.Name != "/f" || e.Size != 3 {
		t.Errorf("entry %+v, %v", e, err)
	}
	if _, err := c.MLST(ctx, "f"); !errors.As(err, &protocol) {
		t.Errorf("error %v", err)
	}
	if _, err := c.NameList(ctx, ""); !isReply(450)(err) {
		t.Errorf("error %v", err)
	}
	c.Close()
}
