package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A file that changes while it is sent is an error, and gets no name: nobody knows of
// what it was made. That of standard input is what it reads.
func TestPutChanging(t *testing.T) {
	const size = 5_000_000
	grow := func(path string) error {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = f.WriteString("more")
		return err
	}
	shrink := func(path string) error { return os.Truncate(path, size-1) }
	rewrite := func(path string) error {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = f.WriteAt([]byte("other"), size-10)
		return err
	}
	replace := func(path string) error { // which what is open does not notice
		if err := os.WriteFile(path+".new", []byte("another one"), 0o644); err != nil {
			return err
		}
		return os.Rename(path+".new", path)
	}
	const (
		bytesText = "the file changed meanwhile: it had "
		timeText  = "the file changed meanwhile: it was of "
	)
	for _, tt := range []struct {
		name   string
		change func(string) error
		args   string // FILE and URL stand for what they say
		says   string // the error, or "" for none
	}{
		{"grown", grow, "put FILE URL", bytesText},
		{"shrunk", shrink, "put FILE URL", bytesText},
		{"rewritten", rewrite, "put FILE URL", timeText},
		{"replaced", replace, "put FILE URL", ""},
		{"in segments", rewrite, "put -n 4 FILE URL", timeText},
		{"one of several", rewrite, "put FILE other URL", timeText},
		{"tried again", rewrite, "put --retries 2 FILE URL", timeText},
		{"continued", rewrite, "put -c FILE URL", timeText},
		{"in place", rewrite, "put --inplace FILE URL", timeText},
		{"standard input", grow, "put - URLfile", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCrash(t, crashKind{upload: true, size: size}, rand.New(rand.NewPCG(1, 2)))
			faults := []string{"narrow"}
			if tt.name == "tried again" {
				faults = append(faults, "drop=1")
			}
			s, err := startServer(c.root, faults)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.stop)
			c.place(s.url(), "/file", c.root)
			c.begin()
			if err := os.WriteFile(filepath.Join(c.dir, "other"), []byte("other"), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.RemoveAll(c.target); err != nil {
				t.Fatal(err)
			}
			if tt.name == "continued" {
				c.killHeld(s, newGate(true, 2_000_000, 2_000_000), false, c.args(false)...)
				if c.kept().bytes() < 2_000_000 {
					t.Fatalf("kept %v", c.kept())
				}
			}
			g := newGate(true, 2_500_000, 2_500_000)
			s.gate.Store(g)
			args := strings.NewReplacer("FILE", c.source, "URL", s.url()+"/").Replace(tt.args)
			r := c.startWith(c.source, strings.Fields(args)...)
			<-g.reached
			if err := tt.change(c.source); err != nil {
				t.Fatal(err)
			}
			g.passes = true
			g.open()
			code := r.wait(t)
			said := r.stderr.String()
			got, _ := os.ReadFile(c.target) // it need not be there
			switch {
			case tt.says == "" && (code != exitOK || strings.Contains(said, "xftp:") || tt.name == "replaced" && !bytes.Equal(got, c.data)):
				t.Errorf("exit code %d, %d bytes there\n%s", code, len(got), said)
			case tt.says != "" && (code != exitTransfer || !strings.Contains(said, ": "+tt.says)):
				t.Errorf("exit code %d\n%s", code, said)
			case tt.says != "" && tt.name == "in place":
				if !strings.Contains(said, "hint: file on the server may not be whole") {
					t.Errorf("said:\n%s", said)
				}
			case tt.says != "":
				if left := strings.Join(names(c.root), " "); left != "" && left != "other" {
					t.Errorf("on the server: %s\n%s", left, said)
				}
				if c.kept().bytes() > 0 {
					t.Error("there is a record of it")
				}
			}
		})
	}
}

// Killed before the server has begun with the new file, an upload is not continued behind
// what it holds of the old one, although that ends in the same bytes.
func TestPutKilledBeforeFirstByte(t *testing.T) {
	c := newCrash(t, crashKinds[2], rand.New(rand.NewPCG(1, 2)))
	s, err := startServer(c.root, []string{"nodele"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	for _, resume := range []bool{true, false} {
		c.place(s.url(), "/file", c.root)
		c.begin()
		kill := func(at int64, resume bool) {
			t.Helper()
			if code, stderr := c.killHeld(s, newGate(true, at, at), false, c.args(resume)...); code != -1 {
				t.Fatalf("exit code %d\n%s", code, stderr)
			}
		}
		kill(2_000_000, false)
		if n := c.kept().bytes(); n < 2_000_000 {
			t.Fatalf("%d bytes are kept", n)
		}
		c.data[0]++
		c.when = c.when.Add(time.Hour)
		c.write()
		kill(0, resume)
		r := c.start(c.args(true)...)
		if code := r.wait(t); code != exitOK || !strings.Contains(r.stderr.String(), "starts again") {
			t.Errorf("exit code %d\n%s", code, r.stderr.String())
		}
		c.expect(c.data)
		c.nothingLeft()
	}
}

// newUploadCrash returns an upload to a server that does everything right.
func newUploadCrash(t *testing.T) (*crash, *testServer) {
	t.Helper()
	c := newCrash(t, crashKinds[2], rand.New(rand.NewPCG(1, 2)))
	s, err := startServer(c.root, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	c.place(s.url(), "/file", c.root)
	c.begin()
	return c, s
}

// Of standard input nothing is recorded, also where it is a file, a large one, or where
// there is one that is called -: what could continue it nobody knows.
func TestPutStdinKilled(t *testing.T) {
	c, s := newUploadCrash(t)
	if err := os.Link(c.source, filepath.Join(c.dir, "-")); err != nil {
		t.Fatal(err)
	}
	c.start = func(args ...string) *running { return c.startWith(c.source, args...) }
	for _, args := range [][]string{{"put", "-", c.url}, {"put", "-n", "4", "-", c.url}} {
		g := newGate(true, 2_000_000, 2_000_000)
		if code, stderr := c.killHeld(s, g, false, args...); code != -1 {
			t.Fatalf("exit code %d\n%s", code, stderr)
		}
		if records := names(filepath.Join(c.state, "xftp", "uploads")); len(records) > 0 {
			t.Errorf("%v: recorded: %v", args, records)
		}
	}
	r := c.start("put", "-c", "-", c.url)
	if code := r.wait(t); code != exitUsage {
		t.Errorf("exit code %d\n%s", code, r.stderr.String())
	}
}

// What a server has not yet written of an upload that was killed does not get into the
// next one, of another file.
func TestPutKilledLate(t *testing.T) {
	c := newCrash(t, crashKinds[2], rand.New(rand.NewPCG(1, 2)))
	s, err := startServer(c.root, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	for _, resume := range []bool{true, false} {
		c.place(s.url(), "/file", c.root)
		c.begin()
		g := newGate(true, 1_500_000, 1_500_000)
		g.passes = true
		s.gate.Store(g)
		r := c.start(c.args(false)...)
		<-g.reached
		_ = r.Process.Kill()
		r.wait(t)
		s.gate.Store(nil)
		c.data = c.bytes(c.kind.size)
		c.when = c.when.Add(time.Hour)
		c.write()
		r = c.start(c.args(resume)...)
		code := r.wait(t)
		g.open()
		if code != exitOK {
			t.Errorf("exit code %d\n%s", code, r.stderr.String())
		}
		c.expect(c.data)
		c.nothingLeft()
	}
}

// A server may lock what it writes as long as it waits for an upload whose end it has not
// heard of: over AF_XDP nobody tells it that xftp was killed.
func TestPutLocked(t *testing.T) {
	if os.Getenv("XFTP_LONG") != "1" {
		t.Skip("waits 5 seconds: set XFTP_LONG=1, as make test does")
	}
	t.Parallel()
	c, s := newUploadCrash(t)
	c.killHeld(s, newGate(true, 2_000_000, 2_000_000), false, c.args(false)...)
	g := newGate(false, 0, 0) // nobody may read it
	s.gate.Store(g)
	r := c.start(append(c.args(true), "--timeout", "5s")...)
	code := r.wait(t)
	g.open()
	s.gate.Store(nil)
	if said := r.stderr.String(); code != exitTransfer || !strings.Contains(said, "hint: the server may still be waiting for an upload that was broken off; in some minutes continue with: xftp put -c ") {
		t.Errorf("exit code %d\n%s", code, said)
	}
	r = c.start(c.args(true)...)
	if code := r.wait(t); code != exitOK {
		t.Errorf("exit code %d\n%s", code, r.stderr.String())
	}
	c.expect(c.data)
	c.nothingLeft()
}
