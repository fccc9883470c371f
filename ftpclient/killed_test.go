package ftpclient_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// killed makes the site go away at the first command that begins with line, after
// so many bytes of its data, and come back with the same files some seconds later.
func (f *field) killed(t *testing.T, line string, bytes int, back time.Duration) {
	t.Helper()
	host := f.network.Host(serverHost)
	fatal := make(chan struct{})
	killed := false
	f.Fault = func(_, _ int, command string) ftptest.Fault {
		if killed || !strings.HasPrefix(command, line) {
			return ftptest.Fault{}
		}
		killed = true
		close(fatal)
		return ftptest.Fault{Cut: true, Bytes: bytes}
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		<-fatal
		time.Sleep(time.Millisecond) // of the bubble's time: all that can happen before has happened
		f.Site.Close()
		files := f.Stored()
		time.Sleep(back)
		ln, err := host.Listen(t.Context(), "tcp", serverHost+":21")
		if err != nil {
			t.Error(err)
			return
		}
		f.Files = files
		f.Start(ln, host)
	}()
	t.Cleanup(func() { <-over })
}

// A server that is killed while it works, and started again, costs time only.
func TestKilled(t *testing.T) {
	const size = 3 << 18
	points := []int{-1, 1, 1000, maxReplayed, maxReplayed + 1, size / 3, size - 1}
	for _, back := range []time.Duration{0, 2 * time.Second} {
		for _, k := range points {
			bubble(t, fmt.Sprintf("download/%d/%v", k, back), func(t *testing.T) {
				f := &field{Site: &ftptest.Site{Files: map[string]string{"a": content(size), "b": content(small), "c": content(size - 1)}}}
				f.killed(t, "RETR", k, back)
				c := f.open(t)
				want := maps.Clone(f.Files)
				if err := f.fetch(t.Context(), c, true, 3); err != nil {
					t.Error(err)
				}
				f.Files = want
				f.check(t, nil)
			})
			bubble(t, fmt.Sprintf("segments/%d/%v", k, back), func(t *testing.T) {
				f := &field{Site: &ftptest.Site{Files: map[string]string{"a": content(4 * mib)}}}
				f.cfg.Retries = 2 // less than the ranges that break
				f.killed(t, "RETR", k, back)
				c := f.open(t)
				dst := newMemory(4 * mib)
				r, err := c.DownloadSegments(t.Context(), dst, &ftpclient.Segments{Path: "a", Count: 4})
				if err != nil || string(dst.b) != content(4*mib) || k > 0 && r.Retries < 1 {
					t.Errorf("result %+v, error %v", r, err)
				}
			})
			bubble(t, fmt.Sprintf("upload/%d/%v", k, back), func(t *testing.T) {
				f := &field{Site: &ftptest.Site{}}
				f.killed(t, "STOR", k, back)
				c := f.open(t)
				if err := f.send(t, c, source(content(size), true), "final"); err != nil {
					t.Error(err)
				}
				stored := f.Stored()
				if names := slices.Collect(maps.Keys(stored)); len(names) != 1 || stored["final"] != content(size) {
					t.Errorf("stored %q", names)
				}
			})
		}
	}
}

// maxReplayed is what is fetched again at most.
const maxReplayed = 64 << 10
