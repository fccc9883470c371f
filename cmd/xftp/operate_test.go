package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Of many names no command waits for the reply to the one before.
func TestManyNamesAtOnce(t *testing.T) {
	const files = 300
	run := func(s *listServer, verb string, args ...string) {
		t.Helper()
		_, stderr, code := runXftp(t, append([]string{verb, "--timeout", "10m"}, args...)...)
		if code != 0 {
			t.Fatalf("%s: exit code %d\n%s", verb, code, stderr)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.reads > len(s.log)/4 {
			t.Errorf("%s: %d commands came in %d pieces", verb, len(s.log), s.reads)
		}
		s.reads = 0
	}
	for _, zone := range []*time.Location{nil, time.UTC} {
		root, local := t.TempDir(), t.TempDir()
		var paths []string
		for i := range files {
			paths = append(paths, fmt.Sprintf("d/e/%03d", i))
		}
		makeFiles(t, root, paths...)
		s := &listServer{root: root, zone: zone, now: time.Now()}
		url := s.start(t)

		run(s, "chmod", "-R", "750", url+"d")
		for _, path := range append(paths, "d", "d/e") {
			if info, err := os.Stat(filepath.Join(root, path)); err != nil || info.Mode().Perm() != 0o750 {
				t.Fatalf("%s: %v, %v", path, info, err)
			}
		}
		if n := s.sent("SITE")["SITE"]; n != files+2 {
			t.Errorf("%d times SITE", n)
		}

		// The files are here, but of other times and permissions.
		makeFiles(t, local, paths...)
		when := time.Now().Add(-20 * 24 * time.Hour).Truncate(time.Second)
		for _, path := range paths {
			path := filepath.Join(local, path)
			if err := os.Chtimes(path, when, when); err != nil {
				t.Fatal(err)
			}
		}
		run(s, "mirror", "--compare", "size", local, url)
		if err := sameTimes(root, local); err != nil {
			t.Error(err)
		}
		if sent := s.sent("STOR", "SITE"); sent["STOR"] != 0 || sent["SITE"] < files {
			t.Errorf("sent %v", sent)
		}

		run(s, "rm", "-r", url+"d")
		if _, err := os.Stat(filepath.Join(root, "d")); !os.IsNotExist(err) {
			t.Errorf("d is still there: %v", err)
		}
		if sent := s.sent("DELE", "RMD"); sent["DELE"] != files+2 || sent["RMD"] != 2 {
			t.Errorf("sent %v", sent)
		}
	}
}
