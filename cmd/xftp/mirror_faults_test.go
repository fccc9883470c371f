package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A faultyMirror is a server and a directory here, with what both hold.
type faultyMirror struct {
	*listServer
	t     *testing.T
	local string
	url   string
}

// newFaultyMirror makes one. The server is without MLSD if zone is not nil.
func newFaultyMirror(t *testing.T, zone *time.Location) *faultyMirror {
	return &faultyMirror{listServer: &listServer{root: t.TempDir(), zone: zone, now: time.Now()}, t: t, local: t.TempDir()}
}

// run starts the server, unless it runs, and runs xftp mirror. In args, SERVER and
// HERE stand for the two sides.
func (m *faultyMirror) run(code int, args ...string) (stdout, stderr string) {
	m.t.Helper()
	if m.url == "" {
		m.url = m.start(m.t)
	}
	for i, arg := range args {
		switch arg {
		case "SERVER":
			args[i] = m.url
		case "HERE":
			args[i] = m.local
		}
	}
	got, stdout, stderr := runMirror(m.t, args...)
	if got != code {
		m.t.Errorf("exit code %d instead of %d\n%s%s", got, code, stdout, stderr)
	}
	return stdout, stderr
}

// says fails unless text has all that is wanted.
func (m *faultyMirror) says(text string, want ...string) {
	m.t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			m.t.Errorf("nothing of %q in\n%s", w, text)
		}
	}
}

func (m *faultyMirror) holds(dir, path, content string) {
	m.t.Helper()
	got, err := os.ReadFile(filepath.Join(dir, path))
	if err != nil || string(got) != content {
		m.t.Errorf("%s holds %q, not %q: %v", path, got, content, err)
	}
}

// write writes a file that is as old as hours say.
func (m *faultyMirror) write(dir, path, content string, hours int) {
	m.t.Helper()
	path = filepath.Join(dir, path)
	when := time.Now().Add(-time.Duration(hours) * time.Hour).Truncate(time.Second)
	err := os.MkdirAll(filepath.Dir(path), 0o777)
	if err == nil {
		err = os.WriteFile(path, []byte(content), 0o644)
	}
	if err == nil {
		err = os.Chtimes(path, when, when)
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

// A server that cannot be reached once, when the target directory is there, is an
// error, and nothing is deleted.
func TestMirrorUpLosesServer(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"f", "new/f"} { // the second replaces a file
		m := newFaultyMirror(t, time.UTC)
		m.write(m.local, name, "fresh", 1)
		m.write(m.root, "d/old", "old", 1)
		m.write(m.root, "d/new", "no directory", 1)
		entered, refused := false, false
		m.answer = func(_ int, line string) string {
			m.mu.Lock()
			defer m.mu.Unlock()
			entered = entered || line == "CWD /" // back from where it was seen that d is there
			if line == "" && entered && !refused {
				refused = true
				return "421 not now"
			}
			return ""
		}
		m.url = m.start(t) + "d/"
		_, stderr := m.run(1, "--delete", "HERE", "SERVER")
		m.says(stderr, "421 not now", "nothing is deleted (")
		m.holds(m.root, "d/old", "old")
	}
}

// A directory that was not tried, because the one that it is in was refused, is not
// said to be made.
func TestMirrorUpRefusedDirectory(t *testing.T) {
	t.Parallel()
	m := newFaultyMirror(t, nil)
	m.write(m.local, "x/y/f", "f", 1)
	m.answer = func(_ int, line string) string {
		if strings.HasPrefix(line, "MKD ") {
			return "550 not here"
		}
		return ""
	}
	stdout, _ := m.run(1, "--json", "HERE", "SERVER")
	m.says(stdout, `"path":"x","dry_run":false,"error":{"code":550`)
	if strings.Contains(stdout, `"x/y"`) {
		t.Errorf("the directory in it:\n%s", stdout)
	}
}

// linkedServer makes files and links to them, by names, and a link to nothing.
func linkedServer(t *testing.T, names ...string) *faultyMirror {
	m := newFaultyMirror(t, time.UTC)
	for _, name := range names {
		m.write(m.root, "files/"+name, name, 1)
		if err := os.Symlink("files/"+name, filepath.Join(m.root, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("nothing", filepath.Join(m.root, "broken")); err != nil {
		t.Fatal(err)
	}
	return m
}

const noFile = "broken: a link that leads to no file, left out"

// Links are followed also where the server does not tell sizes.
func TestMirrorLinksWithoutSize(t *testing.T) {
	t.Parallel()
	m := linkedServer(t, "a", "b")
	m.answer = func(_ int, line string) string {
		if strings.HasPrefix(line, "SIZE ") {
			return "502 not here"
		}
		return ""
	}
	_, stderr := m.run(0, "SERVER", "HERE")
	m.holds(m.local, "a", "a")
	m.holds(m.local, "b", "b")
	m.says(stderr, noFile)
}

// A connection that is lost while links are asked about is made again.
func TestMirrorLinksLoseConnection(t *testing.T) {
	t.Parallel()
	m := linkedServer(t, "a", "b", "c")
	lost := false
	m.answer = func(_ int, line string) string {
		m.mu.Lock()
		defer m.mu.Unlock()
		if line == "SIZE a" && !lost {
			lost = true
			return "-"
		}
		return ""
	}
	_, stderr := m.run(0, "SERVER", "HERE")
	for _, name := range []string{"a", "b", "c"} {
		m.holds(m.local, name, name)
	}
	m.says(stderr, "broken: is a link that leads to no file, left out")
}

// Where the server does not say what a link leads to, nothing is deleted, and no more
// is said than is known.
func TestMirrorLinksUnanswered(t *testing.T) {
	t.Parallel()
	for _, reply := range []string{"450 busy", "-"} {
		m := linkedServer(t, "a", "b")
		m.write(m.local, "old", "old", 1)
		m.answer = func(_ int, line string) string {
			if line == "SIZE a" {
				return reply
			}
			return ""
		}
		_, stderr := m.run(1, "--delete", "SERVER", "HERE")
		m.holds(m.local, "old", "old")
		m.says(stderr, "nothing is deleted (", "a: is a link, and the server has not told what that leads to, left out")
		if strings.Contains(stderr, "a: is a link that leads to no file") {
			t.Errorf("said:\n%s", stderr)
		}
	}
}

// olderHere makes two files that are older here than there, of the same size.
func olderHere(t *testing.T, zone *time.Location) *faultyMirror {
	m := newFaultyMirror(t, zone)
	for _, name := range []string{"a", "b"} {
		m.write(m.local, name, "here", 3)
		m.write(m.root, name, "away", 1)
	}
	return m
}

// That the time of one file cannot be set says nothing of the others.
func TestMirrorUpForeignFile(t *testing.T) {
	t.Parallel()
	m := olderHere(t, nil)
	m.answer = func(_ int, line string) string {
		if strings.HasPrefix(line, "MFMT ") && strings.HasSuffix(line, " a") {
			return "550 not yours"
		}
		return ""
	}
	m.run(0, "HERE", "SERVER")
	m.holds(m.root, "a", "here")
	m.holds(m.root, "b", "here")
}

// Where a server sets no times, that is said, and what is younger there stays.
func TestMirrorUpUnstamped(t *testing.T) {
	t.Parallel()
	m := olderHere(t, nil)
	m.noTimes = true
	_, stderr := m.run(0, "HERE", "SERVER")
	m.holds(m.root, "a", "away")
	m.says(stderr, "the server does not set the times of files (500 ", "2 the same")
	if n := strings.Count(stderr, "does not set"); n != 1 {
		t.Errorf("said %d times:\n%s", n, stderr)
	}
}

// A preview shows what the run does, or says that it may not.
func TestMirrorUpPreview(t *testing.T) {
	t.Parallel()
	for _, zone := range []*time.Location{time.UTC, nil} { // FEAT names no command that sets times
		m := olderHere(t, zone)
		stdout, stderr := m.run(0, "--dry-run", "HERE", "SERVER")
		if stdout != "put a (time, 4 bytes)\nput b (time, 4 bytes)\n" {
			t.Errorf("printed\n%s", stdout)
		}
		if unsure := strings.Contains(stderr, "was not tried"); unsure != (zone == nil) {
			t.Errorf("said\n%s", stderr)
		}
		if sent := m.sent("MFMT", "SITE"); len(sent) > 0 {
			t.Errorf("a preview sent %v", sent)
		}
		m.run(0, "HERE", "SERVER")
		m.holds(m.root, "b", "here")
	}
}

// Objects are valid and exact whatever is in a name, and whatever the password is.
func TestMirrorObjects(t *testing.T) {
	t.Parallel()
	m := newFaultyMirror(t, nil)
	const name = "a\u009b\u202e\x7fb"
	m.write(m.local, name+"/f", "f", 1)
	m.url = strings.Replace(m.start(t), "ftp://", "ftp://user:false@", 1)
	for _, args := range [][]string{{"--json", "--dry-run", "HERE", "SERVER"}, {"--json", "HERE", "SERVER"}} {
		stdout, _ := m.run(0, args...)
		made := false
		for line := range strings.Lines(stdout) {
			var object struct{ Action, Path string }
			if err := json.Unmarshal([]byte(line), &object); err != nil {
				t.Errorf("%v in %q", err, line)
			}
			made = made || object.Action == "mkdir" && object.Path == name
		}
		if !made || strings.ContainsAny(stdout, "\u009b\u202e\x7f") {
			t.Errorf("printed %q", stdout)
		}
	}
}

// A file that a link here leads to, out of the directory, is compared by its hash as
// it was sent.
func TestMirrorUpHashOfLink(t *testing.T) {
	t.Parallel()
	m := newFaultyMirror(t, nil)
	outside := t.TempDir()
	m.write(outside, "f", "file", 1)
	if err := os.Symlink(filepath.Join(outside, "f"), filepath.Join(m.local, "f")); err != nil {
		t.Fatal(err)
	}
	m.answer = func(_ int, line string) string {
		switch line {
		case "FEAT":
			return "211-This:\r\n XSHA256\r\n211 End"
		case "XSHA256 f":
			content, err := os.ReadFile(filepath.Join(m.root, "f"))
			if err != nil {
				return "550 cannot read it"
			}
			return fmt.Sprintf("250 %x", sha256.Sum256(content))
		}
		return ""
	}
	for _, moved := range []string{" 1 file moved", " 0 files moved"} {
		_, stderr := m.run(0, "--compare", "hash", "HERE", "SERVER")
		m.says(stderr, moved)
	}
	m.write(m.root, "f", "else", 1)
	_, stderr := m.run(0, "--compare", "hash", "HERE", "SERVER")
	m.says(stderr, " 1 file moved")
	m.holds(m.root, "f", "file")
}

// A file of which a list tells the day alone gets that day, and is the same after
// that.
func TestMirrorDayOfList(t *testing.T) {
	t.Parallel()
	m := newFaultyMirror(t, time.UTC)
	m.mute = true
	m.write(m.root, "f", "old", 24*300)
	for _, moved := range []string{" 1 file moved", " 0 files moved"} {
		_, stderr := m.run(0, "SERVER", "HERE")
		m.says(stderr, moved)
	}
	there, err := os.Stat(filepath.Join(m.root, "f"))
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Stat(filepath.Join(m.local, "f"))
	if err != nil {
		t.Fatal(err)
	}
	if want := there.ModTime().UTC().Truncate(24 * time.Hour); !here.ModTime().Equal(want) {
		t.Errorf("is of %v, not of %v", here.ModTime().UTC(), want)
	}
}
