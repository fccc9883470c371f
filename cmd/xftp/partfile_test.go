package main

import (
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
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
	defer part.keep(nil)
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

// What a part holds is what its state says, never more than its length, and
// nothing where the state is of another file.
func TestPartResume(t *testing.T) {
	source := partState{URL: "u", Size: 100, ModTime: time.Unix(1e9, 0).UTC()}
	with := func(change func(*partState)) partState { s := source; change(&s); return s }
	for _, tt := range []struct {
		name   string
		state  partState // beside the part
		length int64     // of the part
		want   spans
		first  int64
	}{
		{"stream", source, 40, spans{{0, 40}}, 40},
		{"segments", with(func(s *partState) { s.Done = spans{{0, 10}, {50, 60}} }), 60, spans{{0, 10}, {50, 60}}, 10},
		{"a hole first", with(func(s *partState) { s.Done = spans{{50, 60}} }), 60, spans{{50, 60}}, 0},
		{"nothing but holes", with(func(s *partState) { s.Done = spans{} }), 60, spans{}, 0},
		{"a part begun anew", with(func(s *partState) { s.Done = spans{{0, 10}, {20, 90}} }), 30, spans{{0, 10}, {20, 30}}, 10},
		{"spans out of order", with(func(s *partState) { s.Done = spans{{50, 60}, {0, 10}, {5, 20}} }), 60, spans{{0, 20}, {50, 60}}, 20},
		{"another URL", with(func(s *partState) { s.URL = "v" }), 40, nil, 0},
		{"another time", with(func(s *partState) { s.ModTime = time.Unix(1, 0) }), 40, nil, 0},
		{"another size", with(func(s *partState) { s.Size = 99 }), 40, nil, 0},
		{"longer than the file", source, 101, nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := testDirectory(t)
			text, err := json.Marshal(tt.state)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(dir.prefix+".f.xftp-part.json", text, 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(dir.prefix+".f.xftp-part", make([]byte, tt.length), 0o644); err != nil {
				t.Fatal(err)
			}
			part, err := openPart(dir, "f", source, true)
			if err != nil {
				t.Fatal(err)
			}
			defer part.keep(nil)
			if !reflect.DeepEqual(part.holds(), tt.want) || tt.want == nil != (part.stale != "") {
				t.Errorf("it holds %v (%s), want %v", part.holds(), part.stale, tt.want)
			}
			// Bytes that come in order begin before the first hole, and what
			// was behind it is gone.
			offset, err := part.inOrder()
			if err != nil || offset != tt.first {
				t.Errorf("in order from %d (%v), want %d", offset, err, tt.first)
			}
			info, err := part.Stat()
			if err != nil || info.Size() != tt.first {
				t.Errorf("%d bytes left, want %d", info.Size(), tt.first)
			}
			if at, err := part.Seek(0, io.SeekCurrent); err != nil || at != tt.first {
				t.Errorf("writing goes on at %d (%v), want %d", at, err, tt.first)
			}
		})
	}
}

// A state file lies beside a part only where there is something to continue.
func TestPartState(t *testing.T) {
	dir := testDirectory(t)
	meta := dir.prefix + ".f.xftp-part.json"
	begin := func(size int64) *partFile {
		t.Helper()
		part, err := openPart(dir, "f", partState{URL: "u", Size: size}, false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.inOrder(); err != nil {
			t.Fatal(err)
		}
		return part
	}
	exists := func(want bool) {
		t.Helper()
		if _, err := os.Lstat(meta); err == nil != want {
			t.Errorf("looking for the state: %v", err)
		}
	}
	large := begin(recordAbove + 1)
	exists(true)
	if err := large.commit(); err != nil {
		t.Fatal(err)
	}
	exists(false)

	small := begin(100)
	exists(false)
	small.Write([]byte("some"))
	if kept := small.keep(nil); kept != 4 {
		t.Errorf("%d bytes are kept", kept)
	}
	exists(true)

	// A later download of the same that ends well leaves nothing.
	again := begin(100)
	if err := again.commit(); err != nil {
		t.Fatal(err)
	}
	exists(false)

	empty := begin(recordAbove + 1)
	if kept := empty.keep(nil); kept != 0 {
		t.Errorf("%d bytes are kept", kept)
	}
	exists(false)
	if names, err := os.ReadDir(dir.prefix); err != nil || len(names) != 1 {
		t.Errorf("left: %v (%v)", names, err)
	}
}

// record never writes through a link, and replaces what is there as a whole.
func TestRecord(t *testing.T) {
	dir := testDirectory(t)
	victim := dir.prefix + "victim"
	if err := os.WriteFile(victim, []byte("untouched"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".f.xftp-part.json", ".f.xftp-part.json.new"} {
		if err := os.Symlink("victim", dir.prefix+name); err != nil {
			t.Fatal(err)
		}
	}
	part, err := openPart(dir, "f", partState{URL: "u", Size: 100, Done: spans{{1, 2}}}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer part.keep(nil)
	for range 2 {
		if err := part.record(); err != nil {
			t.Fatal(err)
		}
		if state, err := part.found(); err != nil || state.Done.bytes() != 1 {
			t.Errorf("recorded: %+v (%v)", state, err)
		}
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != "untouched" {
		t.Errorf("the victim is now %q (%v)", text, err)
	}
}
