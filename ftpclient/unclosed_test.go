package ftpclient

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// A severed dialer's connections, but for the first, end like TLS without
// close_notify.
type severed struct {
	*ftptest.Host
	first bool
}

func (s *severed) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := s.Host.DialContext(ctx, network, address)
	if err != nil || !s.first {
		s.first = true
		return c, err
	}
	return severedConn{c}, nil
}

type severedConn struct{ net.Conn }

func (c severedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err == io.EOF {
		err = errUnclosed
	}
	return n, err
}

// Where TLS does not tell the end of a file, a size must.
func TestUnclosed(t *testing.T) {
	const hello = "hello, world"
	retrieve := func(first, data, last string) ftptest.Script {
		return ftptest.Steps(ftptest.EPSV(), ftptest.Exchange("RETR f", first), ftptest.Write(data), ftptest.CloseData(), ftptest.Send(last))
	}
	typed, sized, unsized := ftptest.Exchange("TYPE I", "200 ok"), ftptest.Exchange("SIZE f", "213 12"), ftptest.Exchange("SIZE f", "502 what")
	unlisted := ftptest.Exchange("MLST f", "502 what")
	kind := func(want IntegrityError) func(error) bool {
		return func(err error) bool {
			var integrity *IntegrityError
			return errors.As(err, &integrity) && *integrity == want && (want.Kind != KindUnclosed || errors.Is(err, io.ErrUnexpectedEOF))
		}
	}
	for name, tt := range map[string]struct {
		verify Verify
		list   bool
		size   int64 // from the caller
		script ftptest.Script
		check  func(error) bool
	}{
		"size":                   {script: ftptest.Steps(typed, sized, retrieve("150 go", hello, "226 done"))},
		"size of the caller":     {size: 12, script: ftptest.Steps(typed, retrieve("150 go", hello, "226 done"))},
		"size in the 150":        {script: ftptest.Steps(typed, unsized, retrieve("150 go (12 bytes)", hello, "226 done"))},
		"150 in vain, not asked": {verify: VerifyNone, script: ftptest.Steps(typed, retrieve("150 go (12 bytes)", hello, "226 done"))},
		"no size":                {script: ftptest.Steps(typed, unsized, retrieve("150 go", hello, "226 done"), unlisted), check: kind(IntegrityError{Kind: KindUnclosed, Want: -1, Got: 12})},
		"no size asked":          {verify: VerifyNone, script: ftptest.Steps(typed, retrieve("150 go", hello, "226 done")), check: kind(IntegrityError{Kind: KindUnclosed, Want: -1, Got: 12})},
		"short":                  {script: ftptest.Steps(typed, sized, retrieve("150 go", hello[:5], "226 done"), sized), check: kind(IntegrityError{Kind: KindUnclosed, Want: 12, Got: 5})},
		"short, and changed":     {script: ftptest.Steps(typed, sized, retrieve("150 go", hello[:5], "226 done"), ftptest.Exchange("SIZE f", "213 5")), check: kind(IntegrityError{Kind: KindChanged, Want: 12, Got: 5})},
		"short, by the 150":      {script: ftptest.Steps(typed, unsized, retrieve("150 go (12 bytes)", hello[:5], "226 done"), unlisted), check: kind(IntegrityError{Kind: KindUnclosed, Want: 12, Got: 5})},
		"426": {script: ftptest.Steps(typed, sized, retrieve("150 go", hello, "426 no")), check: func(err error) bool {
			var refusal *ReplyError
			return errors.As(err, &refusal) && refusal.Code == 426
		}},
		"hash": {verify: VerifyHash, script: ftptest.Steps(typed, ftptest.Exchange("FEAT", "211-x", " XMD5", "211 end"), unsized, retrieve("150 go", "a", "226 done"),
			ftptest.Exchange("XMD5 f", "250 "+aMD5))},
		"list": {list: true, script: ftptest.Steps(ftptest.EPSV(), ftptest.Exchange("LIST", "150 go"), ftptest.Write(hello), ftptest.CloseData(), ftptest.Send("226 done")),
			check: kind(IntegrityError{Kind: KindUnclosed, Want: -1, Got: 12})},
	} {
		t.Run(name, func(t *testing.T) {
			var network ftptest.Network
			host := network.Host("192.0.2.2")
			ln, err := host.Listen(t.Context(), "tcp", "192.0.2.2:21")
			if err != nil {
				t.Fatal(err)
			}
			server := ftptest.Serve(ln, host, ftptest.Login(), tt.script)
			c, err := Dial(t.Context(), "ftp://192.0.2.2/", &Config{Dialer: &severed{Host: network.Host("192.0.2.1")}, Verify: tt.verify})
			if err != nil {
				t.Fatal(err)
			}
			var result Result
			if tt.list {
				err = c.List(t.Context(), "", io.Discard)
			} else {
				result, err = c.Retr(t.Context(), "f", io.Discard, &TransferOptions{Size: tt.size})
			}
			switch {
			case tt.check == nil && (err != nil || !result.Unclosed || result.Verified == VerifiedNone):
				t.Errorf("%+v, %v", result, err)
			case tt.check != nil && (err == nil || !tt.check(err) || result.Unclosed):
				t.Errorf("%+v, error %v", result, err)
			}
			if err := errors.Join(c.Close(), server.Wait()); err != nil {
				t.Error(err)
			}
		})
	}
}
