package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// TestXDPGigabyte moves 1 GB down and up with each server, in every way of
// making a data connection, and compares hashes.
func TestXDPGigabyte(t *testing.T) {
	lab.NeedRoot(t)
	if os.Getenv("XFTP_LONG") != "1" {
		t.Skip("moves 16 GB: set XFTP_LONG=1, as make test does")
	}
	const size = 1e9
	for _, kind := range []lab.Kind{lab.Embedded, lab.Vsftpd} {
		t.Run(kind.String(), func(t *testing.T) {
			if kind == lab.Vsftpd {
				lab.NeedVsftpd(t)
			}
			b := newBench(t, lab.Config{})
			b.root, b.dir = sharedMemory(t), sharedMemory(t)
			want := b.serve("file", size)
			var err error
			if b.ftp, err = b.lab.Server.StartServer(t.Context(), lab.ServerConfig{Kind: kind, Root: b.root, Port: 2121}); err != nil {
				t.Fatal(err)
			}
			for _, tt := range []struct {
				name string
				url  func(string) string
				args []string
			}{
				{"passive4", b.ftp.URL, nil},
				{"active4", b.ftp.URL, []string{"--active"}},
				{"passive6", b.ftp.URL6, nil},
				{"active6", b.ftp.URL6, []string{"--active"}},
			} {
				t.Run(tt.name, func(t *testing.T) {
					b.t = t
					local := filepath.Join(b.dir, "copy")
					down := b.ok(append([]string{"get", tt.url("file"), "-o", local}, tt.args...)...)
					b.expect(local, want)
					up := b.ok(append([]string{"put", local, tt.url("upload/back")}, tt.args...)...)
					back := filepath.Join(b.root, "upload", "back")
					b.expect(back, want)
					t.Logf("down %.2f s, up %.2f s", down.Seconds, up.Seconds)
					for _, path := range []string{local, back} {
						if err := os.Remove(path); err != nil {
							t.Error(err)
						}
					}
				})
			}
		})
	}
}
