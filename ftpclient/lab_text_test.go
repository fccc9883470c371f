package ftpclient_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/internal/lab"
)

// textOf returns n lines, of which some are empty and one is long.
func textOf(n int) []byte {
	random := rand.New(rand.NewPCG(7, 7))
	var text bytes.Buffer
	for range n {
		fmt.Fprintf(&text, "%s\n", strings.Repeat("é x", random.IntN(40)))
	}
	text.WriteString(strings.Repeat("long ", 40_000) + "\nwithout an end")
	return text.Bytes()
}

// Texts go to real servers, which keep them with their own line ends, LF, and come
// back; others than that come as the server has them.
func TestLabText(t *testing.T) {
	for _, kind := range lab.Kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			lab.NeedServer(t, kind)
			l := lab.ForTest(t, lab.Config{})
			root := lab.RootDir(t)
			text := textOf(20_000)
			dos := bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
			if err := os.WriteFile(filepath.Join(root, "served"), text, 0o644); err != nil {
				t.Fatal(err)
			}
			server, err := l.Server.StartServer(t.Context(), lab.ServerConfig{Kind: kind, Root: root})
			if err != nil {
				t.Fatal(err)
			}
			client, err := ftpclient.New(server.URL("")+";type=a", &ftpclient.Config{Dialer: l.Client})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			sources := map[string][]byte{lab.UploadDir + "/unix": text, lab.UploadDir + "/dos": dos}
			var uploads []ftpclient.Upload
			for path, source := range sources {
				uploads = append(uploads, ftpclient.Upload{
					Path: path,
					Open: func() (io.Reader, error) { return bytes.NewReader(source), nil },
					Done: func(result ftpclient.Result, err error) {
						if err != nil || result.Bytes != int64(len(source)) {
							t.Errorf("%s: %+v, %v", path, result, err)
						}
					},
				})
			}
			if err := client.Upload(t.Context(), slices.Values(uploads), 1); err != nil {
				t.Fatal(err)
			}
			for path := range sources {
				stored, err := os.ReadFile(filepath.Join(root, path))
				if err != nil || sumOf(stored) != sumOf(text) {
					t.Errorf("%s: %d bytes are stored of a text of %d, %v", path, len(stored), len(text), err)
				}
			}
			got := map[string]*bytes.Buffer{"served": {}, lab.UploadDir + "/unix": {}}
			var downloads []ftpclient.Download
			for path, b := range got {
				downloads = append(downloads, ftpclient.Download{
					Path: path,
					Open: func() (io.Writer, error) { return b, nil },
					Done: func(result ftpclient.Result, err error) {
						if err != nil || result.Bytes != int64(len(text)) {
							t.Errorf("%s: %+v, %v", path, result, err)
						}
					},
				})
			}
			if err := client.Download(t.Context(), slices.Values(downloads), 1); err != nil {
				t.Fatal(err)
			}
			for path, b := range got {
				if sumOf(b.Bytes()) != sumOf(text) {
					t.Errorf("%s: has come as %d bytes of %d", path, b.Len(), len(text))
				}
			}
		})
	}
}
