package main

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// hostileNames hold what a terminal would obey: a title, a colour by a C1
// control, one by a byte that is not UTF-8, DEL, and a change of direction.
var hostileNames = []string{"\x1b]0;title\a", "\u009b31mred", "\x9b31mred", "del\x7f", "\u202eexe.txt", "tab\tbed"}

// serveHostile serves files with such names, in a directory with one.
func serveHostile(t *testing.T, faults ...string) *testServer {
	t.Helper()
	s := serverWith(t, 4, faults...)
	dir := filepath.Join(s.root, "dir\x1b[2J")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range hostileNames {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// onTerminal runs xftp with both outputs on a terminal, and returns what that has
// got.
func onTerminal(t *testing.T, args ...string) string {
	t.Helper()
	screen, terminal := openTerminal(t)
	cmd := startXftp(t, terminal, terminal, args...)
	terminal.Close()
	text := readScreen(screen, func(string) {})
	_ = cmd.Wait() // some fail
	return text
}

// Nothing that a server sends steers the terminal, whatever prints it.
func TestHostileNamesOnTerminal(t *testing.T) {
	s := serveHostile(t)
	byList := serveHostile(t, "nomlsd", "nomlst", "nodele")
	for _, args := range []string{
		"ls -R URL/", "ls -R -l URL/", "ls --raw URL/dir*/", "ls -R --json URL/", "ls URL/*/*", "stat URL/*/*", "stat --json URL/*/*", "cat -v URL/*/*",
		"cat URL/dir*", "rm URL/dir*", "rm -r URL/dir*", "rm -r --json URL/dir*", "chmod -v 000 URL/*/*", "mv URL/*/* missing/", "get -o TMP/x URL/*/*",
		"get -v -r -o TMP/y/ URL/dir*", "get --json -r -o TMP/z/ URL/dir*",
	} {
		server := s
		if strings.HasPrefix(args, "rm -r") {
			server = byList // which refuses
		}
		args = strings.ReplaceAll(strings.ReplaceAll(args, "URL", server.url()), "TMP", t.TempDir())
		text := onTerminal(t, strings.Fields(args)...)
		if text == "" {
			t.Errorf("%s: nothing on the terminal", args)
		}
		text = strings.ReplaceAll(text, "\r\n", "\n")
		if strings.HasPrefix(args, "get") {
			text = withoutProgress(text)
		}
		for line := range strings.SplitSeq(text, "\n") {
			if steers(line) {
				t.Errorf("%s: the terminal got %q", args, line)
			}
		}
	}
}

// steers reports whether a terminal would obey something in a line.
func steers(line string) bool {
	return !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool {
		return r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e
	})
}

// withoutProgress removes what draws the progress: the cursor up, and the screen
// cleared below it.
func withoutProgress(text string) string {
	text = strings.NewReplacer("\x1b[1A", "", "\x1b[2A", "", "\x1b[3A", "", "\x1b[4A", "", "\x1b[5A", "", "\x1b[6A", "", "\x1b[7A", "", "\x1b[8A", "",
		"\x1b[J", "", "\x1b[0J", "", "\x1b[2K", "", "\r", "").Replace(text)
	return text
}

// In a pipe names are as they are, and in JSON as exact.
func TestHostileNamesInPipe(t *testing.T) {
	s := serveHostile(t)
	dir := s.url() + "/dir*/"
	stdout, stderr, code := runXftp(t, "ls", dir)
	for _, name := range hostileNames {
		if !strings.Contains(stdout, name+"\n") {
			t.Errorf("%q is not in %q", name, stdout)
		}
	}
	if code != 0 || stderr != "" {
		t.Errorf("exit code %d, said %q", code, stderr)
	}
	stdout, _, _ = runXftp(t, "ls", "--json", dir)
	found := make(map[string]bool)
	for line := range bytes.Lines([]byte(stdout)) {
		var e entryObject
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		last := e.URL[strings.LastIndexByte(e.URL, '/')+1:]
		name, err := url.PathUnescape(last)
		if err != nil || strings.ToValidUTF8(name, "\ufffd") != e.Name {
			t.Errorf("%q is %q in its URL (%v)", e.Name, name, err)
		}
		found[name] = true
	}
	for _, name := range hostileNames {
		if !found[name] {
			t.Errorf("%q is not in %s", name, stdout)
		}
	}
}
