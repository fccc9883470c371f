package ftpclient_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// The name of the host goes with USER, and is as good as the server's word for it.
func TestVirtualHost(t *testing.T) {
	for _, tt := range []struct {
		reply    string
		lockstep bool
		code     int // of the error, or 0
	}{
		{"220 that is me", false, 0},
		{"220 that is me", true, 0},
		{"500 what", false, 500},
		{"502 no", true, 502},
		{"530 who are you", false, 530},
		{"504 not here", false, 504},
		{"504 not here", true, 504},
		{"501 no name", false, 501},
		{"503 too late", false, 503},
		{"450 not now", false, 450},
	} {
		t.Run(fmt.Sprint(tt.reply, tt.lockstep), func(t *testing.T) {
			script := ftptest.Steps(
				ftptest.Send("220 ready"), ftptest.Expect("HOST ftp.example.com"), ftptest.Expect("USER anonymous"),
				ftptest.Send(tt.reply, "331 who are you"),
			)
			if tt.lockstep {
				script = ftptest.Steps(ftptest.Send("220 ready"), ftptest.Exchange("HOST ftp.example.com", tt.reply), ftptest.Exchange("USER anonymous", "331 who are you"))
			}
			if tt.code == 0 {
				script = ftptest.Steps(script, ftptest.Exchange("PASS anonymous@", "230 in"))
			}
			s := set(t, script)
			s.cfg.VirtualHost = "ftp.example.com"
			if tt.lockstep {
				s.cfg.Ahead = -1
			}
			c, err := ftpclient.Dial(t.Context(), serverURL, &s.cfg)
			if err == nil {
				c.Close()
			}
			var refusal *ftpclient.ReplyError
			switch {
			case tt.code == 0 && err != nil:
				t.Error(err)
			case tt.code != 0 && (!errors.As(err, &refusal) || refusal.Code != tt.code || refusal.Command != "HOST ftp.example.com"):
				t.Errorf("error %v", err)
			}
		})
	}
}

// A name that would be two commands is not sent.
func TestVirtualHostInjected(t *testing.T) {
	s := set(t, ftptest.Send("220 ready"))
	s.cfg.VirtualHost = "x\r\nDELE y"
	if _, err := ftpclient.Dial(t.Context(), serverURL, &s.cfg); !isA[*ftpclient.ArgumentError](err) {
		t.Errorf("error %v", err)
	}
}

// Under explicit TLS the name goes before AUTH, and once more where nobody reads it.
func TestVirtualHostTLS(t *testing.T) {
	g := guard(t, ftpclient.Explicit, func(g *guarded) { g.Refuse = map[string]string{"HOST": "220 that is me"} })
	g.cfg.VirtualHost = "ftp.example.com"
	c := g.dial(t)
	if err := c.Noop(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{"HOST ftp.example.com", "AUTH TLS", "PBSZ 0", "PROT P", "HOST ftp.example.com", "USER anonymous", "PASS anonymous@", "NOOP"}
	if log := g.Log(); !slices.Equal(log, want) {
		t.Errorf("sent %q", log)
	}
}

// What the server is told of goes ahead of the next command, and whatever it says to
// that is passed over.
func TestPreface(t *testing.T) {
	for name, ahead := range map[string]int{"ahead": 0, "lockstep": -1} {
		t.Run(name, func(t *testing.T) {
			feat := []string{"211-have", " UTF8", " MLST Type*;Size;modify*;perm;UNIX.mode;media-type*;", "211 end"}
			script := []ftptest.Script{
				ftptest.Login(),
				ftptest.Expect("CLNT xftp 1"), ftptest.Expect("FEAT"), ftptest.Send("500 what"), ftptest.Send(feat...),
				ftptest.Expect("OPTS UTF8 ON"), ftptest.Expect("OPTS MLST Type;Size;modify;UNIX.mode;media-type;"), ftptest.Expect("NOOP"),
				ftptest.Send("501-no", "501 never", "200 MLST OPTS", "200 noop"),
			}
			if ahead < 0 {
				script = []ftptest.Script{
					ftptest.Login(),
					ftptest.Exchange("CLNT xftp 1", "500 what"), ftptest.Exchange("FEAT", feat...),
					ftptest.Exchange("OPTS UTF8 ON", "501 never"), ftptest.Exchange("OPTS MLST Type;Size;modify;UNIX.mode;media-type;", "200 MLST OPTS"),
					ftptest.Exchange("NOOP", "200 noop"),
				}
			}
			s := set(t, append(script, ftptest.Exchange("PWD", `257 "/"`))...)
			s.cfg.ClientName, s.cfg.Ahead = "xftp 1", ahead
			c := s.dial(t)
			if f, err := c.Features(t.Context()); err != nil || !f.Has("UTF8") {
				t.Fatalf("features %v, %v", f, err)
			}
			if err := c.Noop(t.Context()); err != nil || !c.Usable() {
				t.Errorf("error %v", err)
			}
			if dir, err := c.WorkingDir(t.Context()); err != nil || dir != "/" {
				t.Errorf("in %q, %v", dir, err)
			}
		})
	}
}

// A server whose facts are all on, or off without need, is not asked for them. 421 to
// what nobody waits for is still the end.
func TestPrefaceEnds(t *testing.T) {
	c := play(t,
		ftptest.Exchange("FEAT", "211-have", " MLST type*;size*;perm;", "211 end"), ftptest.Exchange("NOOP", "200 ok"),
		ftptest.Exchange("SITE x", "200 ok"), // which may have changed anything
		ftptest.Exchange("FEAT", "211-have", " UTF8", "211 end"), ftptest.Expect("OPTS UTF8 ON"), ftptest.Expect("NOOP"), ftptest.Send("421 enough"),
	)
	for range 2 {
		if _, err := c.Features(t.Context()); err != nil {
			t.Fatal(err)
		}
		err := c.Noop(t.Context())
		if err == nil {
			_, err = c.Command(t.Context(), "SITE x")
		}
		if err != nil && !isReply(421)(err) {
			t.Errorf("error %v", err)
		}
	}
	if c.Usable() {
		t.Error("usable after 421")
	}
}

// What one connection of a Client has found out, the others tell of too, at the cost
// of no round trip; nothing comes between a transfer and its replies.
func TestPrefaceOfClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &field{Site: &ftptest.Site{Files: files(40), Features: []string{"UTF8", "MDTM"}}}
		f.cfg.ClientName = "tester"
		c := f.open(t)
		err := c.Do(t.Context(), func(conn *ftpclient.Conn) error {
			_, err := conn.Features(t.Context())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.fetch(t.Context(), c, false, 3); err != nil {
			t.Fatal(err)
		}
		f.check(t, nil)
		told := make(map[string]int)
		for _, line := range f.Log() {
			if verb, _, _ := strings.Cut(line, " "); verb == "OPTS" || verb == "CLNT" || verb == "FEAT" {
				told[line]++
			}
		}
		// The first has nothing more to tell if the others leave it no file.
		n, options := f.Sessions(), told["OPTS UTF8 ON"]
		if n < 2 || len(told) != 3 || told["FEAT"] != 1 || told["CLNT tester"] != n || options < n-1 || options > n {
			t.Errorf("%d sessions, told %v", n, told)
		}
	})
}
