package main

import (
	"context"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/pflag"
)

// A callingWriter calls when each time it is written to.
type callingWriter struct {
	strings.Builder
	when func()
}

func (w *callingWriter) Write(b []byte) (int, error) {
	w.when()
	return w.Builder.Write(b)
}

// A signal that comes as one file succeeds is not passed over in silence if
// there are more.
func TestSignalBetweenFiles(t *testing.T) {
	s := serverWith(t, 1000)
	for _, tt := range []struct {
		name  string
		files int
		code  int
		want  string
	}{
		{"last", 1, exitOK, ""},
		{"first", 3, exitSignal + int(syscall.SIGTERM), `xftp: get URL/b: terminated
xftp: hint: continue with: xftp get -c URL/b URL/c
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("SUDO_UID", "")
			t.Chdir(t.TempDir())
			var remotes []remote
			var targets []target
			for _, name := range []string{"a", "b", "c"}[:tt.files] {
				if err := os.WriteFile(s.root+"/"+name, []byte("data"), 0o644); err != nil {
					t.Fatal(err)
				}
				r, err := parseRemote(s.url() + "/" + name)
				if err != nil {
					t.Fatal(err)
				}
				remotes = append(remotes, r)
				targets = append(targets, target{path: name})
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			o := &options{net: "kernel", parallel: 1, segments: 1, json: true, flags: new(pflag.FlagSet)}
			path, err := openTransport(ctx, o)
			if err != nil {
				t.Fatal(err)
			}
			defer path.close()
			// The report of the first file brings the signal.
			stdout := &callingWriter{when: func() { cancel(&signalError{syscall.SIGTERM}) }}
			var stderr strings.Builder
			session := &session{verb: "get", o: o, out: &output{stdout: stdout, stderr: &stderr, json: true}, path: path}
			session.get(ctx, remotes, targets)
			session.hangUp()
			if got := strings.ReplaceAll(stderr.String(), s.url(), "URL"); session.code != tt.code || got != tt.want {
				t.Errorf("exit code %d, want %d; printed:\n%s", session.code, tt.code, got)
			}
			// The next one may be under way by then, because it is asked for ahead.
			others := regexp.MustCompile(`(?m)^.*/b",.*"error":{"code":0,"message":"terminated"}}\n`).ReplaceAllString(stdout.String(), "")
			if n := strings.Count(others, "\n"); n != 1 || !strings.Contains(others, `/a",`) || !strings.Contains(others, `"error":null`) {
				t.Errorf("reported:\n%s", stdout.String())
			}
			if _, err := os.Stat("a"); err != nil {
				t.Error(err)
			}
		})
	}
}
