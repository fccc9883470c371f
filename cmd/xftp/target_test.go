package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestIsSpecial(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink("/dev", link); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for path, want := range map[string]bool{
		"/dev/stdout": true, "/dev/../dev/x": true, "//dev/fd/1": true, "/proc/self/fd/1": true, "/dev/missing": true,
		"link/stdout": true, "./link/x": true, link + "/x": true,
		"/dev/shm/x": false, "x": false, "link": false, "dev/x": false, "/device": false, "/dev/missing/x": false, dir + "/dev/x": false,
	} {
		if got := isSpecial(path); got != want {
			t.Errorf("isSpecial(%q) = %v", path, got)
		}
	}
}
