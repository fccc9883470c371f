package main

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"
)

// What ends a run is said once, also if several files meet it at the same time, and
// nobody knows what is left.
func TestFullOnce(t *testing.T) {
	t.Setenv("SUDO_UID", "")
	many := make([]string, maxShown+1)
	for i := range many {
		many[i] = fmt.Sprint("ftp://h/", i)
	}
	for _, tt := range []struct {
		name  string
		errno unix.Errno
		args  []string
		done  bool
		want  string
	}{
		{"disk", unix.ENOSPC, []string{"ftp://h/a", "ftp://h/b"}, false, "get ftp://h/x: write x: no space left on device\nxftp: hint: make room, then continue with: xftp get -c ftp://h/a ftp://h/b\n"},
		{"quota", unix.EDQUOT, []string{"ftp://h/a"}, true, "get ftp://h/x: write x: disk quota exceeded\nxftp: hint: make room, then continue with: xftp get -c ftp://h/a\n"},
		{"read-only", unix.EROFS, many, false, "get ftp://h/x: write x: read-only file system\nxftp: hint: that file system is read-only: write elsewhere, or make it writable and continue; 51 are left, of which the first is ftp://h/0\n"},
	} {
		var stderr strings.Builder
		s := &session{verb: "get", o: &options{flags: new(pflag.FlagSet)}, out: &output{stderr: &stderr}}
		ctx, release := s.untilFull(t.Context())
		_ = s.failed(ctx, "ftp://h/missing", fs.ErrNotExist, "none")
		s.code = exitOK
		for _, subject := range []string{"ftp://h/x", "ftp://h/y"} {
			_ = s.failed(ctx, subject, &fs.PathError{Op: "write", Path: "x", Err: tt.errno}, "")
		}
		done := make([]bool, len(tt.args))
		for i := range done {
			done[i] = tt.done
		}
		s.stopped(ctx, tt.args, done)
		release()
		want := "xftp: get ftp://h/missing: file does not exist\nxftp: hint: none\nxftp: " + tt.want
		if got := stderr.String(); got != want || s.code != exitTransfer {
			t.Errorf("%s: exit code %d, printed:\n%s", tt.name, s.code, got)
		}
	}
}
