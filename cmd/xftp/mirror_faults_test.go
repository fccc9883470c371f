package main

import (
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
