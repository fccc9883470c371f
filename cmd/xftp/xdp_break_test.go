package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// awaitPart waits until the part of file has more bytes than that.
func (b *bench) awaitPart(file string, bytes int64) {
	b.t.Helper()
	part := filepath.Join(b.dir, "."+file+".xftp-part")
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		if info, err := os.Stat(part); err == nil && info.Size() > bytes {
			return
		}
		if b.t.Context().Err() != nil {
			b.t.Fatal("no part")
		}
	}
}

// broken checks that a run failed as a transfer does: one error that matches,
// the part kept, nothing under the final name, no program left.
func (b *bench) broken(r *running, text string) {
	b.t.Helper()
	if code := r.wait(b.t); code != exitTransfer || !strings.Contains(r.stderr.String(), text) {
		b.t.Errorf("exit code %d, stderr, want %q:\n%s", code, text, r.stderr.String())
	}
	b.t.Log(r.stderr.String())
	if _, err := os.Stat(filepath.Join(b.dir, "endless")); err == nil {
		b.t.Error("the file is there under its name")
	}
	if _, err := os.Stat(filepath.Join(b.dir, ".endless.xftp-part")); err != nil {
		b.t.Error(err)
	}
	b.noProgram()
}

// TestXDPBroken breaks transfers over AF_XDP in the middle: the link goes down
// for a moment, for good, and the server dies. What can go on does, the rest
// fails cleanly and is continued.
func TestXDPBroken(t *testing.T) {
	b, want := newLargeBench(t, 1e9)
	b.endless("endless")
	url := b.ftp.URL("endless")
	setLink := func(up bool) {
		if err := b.lab.Client.SetLink(up); err != nil {
			t.Fatal(err)
		}
	}

	r := b.start("get", b.ftp.URL("file"), "-o", "flap")
	b.awaitPart("flap", 0)
	setLink(false)
	setLink(true)
	if code := r.wait(t); code != 0 {
		t.Fatalf("exit code %d\n%s", code, r.stderr.String())
	}
	b.expect(filepath.Join(b.dir, "flap"), want)

	r = b.start("get", url, "--timeout", "1s")
	b.awaitPart("endless", 0)
	setLink(false)
	b.broken(r, "xftp: get "+url+": ")
	setLink(true)

	part, err := os.Stat(filepath.Join(b.dir, ".endless.xftp-part"))
	if err != nil {
		t.Fatal(err)
	}
	r = b.start("get", "-c", url)
	b.awaitPart("endless", part.Size())
	if err := b.ftp.Stop(); err != nil {
		t.Fatal(err)
	}
	b.broken(r, "xftp: get "+url+": ")
}
