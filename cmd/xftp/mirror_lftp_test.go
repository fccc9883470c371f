package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

const (
	besideDirs  = 100
	besideFiles = 100 // in each
)

// makeBesideTree makes 10 000 files, whose times are spread over three years: of
// the older ones, lists by LIST tell the day alone.
func makeBesideTree(t *testing.T, root string) {
	t.Helper()
	now := time.Now().Truncate(time.Second)
	for i := range besideDirs * besideFiles {
		path := filepath.Join(root, fmt.Sprintf("dir %02d", i/besideFiles), fmt.Sprintf("file %02d", i%besideFiles))
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil {
			err = os.WriteFile(path, bytes.Repeat([]byte(path), i%7), 0o644)
		}
		when := now.Add(-time.Hour - time.Duration(i)*157*time.Minute)
		if err := errors.Join(err, os.Chtimes(path, when, when)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMirrorBesideLftp mirrors 10 000 files by xftp and by lftp, where there is one,
// from a server with LIST alone and from one with MLSD. Names, bytes and times are
// those of the server; then xftp moves nothing any more, and nor would lftp.
func TestMirrorBesideLftp(t *testing.T) {
	needTime(t, "moves 30 000 files")
	lftp, err := lab.FindProgram("lftp")
	if err != nil {
		t.Log("xftp alone: ", err)
	}
	for _, kind := range []lab.Kind{lab.Vsftpd, lab.Proftpd} {
		t.Run(kind.String(), func(t *testing.T) {
			b := newTreeBench(t, kind)
			served := filepath.Join(b.root, "tree")
			makeBesideTree(t, served)
			url := b.ftp.URL("tree/")
			b.mirrorBeside(served, url)
			if err == nil {
				b.lftpBeside(lftp, served, url, kind == lab.Vsftpd)
			}
		})
	}
}

// same compares what is in a directory with what is served.
func (b *treeBench) same(served, dir string) {
	b.t.Helper()
	want, err := hashTree(served)
	if err != nil {
		b.t.Fatal(err)
	}
	got, err := hashTree(filepath.Join(b.dir, dir))
	if err != nil {
		b.t.Fatal(err)
	}
	if len(got) != 1+besideDirs*(besideFiles+1) || !maps.Equal(got, want) {
		b.t.Errorf("%s: %d names, and not the bytes of the %d that are served", dir, len(got), len(want))
	}
}

// mirrorBeside mirrors twice. The second time there are no connections but those
// for lists.
func (b *treeBench) mirrorBeside(served, url string) {
	t := b.t
	t.Helper()
	run := func() {
		r := b.start("mirror", url, "xftp", "--net", "kernel", "--parallel", "4", "-v")
		begun := time.Now()
		if code := r.wait(t); code != 0 {
			t.Fatalf("exit code %d\n%s", code, last(r.stderr.String(), 2000))
		}
		t.Logf("xftp mirror: %v, CPU %v user %v system", time.Since(begun), r.ProcessState.UserTime(), r.ProcessState.SystemTime())
		verbs := make(map[string]int)
		for line := range strings.Lines(r.stderr.String()) {
			if _, command, ok := strings.Cut(line, "> "); ok {
				verb, _, _ := strings.Cut(strings.TrimSpace(command), " ")
				verbs[verb]++
			}
		}
		t.Log(verbs)
	}
	run()
	b.same(served, "xftp")
	if err := sameTimes(filepath.Join(b.dir, "xftp"), served); err != nil {
		t.Error(last(err.Error(), 2000))
	}
	capture, err := b.lab.Server.Capture()
	if err != nil {
		t.Fatal(err)
	}
	defer capture.Close()
	run()
	segments, err := capture.Segments()
	if err != nil {
		t.Fatal(err)
	}
	data := 0
	for _, s := range segments {
		if s.SYN && !s.ACK && s.To.Port() != b.ftp.Addr(false).Port() {
			data++
		}
	}
	if data != besideDirs+1 {
		t.Errorf("the second time: %d data connections for %d lists", data, besideDirs+1)
	}
}

// lftpBeside has lftp say what it would do about what xftp has made, and, if it is to
// move anything, do the same.
func (b *treeBench) lftpBeside(lftp lab.Program, served, url string, move bool) {
	t := b.t
	t.Helper()
	run := func(script string) string {
		cmd := exec.Command(lftp.Path, "--norc", "-c", "set ftp:sync-mode off; set net:max-retries 2; set cmd:fail-exit yes; "+script)
		cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.dir, "LC_ALL=C", "TERM=dumb"}, lftp.Env()...)
		cmd.Dir = b.dir
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		begun := time.Now()
		if err := b.lab.Client.Start(cmd); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Fatalf("lftp: %v\n%s", err, last(out.String(), 2000))
		}
		t.Logf("lftp %s: %v, CPU %v user %v system", script, time.Since(begun), cmd.ProcessState.UserTime(), cmd.ProcessState.SystemTime())
		return out.String()
	}
	if would := run("mirror --just-print " + url + " xftp"); would != "" {
		t.Errorf("after xftp, lftp would do:\n%s", last(would, 2000))
	}
	if !move {
		return
	}
	run("mirror --parallel=4 " + url + " lftp")
	b.same(served, "lftp")
	if err := sameTimes(filepath.Join(b.dir, "lftp"), served); err != nil {
		t.Error(last(err.Error(), 2000))
	}
}

// last returns the end of what is long.
func last(text string, n int) string { return text[max(len(text)-n, 0):] }
