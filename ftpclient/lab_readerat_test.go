package ftpclient_test

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/internal/lab"
)

// One member of an archive on a real server is read, and parts of it by several at
// once.
func TestLabOpenAt(t *testing.T) {
	for _, kind := range lab.Kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			lab.NeedServer(t, kind)
			l := lab.ForTest(t, lab.Config{})
			root := lab.RootDir(t)
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			archive, err := os.Create(filepath.Join(root, "archive.zip"))
			must(err)
			defer archive.Close()
			z := zip.NewWriter(archive)
			member := func(i int) []byte { return random(byte(i), 100_000+i) }
			for i := range 4 {
				w, err := z.Create(fmt.Sprint("member", i))
				must(err)
				_, err = w.Write(member(i))
				must(err)
			}
			must(z.Close())
			must(archive.Chmod(0o644))
			want, err := os.ReadFile(archive.Name())
			must(err)

			server, err := l.Server.StartServer(t.Context(), lab.ServerConfig{Kind: kind, Root: root})
			must(err)
			client, err := ftpclient.New(server.URL(""), &ftpclient.Config{Dialer: l.Client})
			must(err)
			defer client.Close()
			if _, err := client.OpenAt(t.Context(), "none"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("none: %v", err)
			}
			file, err := client.OpenAt(t.Context(), "archive.zip")
			must(err)
			defer file.Close()
			r, err := zip.NewReader(file, file.Size())
			must(err)
			for _, i := range []int{3, 1} {
				got, err := fs.ReadFile(r, fmt.Sprint("member", i))
				if err != nil || sumOf(got) != sumOf(member(i)) {
					t.Errorf("member %d: %d bytes, %v", i, len(got), err)
				}
			}
			var wg sync.WaitGroup
			for i := range 3 {
				wg.Go(func() {
					part := want[i*len(want)/3 : (i+1)*len(want)/3]
					got := make([]byte, len(part))
					_, err := file.ReadAt(got, int64(i*len(want)/3))
					if err != nil || sumOf(got) != sumOf(part) {
						t.Errorf("part %d: %v", i, err)
					}
				})
			}
			wg.Wait()
			all, err := io.ReadAll(io.NewSectionReader(file, 0, file.Size()))
			if err != nil || sumOf(all) != sumOf(want) {
				t.Errorf("all of it: %d bytes, %v", len(all), err)
			}
			must(os.WriteFile(archive.Name(), want[1:], 0o644))
			if n, err := file.ReadAt(make([]byte, 10), 0); !isA[*ftpclient.IntegrityError](err) {
				t.Errorf("after a change: %d bytes, %v", n, err)
			}
		})
	}
}
