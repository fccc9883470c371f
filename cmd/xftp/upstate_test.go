package main

import (
	"os"
	"path/filepath"
	"testing"
)

// A run that was killed while it wrote a state down leaves nothing that stays.
func TestRecordKilled(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("some"), 0o644); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	killed := recordOf("ftp://h/file", file, info)
	killed.write()
	if err := os.Rename(killed.path, killed.path+".new"); err != nil { // as if it had come no further
		t.Fatal(err)
	}
	next := recordOf("ftp://h/file", file, info)
	if _, err := next.found(); err == nil {
		t.Error("half a record was found")
	}
	next.write()
	if old, err := recordOf("ftp://h/file", file, info).found(); err != nil || !old.sameFile(next.state) {
		t.Errorf("recorded: %+v (%v)", old, err)
	}
	if err := os.WriteFile(next.path+".new", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	next.forget()
	if left := names(stateDirectory()); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
