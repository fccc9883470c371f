package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestCheck notices whatever is wrong with what was moved.
func TestCheck(t *testing.T) {
	served := t.TempDir()
	c, err := many.make(served, 64*100)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.files) != 64 || c.bytes != 6400 || c.files[7] != "f07" {
		t.Fatalf("%d files of %d bytes, the eighth is %s", len(c.files), c.bytes, c.files[7])
	}
	dir := filepath.Join(served, c.name)
	if err := c.check(dir); err != nil {
		t.Errorf("the same files: %v", err)
	}
	for what, spoil := range map[string]func() error{
		"a byte is another": func() error {
			b, err := os.ReadFile(filepath.Join(dir, "f07"))
			if err != nil {
				return err
			}
			b[50] ^= 1
			return os.WriteFile(filepath.Join(dir, "f07"), b, 0o644)
		},
		"one is short":   func() error { return os.Truncate(filepath.Join(dir, "f63"), 99) },
		"one is missing": func() error { return os.Remove(filepath.Join(dir, "f00")) },
		"one too many":   func() error { return os.WriteFile(filepath.Join(dir, ".listing"), nil, 0o644) },
	} {
		if _, err := many.make(served, 64*100); err != nil { // as they were
			t.Fatal(err)
		}
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if err := c.check(dir); err == nil {
			t.Errorf("not noticed: %s", what)
		}
		_ = os.Remove(filepath.Join(dir, ".listing")) // it may not be there
	}
}

func TestCheckFile(t *testing.T) {
	dir := t.TempDir()
	c, err := big.make(dir, 12345)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "file")
	if err := c.check(path); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(path, make([]byte, 12345), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := c.check(path); err == nil {
		t.Error("zeros are not what was sent")
	}
	other, err := tiny.make(dir, 12345)
	if err != nil {
		t.Fatal(err)
	}
	if other.sums["tiny"] == c.sums["file"] || other.bytes != 1024 {
		t.Errorf("the tiny file has %d bytes", other.bytes)
	}
}
