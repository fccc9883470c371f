package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A writerFunc is a function as an io.Writer.
type writerFunc func(b []byte)

func (f writerFunc) Write(b []byte) (int, error) { f(b); return len(b), nil }

// A signal that comes when a file is done, and before the next begins, is not
// forgotten.
func TestPutSignalBetweenFiles(t *testing.T) {
	for _, tt := range []struct {
		after string // the file that is done when the signal comes
		code  int
		hint  string
	}{
		{"one", 128 + int(syscall.SIGTERM), "xftp: hint: continue with: xftp put -c --net kernel -v "},
		{"two", exitOK, ""}, // nothing is left to do
	} {
		s := serverWith(t, 0)
		dir := t.TempDir()
		t.Setenv("HOME", dir)
		files := []string{filepath.Join(dir, "one"), filepath.Join(dir, "two")}
		for _, file := range files {
			if err := os.WriteFile(file, []byte(file), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		var stderr bytes.Buffer
		out := newOutput()
		out.stderr = writerFunc(func(b []byte) {
			stderr.Write(b)
			if strings.Contains(string(b), tt.after+": ") {
				cancel(&signalError{syscall.SIGTERM})
			}
		})
		root := newRoot(out)
		root.SetArgs([]string{"put", "--net", "kernel", "-v", files[0], files[1], s.url() + "/"})
		err := root.ExecuteContext(ctx)
		cancel(nil)

		code := exitCode(err)
		if reported := new(reportedError); errors.As(err, &reported) {
			code = reported.code
		}
		if code != tt.code {
			t.Errorf("a signal after %s: exit code %d, want %d", tt.after, code, tt.code)
		}
		hint := ""
		if tt.hint != "" {
			hint = tt.hint + files[1] + " " + s.url() + "/\n"
		}
		if text := stderr.String(); hint != "" && !strings.Contains(text, "put "+files[1]+": terminated\n"+hint) || hint == "" && strings.Contains(text, "hint") {
			t.Errorf("a signal after %s printed:\n%s", tt.after, text)
		}
	}
}
