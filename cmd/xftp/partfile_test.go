package main

import (
	"io/fs"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

func TestTemporaryName(t *testing.T) {
	tests := []struct {
		name string
		want string
	}{
		{"file", ".file.xftp-part"},
		{strings.Repeat("x", 244), "." + strings.Repeat("x", 244) + ".xftp-part"}, // 255 bytes
		// SHA-256 of 245 times "x" begins with becad1fd.
		{strings.Repeat("x", 245), "." + strings.Repeat("x", 200) + ".becad1fd.xftp-part"},
		// 200 is in the middle of a rune of three bytes: 66*3 = 198.
		{strings.Repeat("€", 85), "." + strings.Repeat("€", 66) + ".3d283511.xftp-part"},
	}
	for _, tt := range tests {
		got := temporaryName(tt.name, partSuffix)
		if got != tt.want {
			t.Errorf("temporaryName(%d bytes) = %q, want %q", len(tt.name), got, tt.want)
		}
		if len(got) > maxName || !utf8.ValidString(got) {
			t.Errorf("temporaryName(%d bytes) = %q: %d bytes", len(tt.name), got, len(got))
		}
	}
	// What is not UTF-8 is cut where it is.
	if got := temporaryName(strings.Repeat("\x80", 250), metaSuffix); len(got) != 1+200+1+8+len(metaSuffix) {
		t.Errorf("a name of bytes that are no runes: %d bytes", len(got))
	}
}

func testDirectory(t *testing.T) *directory {
	t.Helper()
	dir, err := openDirectory(t.TempDir() + "/")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dir.release)
	return dir
}

// What is not a regular file is never replaced by a rename, even if it has come
// there during the download.
func TestCommitSparesDevices(t *testing.T) {
	dir := testDirectory(t)
	target := dir.prefix + "fifo"
	part, err := openPart(dir, "fifo", partState{}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer part.keep()
	if err := unix.Mkfifo(target, 0o600); err != nil {
		t.Fatal(err)
	}
	err = part.commit()
	info, statErr := os.Lstat(target)
	if err == nil || statErr != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		t.Errorf("commit: %v; the target is now %v (%v)", err, info, statErr)
	}
}

// What closing the part has to say comes before the rename.
func TestCommitFlushesFirst(t *testing.T) {
	dir := testDirectory(t)
	target := dir.prefix + "file"
	part, err := openPart(dir, "file", partState{}, false)
	if err != nil {
		t.Fatal(err)
	}
	part.Close() // so that flushing fails
	err = part.commit()
	if _, missing := os.Lstat(target); err == nil || missing == nil {
		t.Errorf("commit: %v; looking for the target: %v", err, missing)
	}
}
