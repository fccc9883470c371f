package main

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// runMirror runs xftp mirror. It waits long for every server, unless args say
// otherwise: a busy machine is no fault.
func runMirror(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, append([]string{"mirror", "--timeout", "10m"}, args...)...)
	cmd.Env = []string{asXftp + "=1", "XFTP_NET=kernel", "XFTP_RETRIES=0", "HOME=" + t.TempDir(), "TZ=UTC"}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// aged is a quarter of an hour ago. It is the same in all of a test, also if a second
// ends between two trees.
var aged = time.Now().Add(-15 * time.Minute).Truncate(time.Second)

// makeFiles makes files whose content is their name, as old as that.
func makeFiles(t *testing.T, root string, paths ...string) {
	t.Helper()
	for _, path := range paths {
		path := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(filepath.Base(path)), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, aged, aged); err != nil {
			t.Fatal(err)
		}
	}
}

// silence is how long xftp waits for a server that will not answer.
const silence = "2s"

// listLies are what may go wrong with the list of the directory "d", which has
// the files a to f.
var listLies = []struct {
	name string
	why  string // nothing is deleted; | is between texts of which one will do
	list func(lines []string) (text string, end listEnd)
}{
	{"reset", ".", func(l []string) (string, listEnd) {
		return strings.Join(l[:3], ""), listEnd{reset: true, reply: "426 broken"}
	}},
	{"426", "426 ", func(l []string) (string, listEnd) { return strings.Join(l[:3], ""), listEnd{reply: "426 broken"} }},
	{"451 at the end", "451 ", func(l []string) (string, listEnd) { return strings.Join(l, ""), listEnd{reply: "451 disk"} }},
	{"no last reply", "no progress for " + silence, func(l []string) (string, listEnd) { return strings.Join(l[:3], ""), listEnd{reply: "-"} }},
	{"cut in a line", "a line of a list|ends within a line", func(l []string) (string, listEnd) {
		text := strings.Join(l[:3], "")
		return text[:len(text)-4], listEnd{}
	}},
	{"cut at the end of a line", "which its lists left out", func(l []string) (string, listEnd) { return strings.Join(l[:3], ""), listEnd{} }},
	{"empty", "which its lists left out", func(l []string) (string, listEnd) { return "", listEnd{} }},
	{"garbled", "a line of a list|not understood", func(l []string) (string, listEnd) {
		return strings.Join(l[:2], "") + "\x01\x02 garbage\r\n" + strings.Join(l[3:], ""), listEnd{}
	}},
	{"one name lost", "which its lists left out", func(l []string) (string, listEnd) {
		return strings.Join(l[:2], "") + strings.Join(l[3:], ""), listEnd{}
	}},
	{"another directory's", "not everything else has gone well", func(l []string) (string, listEnd) {
		return strings.ReplaceAll(l[0], " a\r\n", " x\r\n") + strings.ReplaceAll(l[1], " b\r\n", " y\r\n"), listEnd{}
	}},
	{"truncated", "truncated to 3 matches", func(l []string) (string, listEnd) {
		return strings.Join(l[:3], ""), listEnd{reply: "226-Options: -a\r\n226 Output truncated to 3 matches"}
	}},
	{"refused", "550 ", func(l []string) (string, listEnd) { return "", listEnd{refuse: "550 Permission denied"} }},
	{"not now", "450 ", func(l []string) (string, listEnd) { return "", listEnd{refuse: "450 busy"} }},
}

// Whatever happens to a list, nothing is deleted that is on the server, the
// reason is said, and the exit code is 1.
func TestMirrorDeleteDoubt(t *testing.T) {
	for _, server := range []string{"MLSD", "LIST"} {
		for _, lie := range listLies {
			t.Run(server+"/"+lie.name, func(t *testing.T) {
				t.Parallel()
				root, local := t.TempDir(), t.TempDir()
				paths := []string{"d/a", "d/b", "d/c", "d/d", "d/e", "d/f", "e/a", "top"}
				makeFiles(t, root, paths...)
				makeFiles(t, local, append(paths, "old", "d/old", "e/old", "gone/old")...)
				s := &listServer{root: root, list: func(dir string, lines []string) (string, listEnd) {
					if dir == "d" {
						return lie.list(lines)
					}
					return strings.Join(lines, ""), listEnd{}
				}}
				if server == "LIST" {
					s.zone, s.now = time.UTC, time.Now()
				}
				url := s.start(t)
				before, err := hashTree(local)
				if err != nil {
					t.Fatal(err)
				}
				args := []string{"--delete", url, local}
				if strings.HasSuffix(lie.why, silence) {
					args = append(args, "--timeout", silence)
				}
				code, _, stderr := runMirror(t, args...)
				after, err := hashTree(local)
				if err != nil {
					t.Fatal(err)
				}
				for name := range before {
					if after[name] != before[name] {
						t.Errorf("%s was deleted", name)
					}
				}
				if code != 1 || !strings.Contains(stderr, "nothing is deleted (") {
					t.Errorf("exit code %d:\n%s", code, stderr)
				}
				said := false
				for why := range strings.SplitSeq(lie.why, "|") {
					said = said || strings.Contains(stderr, why)
				}
				if !said {
					t.Errorf("nothing about %q:\n%s", lie.why, stderr)
				}
			})
		}
	}
}

// A list in which a directory looks like a file does not empty it here.
func TestMirrorDirectoryAsFile(t *testing.T) {
	for _, zone := range []*time.Location{nil, time.UTC} {
		root, local := t.TempDir(), t.TempDir()
		makeFiles(t, root, "d/a", "d/b", "top")
		makeFiles(t, local, "d/a", "d/b", "top")
		s := &listServer{root: root, zone: zone, now: time.Now(), list: func(dir string, lines []string) (string, listEnd) {
			text := strings.Join(lines, "")
			if dir == "" {
				text = strings.NewReplacer("type=dir", "type=file", "drwx", "-rwx").Replace(text)
			}
			return text, listEnd{}
		}}
		code, _, stderr := runMirror(t, "--delete", s.start(t), local)
		if code != 1 || !strings.Contains(stderr, "nothing is deleted (3 would be): whether ftp://") {
			t.Errorf("exit code %d\n%s", code, stderr)
		}
		if got, want := kinds(t, local), kinds(t, root); !maps.Equal(got, want) {
			t.Errorf("%v is left of %v", got, want)
		}
	}
}

// With the whole list, all that goes goes.
func TestMirrorDelete(t *testing.T) {
	for _, up := range []bool{false, true} {
		for _, server := range []string{"MLSD", "LIST"} {
			root, local := t.TempDir(), t.TempDir()
			source, destination := root, local
			if up {
				source, destination = local, root
			}
			paths := []string{"d/a", "d/-b", "d/~", "d/file:", "d/a:b", "e/a", "top"}
			makeFiles(t, source, paths...)
			makeFiles(t, destination, append(paths, "old", "~old", "-rf", "d/old", "e/file:", "gone/old/a:b", "gone/b", "kept/.x.xftp-part", "kept/y")...)
			s := &listServer{root: root}
			if server == "LIST" {
				s.zone, s.now = time.UTC, time.Now()
			}
			args := []string{"--delete", s.start(t), local}
			if up {
				args[1], args[2] = args[2], args[1]
			}
			code, _, stderr := runMirror(t, args...)
			want, err := hashTree(source)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(t.TempDir(), "x"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := hashTree(destination)
			if err != nil {
				t.Fatal(err)
			}
			for _, kept := range []string{"/kept", "/kept/.x.xftp-part"} {
				if got[kept] == "" {
					t.Errorf("%s was deleted", kept)
				}
				delete(got, kept)
			}
			if code != 0 || !maps.Equal(got, want) {
				t.Errorf("%s, up %v: exit code %d, %v, want %v\n%s", server, up, code, got, want, stderr)
			}
			if sent := s.sent("RETR", "STOR", "MKD"); len(sent) > 0 {
				t.Errorf("%s, up %v: %v", server, up, sent)
			}
		}
	}
}
