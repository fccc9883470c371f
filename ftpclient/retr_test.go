package ftpclient_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"

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
			script: ftptest.Steps(begin("f", "550 no"), ftptest.Exchange("RETR f", "150 go"), ftptest.Write(hello), ftptest.CloseData(), ftptest.Send("226 done"),
				ftptest.Exchange("MLST f", "550 no")),
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
			script: ftptest.Steps(begin("f", size), ftptest.Exchange("RETR f", "150 go"), ftptest.Write(hello[:5]), ftptest.CloseData(), ftptest.Send("226 done"), ftptest.Exchange("SIZE f", size)),
			check:  isIntegrity(ftpclient.KindSize, 12, 5),
		},
		{
			name: "long, then 226, size known", bytes: 13, usable: true,
			script: ftptest.Steps(begin("f", size), ftptest.Exchange("RETR f", "150 go"), ftptest.Write(hello+"!"), ftptest.CloseData(), ftptest.Send("226 done"), ftptest.Exchange("SIZE f", size)),
			check:  isIntegrity(ftpclient.KindSize, 12, 13),
		},
		{
			name: "short, then 226, size in the 150 reply", bytes: 5, usable: true,
			script: ftptest.Steps(begin("f", "500 no"), ftptest.Exchange("RETR f", "150 go (12 bytes)"), ftptest.Write(hello[:5]), ftptest.CloseData(), ftptest.Send("226 done"), ftptest.Exchange("MLST f", "502 no")),
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
