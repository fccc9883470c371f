package ftpclient_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/internal/lab"
)

// servers are those that a lab can run.
var servers = []lab.Kind{lab.Embedded, lab.Vsftpd}

// A thousand small files go to real servers and come back, with whatever is
// sent ahead.
func TestLabManyFiles(t *testing.T) {
	const count, size = 1000, 4096
	for _, kind := range servers {
		for name, cfg := range map[string]ftpclient.Config{
			"passive": {}, "active": {Active: true}, "far ahead": {Ahead: 30}, "no pipelining": {Ahead: -1},
		} {
			t.Run(kind.String()+"/"+name, func(t *testing.T) {
				lab.NeedServer(t, kind)
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
