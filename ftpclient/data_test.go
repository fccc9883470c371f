package ftpclient_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

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
	c := play(t, ftptest.Exchange("TYPE I", "200 ok"), ftptest.Exchange("SIZE f", "502 what"), ftptest.Exchange("EPSV", "502 what"), retr, ftptest.Exchange("MLST f", "502 what"), retr,
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
