package ftpclient_test

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

var leapDay = time.Date(2020, 2, 29, 13, 34, 56, 789, time.FixedZone("", 3600))

// What is set, in the dialogues of different servers.
func TestSetDialogues(t *testing.T) {
	chmod := func(c *ftpclient.Conn, t *testing.T) error {
		return c.Chmod(t.Context(), "d/a b", 0o640|fs.ModeSetuid|fs.ModeDir)
	}
	modtime := func(c *ftpclient.Conn, t *testing.T) error { return c.SetModTime(t.Context(), "d/a b", leapDay) }
	created := func(c *ftpclient.Conn, t *testing.T) error { return c.SetCreateTime(t.Context(), "d/a b", leapDay) }
	unimplemented := func(line string) ftptest.Script { return ftptest.Exchange(line, "500 what") }
	const (
		mfmt  = "MFMT 20200229123456 d/a b"
		utime = "SITE UTIME 20200229123456 d/a b"
		long  = "SITE UTIME d/a b 20200229123456 20200229123456 20200229123456 UTC"
	)
	for name, test := range map[string]struct {
		call   func(c *ftpclient.Conn, t *testing.T) error
		script []ftptest.Script
		check  func(err error) bool
	}{
		"MFF": {chmod, []ftptest.Script{
			feat("MFF modify;UNIX.group;UNIX.mode;"),
			ftptest.Exchange("MFF UNIX.mode=4640; d/a b", "213 UNIX.mode=4640; d/a b"),
		}, nil},
		"MFF of which the mode is not one": {chmod, []ftptest.Script{
			feat("MFF modify;UNIX.group;"), ftptest.Exchange("SITE CHMOD 4640 d/a b", "200 done"),
		}, nil},
		"MFF that sets another mode": {chmod, []ftptest.Script{
			feat("MFF unix.mode;"), ftptest.Exchange("MFF UNIX.mode=4640; d/a b", "213 UNIX.mode=0640; d/a b"),
		}, isA[*ftpclient.ProtocolError]},
		"MFF refused as a parameter": {chmod, []ftptest.Script{ // proftpd, of another's file
			feat("MFF UNIX.mode;"), ftptest.Exchange("MFF UNIX.mode=4640; d/a b", "501 Operation not permitted"),
			ftptest.Exchange("SITE CHMOD 4640 d/a b", "550 Operation not permitted"),
		}, refused(550)},
		"MFF refused as a parameter, and all there is": {chmod, []ftptest.Script{
			feat("MFF UNIX.mode;"), ftptest.Exchange("MFF UNIX.mode=4640; d/a b", "501 Operation not permitted"),
			ftptest.Exchange("SITE CHMOD 4640 d/a b", "500 what"),
		}, refused(501)},
		"no FEAT": {chmod, []ftptest.Script{
			ftptest.Exchange("FEAT", "502 what"), ftptest.Exchange("SITE CHMOD 4640 d/a b", "200 done"),
		}, nil},
		"no chmod": {chmod, []ftptest.Script{
			feat(), ftptest.Exchange("SITE CHMOD 4640 d/a b", "504 what"),
		}, unsupported(504)},
		"superfluous chmod": {chmod, []ftptest.Script{ // which does nothing
			feat(), ftptest.Exchange("SITE CHMOD 4640 d/a b", "202 superfluous"),
		}, unsupported(202)},
		"MFMT": {modtime, []ftptest.Script{
			feat("MFMT"), ftptest.Exchange(mfmt, "213 Modify=20200229123456; d/a b"),
		}, nil},
		"MFMT of a coarse clock": {modtime, []ftptest.Script{
			feat("MFMT"), ftptest.Exchange(mfmt, "213 modify=20200229123455.5; d/a b"),
		}, nil},
		"MFMT that does not say": {modtime, []ftptest.Script{
			feat("MFMT"), ftptest.Exchange(mfmt, "213 UTIME OK"),
		}, nil},
		"MFMT that sets another time": {modtime, []ftptest.Script{
			feat("MFMT"), ftptest.Exchange(mfmt, "213 Modify=20200229113456; d/a b"),
		}, isA[*ftpclient.ProtocolError]},
		"MFMT with garbage": {modtime, []ftptest.Script{
			feat("MFMT"), ftptest.Exchange(mfmt, "213 Modify=20200230123456;\xff\x01"),
		}, isA[*ftpclient.ProtocolError]},
		"MFMT refused": {modtime, []ftptest.Script{
			feat("MFMT"), ftptest.Exchange(mfmt, "550 d/a b: No such file or directory"),
		}, func(err error) bool { return refused(550)(err) && errors.Is(err, fs.ErrNotExist) }},
		"UTIME": {modtime, []ftptest.Script{
			feat(), unimplemented(mfmt), ftptest.Exchange(utime, "200 done"),
			ftptest.Exchange("MDTM d/a b", "213 20200229123456"),
		}, nil},
		"UTIME in its own zone, and then the other": {modtime, []ftptest.Script{
			feat(), unimplemented(mfmt), ftptest.Exchange(utime, "200 done"),
			ftptest.Exchange("MDTM d/a b", "213 20200229113456"),
			ftptest.Exchange(long, "200 done"), ftptest.Exchange("MDTM d/a b", "213 20200229123456"),
		}, nil},
		"UTIME with the name first": {modtime, []ftptest.Script{
			feat(), unimplemented(mfmt), ftptest.Exchange(utime, "501 what"),
			ftptest.Exchange(long, "200 done"), ftptest.Exchange("MDTM d/a b", "550 no"),
		}, nil},
		"MDTM that FEAT tells of": {modtime, []ftptest.Script{
			feat("MDTM YYYYMMDDHHMMSS[+-TZ];filename"), unimplemented(mfmt), unimplemented(utime), unimplemented(long),
			ftptest.Exchange("MDTM 20200229123456 d/a b", "213 set"), ftptest.Exchange("MDTM d/a b", "213 20200229123456"),
		}, nil},
		"no times": {modtime, []ftptest.Script{
			feat(), unimplemented(mfmt), unimplemented(utime), unimplemented(long),
		}, unsupported(500)},
		"MFCT": {created, []ftptest.Script{
			ftptest.Exchange("MFCT 20200229123456 d/a b", "213 Create=20200229123456; d/a b"),
		}, nil},
		"no MFCT": {created, []ftptest.Script{
			ftptest.Exchange("MFCT 20200229123456 d/a b", "500 what"),
		}, unsupported(500)},
	} {
		t.Run(name, func(t *testing.T) {
			c := play(t, test.script...)
			err := test.call(c, t)
			if test.check == nil && err != nil || test.check != nil && !test.check(err) {
				t.Errorf("error %v", err)
			}
			if c.Usable() != true {
				t.Error("the Conn is not usable")
			}
			_ = c.Close()
		})
	}
}

func isA[E error](err error) bool {
	var target E
	return errors.As(err, &target)
}

func refused(code int) func(error) bool {
	return func(err error) bool {
		var refusal *ftpclient.ReplyError
		return errors.As(err, &refusal) && refusal.Code == code && !errors.Is(err, errors.ErrUnsupported)
	}
}

func unsupported(code int) func(error) bool {
	return func(err error) bool {
		var refusal *ftpclient.ReplyError
		return errors.As(err, &refusal) && refusal.Code == code && errors.Is(err, errors.ErrUnsupported)
	}
}

// Only an answer that tells the time that was set proves a command, neither a refusal
// nor MDTM that tells nothing of a directory; from then on it is believed.
func TestSetModTimeProven(t *testing.T) {
	const stamp = "20200229123456"
	for name, first := range map[string]struct {
		script ftptest.Script
		check  func(error) bool
	}{
		"not by a refusal": {ftptest.Exchange("SITE UTIME "+stamp+" a", "550 not yours"), refused(550)},
		"not by nothing told": {ftptest.Steps(ftptest.Exchange("SITE UTIME "+stamp+" a", "200 done"),
			ftptest.Exchange("MDTM a", "550 a directory")), isNil},
	} {
		t.Run(name, func(t *testing.T) {
			c := play(t, feat(), ftptest.Exchange("MFMT "+stamp+" a", "500 what"), first.script,
				ftptest.Exchange("SITE UTIME "+stamp+" b", "200 done"), ftptest.Exchange("MDTM b", "213 20200229133456"),
				ftptest.Exchange("SITE UTIME b "+strings.Repeat(stamp+" ", 3)+"UTC", "200 done"), ftptest.Exchange("MDTM b", "213 "+stamp),
				ftptest.Exchange("SITE UTIME c "+strings.Repeat(stamp+" ", 3)+"UTC", "200 done"), ftptest.Exchange("NOOP", "200 here"))
			for i, check := range []func(error) bool{first.check, isNil, isNil} {
				if err := c.SetModTime(t.Context(), "abc"[i:i+1], leapDay); !check(err) {
					t.Errorf("file %d: error %v", i, err)
				}
			}
			if err := c.Noop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// What cannot be sent, or would mean something else, is not sent.
func TestSetArguments(t *testing.T) {
	c := play(t, feat(), ftptest.Exchange("SITE CHMOD 644 ./ x", "200 done"))
	if err := c.Chmod(t.Context(), " x", 0o644); err != nil { // not the file x
		t.Error(err)
	}
	for _, path := range []string{"", "a\nDELE b", "a\r", "a\x00"} {
		for _, err := range []error{
			c.Chmod(t.Context(), path, 0), c.SetModTime(t.Context(), path, leapDay), c.SetCreateTime(t.Context(), path, leapDay),
		} {
			if !isA[*ftpclient.ArgumentError](err) {
				t.Errorf("%q: %v", path, err)
			}
		}
	}
	if err := c.SetModTime(t.Context(), "x", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)); !isA[*ftpclient.ArgumentError](err) {
		t.Error(err)
	}
}

// What a server does not have is asked for once, by all connections of a Client.
func TestLackingOnce(t *testing.T) {
	f := &field{Site: &ftptest.Site{Greeting: "(vsFTPd 3.0.3)", Features: []string{"MDTM"}, Refuse: map[string]string{
		"MFMT": "500 Unknown command.", "SITE": "550 Permission denied.",
		"MDTM 20200229123456 x": "550 Could not get file modification time.",
	}}}
	c := f.open(t)
	for range 2 {
		err := c.Do(t.Context(), func(conn *ftpclient.Conn) error {
			for range 2 {
				if err := conn.SetModTime(t.Context(), "x", leapDay); !unsupported(550)(err) {
					t.Errorf("SetModTime: %v", err)
				}
				if err := conn.Chmod(t.Context(), "x", 0o600); !unsupported(550)(err) {
					t.Errorf("Chmod: %v", err)
				}
			}
			return c.Do(t.Context(), func(conn *ftpclient.Conn) error { // on another connection
				if err := conn.Chmod(t.Context(), "x", 0o600); !errors.Is(err, errors.ErrUnsupported) {
					t.Errorf("Chmod: %v", err)
				}
				return conn.Noop(t.Context())
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	log := slices.DeleteFunc(f.Log(), func(line string) bool {
		return !strings.HasPrefix(line, "MF") && !strings.HasPrefix(line, "SITE") && !strings.HasPrefix(line, "MDTM")
	})
	want := []string{
		"MFMT 20200229123456 x", "SITE UTIME 20200229123456 x",
		"SITE UTIME x 20200229123456 20200229123456 20200229123456 UTC", "MDTM 20200229123456 x", "SITE CHMOD 600 x",
	}
	if !slices.Equal(log, want) {
		t.Errorf("sent %q, want %q", log, want)
	}
}

// Only words say that there is nothing of a name.
func TestNotExist(t *testing.T) {
	for _, test := range []struct {
		command string
		code    int
		text    string
		want    bool
	}{
		{"DELE x", 550, "x: No such file or directory", true},
		{"RMD x", 550, "The system cannot find the file specified. ", true},
		{"DELE x", 550, "Delete operation failed.", false},
		{"RNFR x", 550, "Sorry, but that file doesn't exist", false}, // pure-ftpd, of what it must not read
		{"DELE x", 450, "x: No such file or directory", false},
		{"SIZE x", 550, "x: No such file or directory", false},
		{"DELE no such file", 550, "no such file: Permission denied", false},
	} {
		err := &ftpclient.ReplyError{Code: test.code, Text: test.text, Command: test.command}
		if errors.Is(err, fs.ErrNotExist) != test.want {
			t.Errorf("%s: %v", test.command, err)
		}
	}
}

// Whether times can be set is told by what a server is known for, or says of itself.
func TestSetsModTime(t *testing.T) {
	for name, test := range map[string]struct {
		greeting string
		features []string
		want     bool
	}{
		"nothing":       {"", []string{"MDTM", "SITE MKDIR"}, false},
		"MFMT":          {"", []string{"MFMT"}, true},
		"SITE UTIME":    {"", []string{"SITE MKDIR", "SITE UTIME"}, true},
		"MDTM":          {"", []string{"MDTM YYYYMMDDHHMMSS[+-TZ];filename"}, true},
		"by its kind":   {"(vsFTPd 3.0.5)", []string{"MDTM"}, true},
		"another's way": {"ProFTPD", []string{"MDTM"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := &field{Site: &ftptest.Site{Greeting: test.greeting, Features: test.features}}
			err := f.open(t).Do(t.Context(), func(c *ftpclient.Conn) error {
				got, err := c.SetsModTime(t.Context())
				if got != test.want {
					t.Errorf("is %v", got)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}
