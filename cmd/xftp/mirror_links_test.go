package main

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// kinds says what is below a directory: where a link leads, what a file holds.
func kinds(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name := path[len(dir)+1:]
		switch {
		case e.IsDir():
			all[name] = "directory"
		case e.Type() == fs.ModeSymlink:
			target, err := os.Readlink(path)
			all[name] = "to " + target
			return err
		default:
			content, err := os.ReadFile(path)
			all[name] = string(content)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// makeLinks makes a tree with links of all kinds, one of which leads to a file
// elsewhere. Files hold their names.
func makeLinks(t *testing.T, root string) {
	t.Helper()
	outside := t.TempDir()
	makeFiles(t, outside, "outside")
	makeFiles(t, root, "file", "d/in")
	for name, target := range map[string]string{
		"good": "file", "d/up": "../file", "dir": "d", "broken": "nothing", "out": filepath.Join(outside, "outside"), "over": "../../x", "loop": "loop",
	} {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
}

// What becomes of links, in both directions, and that a second run moves nothing.
func TestMirrorLinks(t *testing.T) {
	plain := map[string]string{"file": "file", "d": "directory", "d/in": "in"}
	with := func(more map[string]string) map[string]string {
		all := maps.Clone(plain)
		maps.Copy(all, more)
		return all
	}
	followed := with(map[string]string{"good": "file", "d/up": "file", "out": "outside"})
	tests := []struct {
		links    string
		up, mlsd bool
		want     map[string]string
	}{
		{"follow", false, false, followed},
		{"skip", false, false, plain},
		{"keep", false, false, with(map[string]string{"good": "to file", "d/up": "to ../file", "dir": "to d", "broken": "to nothing", "loop": "to loop"})},
		{"follow", false, true, followed},
		{"skip", false, true, plain},
		{"keep", false, true, plain}, // the server does not tell where they lead
		{"follow", true, false, followed},
		{"skip", true, true, plain},
		{"keep", true, false, plain}, // there is no command
	}
	for _, test := range tests {
		root, local := t.TempDir(), t.TempDir()
		source, destination := root, local
		if test.up {
			source, destination = local, root
		}
		makeLinks(t, source)
		s := &listServer{root: root}
		if !test.mlsd {
			s.zone, s.now = time.UTC, time.Now()
		}
		args := []string{"--links", test.links, "--delete", s.start(t), local}
		if test.up {
			args[3], args[4] = args[4], args[3]
		}
		for run := range 2 {
			code, _, stderr := runMirror(t, args...)
			if code != 0 {
				t.Errorf("%+v, run %d: exit code %d\n%s", test, run, code, stderr)
			}
			if got := kinds(t, destination); !maps.Equal(got, test.want) {
				t.Errorf("%+v, run %d: %v\n%s", test, run, got, stderr)
			}
			if sent := s.sent("RETR", "STOR"); run > 0 && len(sent) > 0 {
				t.Errorf("%+v: the second run sent %v", test, sent)
			}
		}
	}
}

// A link here that has the name of a file or a directory there is not written
// through, and nothing is deleted behind one.
func TestMirrorLinksInTheWay(t *testing.T) {
	root, local, outside := t.TempDir(), t.TempDir(), t.TempDir()
	makeFiles(t, root, "file", "d/in")
	makeFiles(t, outside, "file", "in", "precious")
	err := errors.Join(os.Symlink(filepath.Join(outside, "file"), filepath.Join(local, "file")), os.Symlink(outside, filepath.Join(local, "d")))
	if err != nil {
		t.Fatal(err)
	}
	before, err := inodes(outside)
	if err != nil {
		t.Fatal(err)
	}
	url := (&listServer{root: root}).start(t)
	code, _, stderr := runMirror(t, url, local)
	if code != 1 {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	for range 2 {
		if code, _, stderr = runMirror(t, "--delete", url, local); code != 0 {
			t.Errorf("--delete: exit code %d\n%s", code, stderr)
		}
		if got := kinds(t, local); !maps.Equal(got, kinds(t, root)) {
			t.Errorf("%v\n%s", got, stderr)
		}
	}
	after, err := inodes(outside)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(before, after) {
		t.Errorf("outside: %v, before %v", after, before)
	}
}
