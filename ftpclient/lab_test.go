package ftpclient_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/internal/lab"
)

// servers are those that a lab can run.
var servers = []lab.Kind{lab.Embedded, lab.Vsftpd, lab.Proftpd}

// A thousand small files go to real servers and come back, with whatever is
// sent ahead.
func TestLabManyFiles(t *testing.T) {
	const size = 4096
	for _, kind := range servers {
		for name, cfg := range map[string]ftpclient.Config{
			"passive": {}, "active": {Active: true}, "far ahead": {Ahead: 30}, "no pipelining": {Ahead: -1},
		} {
			t.Run(kind.String()+"/"+name, func(t *testing.T) {
				lab.NeedServer(t, kind)
				count := 1000
				if name != "passive" {
					count = 150
				}
				l := lab.ForTest(t, lab.Config{})
				root := lab.RootDir(t)
				server, err := l.Server.StartServer(t.Context(), lab.ServerConfig{Kind: kind, Root: root})
				if err != nil {
					t.Fatal(err)
				}
				cfg.Dialer, cfg.Listener = l.Client, l.Client
				client, err := ftpclient.New(server.URL(""), &cfg)
				if err != nil {
					t.Fatal(err)
				}
				defer client.Close()
				content := random(9, count+size)
				of := func(i int) []byte { return content[i : i+size-i%7] }
				name := func(i int) string { return fmt.Sprintf("%s/file %03d", lab.UploadDir, i) }

				up := func(yield func(ftpclient.Upload) bool) {
					for i := range count {
						if !yield(ftpclient.Upload{
							Path: name(i) + ".part", Rename: name(i),
							Open: func() (io.Reader, error) { return bytes.NewReader(of(i)), nil },
							Done: func(r ftpclient.Result, err error) {
								if err != nil || r.Verified != ftpclient.VerifiedSize {
									t.Errorf("upload %d: %+v, %v", i, r, err)
								}
							},
						}) {
							return
						}
					}
				}
				if err := client.Upload(t.Context(), up, 4); err != nil {
					t.Fatal(err)
				}
				for i := range count {
					stored, err := os.ReadFile(filepath.Join(root, name(i)))
					if err != nil || sumOf(stored) != sumOf(of(i)) {
						t.Fatalf("stored %d: %d bytes, %v", i, len(stored), err)
					}
				}
				if left, err := os.ReadDir(filepath.Join(root, lab.UploadDir)); err != nil || len(left) != count {
					t.Errorf("%d files, %v", len(left), err)
				}

				var mu sync.Mutex
				sums := make(map[int]hash.Hash)
				down := func(yield func(ftpclient.Download) bool) {
					for i := range count {
						if !yield(ftpclient.Download{
							Path: name(i), Size: int64(len(of(i))),
							Open: func() (io.Writer, error) {
								mu.Lock()
								defer mu.Unlock()
								sums[i] = sha256.New()
								return sums[i], nil
							},
							Done: func(r ftpclient.Result, err error) {
								if err != nil || r.Verified != ftpclient.VerifiedSize {
									t.Errorf("download %d: %+v, %v", i, r, err)
								}
							},
						}) {
							return
						}
					}
				}
				if err := client.Download(t.Context(), down, 4); err != nil {
					t.Fatal(err)
				}
				for i := range count {
					if sums[i] == nil || sum(sums[i]) != sumOf(of(i)) {
						t.Fatalf("file %d differs", i)
					}
				}
			})
		}
	}
}

// A tree with names that are hard to list is found as it is, and a large file
// in it comes in segments.
func TestLabTreeAndSegments(t *testing.T) {
	const size = 20<<20 + 13
	names := []string{"a b", " lead", "-a", "d/-l", "d/[x]*?", "d/e/.hidden", "d/e/ä", "z -> y", ".top/x", "empty/", "-d/x"}
	for _, kind := range servers {
		t.Run(kind.String(), func(t *testing.T) {
			lab.NeedServer(t, kind)
			l := lab.ForTest(t, lab.Config{})
			root := lab.RootDir(t)
			top := filepath.Join(root, "tree")
			var want []string
			for i, name := range names {
				if err := os.MkdirAll(filepath.Join(top, filepath.Dir(name+"x")), 0o755); err != nil {
					t.Fatal(err)
				}
				if filepath.Base(name+"x") != "x" || name[len(name)-1] == 'x' {
					if err := os.WriteFile(filepath.Join(top, name), make([]byte, i), 0o644); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := os.Symlink("/", filepath.Join(top, "d", "link")); err != nil {
				t.Fatal(err)
			}
			content := random(3, size)
			if err := os.WriteFile(filepath.Join(top, "large"), content, 0o644); err != nil {
				t.Fatal(err)
			}
			err := filepath.WalkDir(top, func(path string, d os.DirEntry, err error) error {
				if err != nil || path == top {
					return err
				}
				rel, err := filepath.Rel(top, path)
				line := rel
				switch info, infoErr := d.Info(); {
				case infoErr != nil:
					return infoErr
				case d.IsDir():
					line += "/"
				case d.Type().IsRegular():
					line += fmt.Sprint(" ", info.Size())
				case kind == lab.Embedded:
					line += " 1" // which takes the link for a file of one byte
				}
				want = append(want, line)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			server, err := l.Server.StartServer(t.Context(), lab.ServerConfig{Kind: kind, Root: root})
			if err != nil {
				t.Fatal(err)
			}
			client, err := ftpclient.New(server.URL(""), &ftpclient.Config{Dialer: l.Client})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			var got []string
			for e, err := range client.Walk(t.Context(), "tree", &ftpclient.WalkOptions{Parallel: 2}) {
				if err != nil {
					t.Error(e.Path, err)
				}
				line := e.Path
				switch e.Type {
				case ftpclient.EntryDir:
					line += "/"
				case ftpclient.EntryFile:
					line += fmt.Sprint(" ", e.Size)
				}
				got = append(got, line)
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("got\n%q, want\n%q", got, want)
			}
			for _, count := range []int{1, 4} {
				dst := newMemory(size)
				result, err := client.DownloadSegments(t.Context(), dst, &ftpclient.Segments{Path: "tree/large", Count: count})
				if err != nil || result.Bytes != size || sumOf(dst.b) != sumOf(content) || dst.twice > 0 {
					t.Errorf("%d segments: %+v, %v, %d bytes twice", count, result, err, dst.twice)
				}
			}
			for _, err := range client.Walk(t.Context(), "none", nil) {
				if !isReply(550)(err) {
					t.Errorf("error %v", err)
				}
			}
		})
	}
}
