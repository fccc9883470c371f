package ftpclient_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// How to ask is settled once; each answer is judged on its own.
func TestHash(t *testing.T) {
	c := play(t, feat("HASH MD5*;SHA-256"), ftptest.Exchange("OPTS HASH SHA-256", "200 SHA-256"),
		ftptest.Exchange("HASH a b", "213 SHA-256 0-12 "+sha256Of(hello)+" a b"),
		ftptest.Exchange("HASH f", "550 no such file"),
		ftptest.Exchange("HASH f", "213 later"),
		ftptest.Exchange("HASH f", "213 SHA-256 0-1 "+strings.ToUpper(sha256Of("x"))+" f"))
	sum, err := c.Hash(t.Context(), "a b")
	if err != nil || sum != (ftpclient.Sum{Algorithm: "SHA-256", Hex: sha256Of(hello)}) {
		t.Errorf("%v, %v", sum, err)
	}
	h := sum.New()
	_, _ = io.WriteString(h, hello)
	if !sum.Equal(h) {
		t.Error("another hash than that of the bytes")
	}
	_, _ = io.WriteString(h, "!")
	if sum.Equal(h) {
		t.Error("the hash of other bytes")
	}
	if _, err := c.Hash(t.Context(), "f"); !isReply(550)(err) {
		t.Errorf("error %v", err)
	}
	if sum, err := c.Hash(t.Context(), "f"); !isProtocol(err) || sum != (ftpclient.Sum{}) {
		t.Errorf("%v, %v", sum, err)
	}
	if sum, err := c.Hash(t.Context(), "f"); err != nil || sum.String() != "SHA-256:"+sha256Of("x") {
		t.Errorf("%v, %v", sum, err)
	}
	var argument *ftpclient.ArgumentError
	if _, err := c.Hash(t.Context(), "a\r\nDELE b"); !errors.As(err, &argument) {
		t.Errorf("error %v", err)
	}
	c.Close()
}

func TestNoHash(t *testing.T) {
	c := play(t, feat("SIZE", "HASH WHIRLPOOL*"))
	if _, err := c.Hash(t.Context(), "f"); !errors.Is(err, ftpclient.ErrNoHash) {
		t.Errorf("error %v", err)
	}
	c.Close()
}

func TestClientHash(t *testing.T) {
	f := &field{Site: &ftptest.Site{Features: []string{"XMD5"}, Refuse: map[string]string{`XMD5 "a b"`: "250 " + md5Of(hello)}}}
	c := f.open(t)
	if sum, err := c.Hash(t.Context(), "a b"); err != nil || sum != (ftpclient.Sum{Algorithm: "MD5", Hex: md5Of(hello)}) {
		t.Errorf("%v, %v", sum, err)
	}
}

// A server may take longer to hash a large file than to answer.
func TestHashPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 160 << 20 // ten seconds' worth
		s := set(t, ftptest.Login(), typeI, feat("XMD5"), ftptest.Exchange("SIZE f", "213 167772160"), ftptest.EPSV(),
			ftptest.Exchange("RETR f", "150 go"), zeros(size), ftptest.CloseData(), ftptest.Send("226 done"),
			ftptest.Expect("XMD5 f"), ftptest.Pause(patience+9*time.Second), ftptest.Send("250 "+md5Of("x")),
			ftptest.Expect("SIZE f"), hang)
		s.cfg.Timeout, s.cfg.Verify = patience, ftpclient.VerifyHash
		c := s.dial(t)
		var integrity *ftpclient.IntegrityError
		if _, err := c.Retr(t.Context(), "f", io.Discard, nil); !errors.As(err, &integrity) || integrity.Kind != ftpclient.KindHash {
			t.Errorf("error %v", err)
		}
		begun := time.Now()
		_, err := c.Size(t.Context(), "f")
		isTimeout(t, err, ftpclient.StepReply, begun, patience)
		c.Close()
	})
}

// zeros sends n of them.
func zeros(n int64) ftptest.Script {
	return func(s *ftptest.Session) error {
		_, err := io.CopyN(s.Data, zeroReader{}, n)
		return err
	}
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }
