package ftpclient_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// roundTrip uploads files by a Client and downloads them again.
func roundTrip(t *testing.T, c *ftpclient.Client, files map[string][]byte, parallel int) {
	t.Helper()
	paths := slices.Sorted(maps.Keys(files))
	verified := func(path string) func(ftpclient.Result, error) {
		return func(r ftpclient.Result, err error) {
			if err != nil || r.Verified != ftpclient.VerifiedSize || r.Unclosed {
				t.Errorf("%s: %+v, %v", path, r, err)
			}
		}
	}
	up := func(yield func(ftpclient.Upload) bool) {
		for _, path := range paths {
			if !yield(ftpclient.Upload{
				Path: path + ".part", Rename: path, Done: verified(path),
				Open: func() (io.Reader, error) { return bytes.NewReader(files[path]), nil },
			}) {
				return
			}
		}
	}
	if err := c.Upload(t.Context(), up, parallel); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	got := make(map[string]*bytes.Buffer)
	down := func(yield func(ftpclient.Download) bool) {
		for _, path := range paths {
			if !yield(ftpclient.Download{
				Path: path, Done: verified(path),
				Open: func() (io.Writer, error) {
					mu.Lock()
					defer mu.Unlock()
					got[path] = new(bytes.Buffer)
					return got[path], nil
				},
			}) {
				return
			}
		}
	}
	if err := c.Download(t.Context(), down, parallel); err != nil {
		t.Fatal(err)
	}
	for path, content := range files {
		if got[path] == nil || sumOf(got[path].Bytes()) != sumOf(content) {
			t.Errorf("%s came back changed", path)
		}
	}
}

// smallFiles returns files of many sizes below a directory.
func smallFiles(dir string, n int) map[string][]byte {
	files := make(map[string][]byte)
	for i := range n {
		files[fmt.Sprintf("%sfile %02d", dir, i)] = random(byte(i), i*i*50)
	}
	return files
}

// Many files cross a few protected control connections, with commands sent ahead,
// and a large one comes in segments. Each data connection resumes the session of
// the control connection that it belongs to.
func TestTLSClient(t *testing.T) {
	securities(t, func(t *testing.T, security ftpclient.Security) {
		for name, cfg := range map[string]ftpclient.Config{"passive": {}, "active": {Active: true}, "far ahead": {Ahead: 30}, "no pipelining": {Ahead: -1}} {
			for _, parallel := range []int{1, 3} {
				t.Run(fmt.Sprintf("%s/%d", name, parallel), func(t *testing.T) {
					const size = 8 * mib
					large := random(7, size)
					g := guard(t, security, func(g *guarded) {
						g.cfg.Active, g.cfg.Ahead = cfg.Active, cfg.Ahead
						g.Files = map[string]string{"large": string(large)}
					})
					c, err := ftpclient.New(g.url, &g.cfg)
					if err != nil {
						t.Fatal(err)
					}
					defer c.Close()
					files := smallFiles("", 40)
					roundTrip(t, c, files, parallel)
					for path, content := range files {
						if sumOf([]byte(g.Stored()[path])) != sumOf(content) {
							t.Errorf("%s is stored as something else", path)
						}
					}
					if n := g.network.Resets(); n != 0 {
						t.Errorf("%d connections ended in a reset", n)
					}
					dst := newMemory(size)
					result, err := c.DownloadSegments(t.Context(), dst, &ftpclient.Segments{Path: "large", Count: parallel})
					if err != nil || result.Bytes != size || sumOf(dst.b) != sumOf(large) {
						t.Errorf("segments: %+v, %v", result, err)
					}
				})
			}
		}
	})
}
