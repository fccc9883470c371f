package ftpclient_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/internal/lab"
)

// Real servers hold the tests of the standard library, links and all.
func TestLabFS(t *testing.T) {
	for _, kind := range lab.Kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			lab.NeedServer(t, kind)
			l := lab.ForTest(t, lab.Config{})
			root := lab.RootDir(t)
			top := filepath.Join(root, "tree")
			large := random(5, 700_001)
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			must(os.MkdirAll(filepath.Join(top, "d", "empty"), 0o755))
			must(os.WriteFile(filepath.Join(top, "d", "-l"), []byte("minus"), 0o644))
			must(os.WriteFile(filepath.Join(top, "d", "*?[a]"), []byte("pattern"), 0o644))
			must(os.WriteFile(filepath.Join(top, "a b"), []byte("blank"), 0o644))
			must(os.WriteFile(filepath.Join(top, ".hidden"), nil, 0o644))
			must(os.WriteFile(filepath.Join(root, "large"), large, 0o644))
			links := kind != lab.Embedded // which lists them as files
			if links {
				must(os.Symlink("a b", filepath.Join(top, "to file")))
				must(os.Symlink("d", filepath.Join(top, "to dir")))
			}
			server, err := l.Server.StartServer(t.Context(), lab.ServerConfig{Kind: kind, Root: root})
			must(err)
			client, err := ftpclient.New(server.URL(""), &ftpclient.Config{Dialer: l.Client})
			must(err)
			defer client.Close()
			tree := client.FS(t.Context(), "tree")
			if err := fstest.TestFS(tree, "a b", ".hidden", "d/-l", "d/*?[a]", "d/empty"); err != nil {
				t.Error(err)
			}
			for _, name := range []string{"none", "d/none", "none/none"} {
				if _, err := tree.Open(name); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("open %s: %v", name, err)
				}
				if _, err := fs.ReadDir(tree, name); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("readdir %s: %v", name, err)
				}
				if _, err := fs.ReadFile(tree, name); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("readfile %s: %v", name, err)
				}
			}
			if _, err := fs.ReadDir(tree, "a b"); err == nil || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("readdir of a file: %v", err)
			}
			if _, err := fs.ReadFile(tree, "d"); err == nil || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("readfile of a directory: %v", err)
			}
			if links {
				checkLinks(t, tree)
			}
			f, err := client.FS(t.Context(), "").Open("large")
			must(err)
			head := make([]byte, 1000)
			_, err = io.ReadFull(f, head)
			must(err)
			must(f.Close())
			got, err := fs.ReadFile(client.FS(t.Context(), ""), "large")
			if err != nil || sumOf(got) != sumOf(large) || sumOf(head) != sumOf(large[:1000]) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
}

// checkLinks follows those to a file and to a directory.
func checkLinks(t *testing.T, tree fs.FS) {
	t.Helper()
	if info, err := fs.Stat(tree, "to file"); err != nil || !info.Mode().IsRegular() || info.Size() != 5 {
		t.Errorf("a link to a file: %v, %v", info, err)
	}
	if info, err := fs.Stat(tree, "to dir"); err != nil || !info.IsDir() {
		t.Errorf("a link to a directory: %v, %v", info, err)
	}
	if content, err := fs.ReadFile(tree, "to dir/-l"); err != nil || string(content) != "minus" {
		t.Errorf("behind a link: %q, %v", content, err)
	}
	if entries, err := fs.ReadDir(tree, "to dir"); err != nil || len(entries) != 3 {
		t.Errorf("a list of a link: %v, %v", entries, err)
	}
	info, err := fs.Lstat(tree, "to file")
	if err != nil {
		t.Fatal(err)
	}
	target, err := fs.ReadLink(tree, "to file")
	t.Logf("lstat %v; readlink %q, %v", info, target, err)
}
