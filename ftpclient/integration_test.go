package ftpclient_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"testing"

	ftpserver "github.com/fclairamb/ftpserverlib"
	"github.com/spf13/afero"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// A driver lets everybody into one directory.
type driver struct {
	ln  net.Listener
	dir string
}

func (d *driver) GetSettings() (*ftpserver.Settings, error) {
	return &ftpserver.Settings{Listener: d.ln, ActiveTransferPortNon20: true}, nil
}
func (d *driver) ClientConnected(ftpserver.ClientContext) (string, error) { return "hello", nil }
func (d *driver) ClientDisconnected(ftpserver.ClientContext)              {}
func (d *driver) GetTLSConfig() (*tls.Config, error)                      { return nil, errors.ErrUnsupported }
func (d *driver) AuthUser(_ ftpserver.ClientContext, user, password string) (ftpserver.ClientDriver, error) {
	if user != "anonymous" {
		return nil, errors.New("unknown user")
	}
	return afero.NewBasePathFs(afero.NewOsFs(), d.dir), nil
}

// serve runs ftpserverlib on a loopback address for the length of the test and
// returns its URL.
func serve(t *testing.T, address, dir string) string {
	t.Helper()
	ln, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Skipf("no loopback address %s: %v", address, err)
	}
	server := ftpserver.NewFtpServer(&driver{ln: ln, dir: dir})
	if err := server.Listen(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve() }()
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return fmt.Sprintf("ftp://%s/", ln.Addr())
}

func random(seed byte, n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b) // never fails
	return b
}

func sum(h hash.Hash) string { return fmt.Sprintf("%x", h.Sum(nil)) }

func sumOf(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }

// Files cross the kernel's loopback both ways, by both families, in both
// modes, from and to files and other readers and writers.
func TestServer(t *testing.T) {
	const size = 20_000_000
	content := random(1, size)
	want := sumOf(content)
	for _, address := range []string{"127.0.0.1", "::1"} {
		for _, active := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s active=%v", address, active), func(t *testing.T) {
				dir := t.TempDir()
				ctx := t.Context()
				url := serve(t, address, dir)
				c, err := ftpclient.Dial(ctx, url, &ftpclient.Config{Active: active, Listener: &net.ListenConfig{}})
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()

				var last int64
				result, err := c.Stor(ctx, "a", bytes.NewReader(content), &ftpclient.TransferOptions{
					Progress: func(done, total int64) { last = done },
				})
				if err != nil || result != (ftpclient.Result{Bytes: size, Size: size, Verified: ftpclient.VerifiedSize}) {
					t.Fatalf("stor: %+v, %v", result, err)
				}
				if last != size {
					t.Errorf("last progress is %d", last)
				}
				if stored, err := os.ReadFile(filepath.Join(dir, "a")); err != nil || sumOf(stored) != want {
					t.Errorf("stored other bytes than sent: %v", err)
				}

				h := sha256.New()
				result, err = c.Retr(ctx, "a", h, &ftpclient.TransferOptions{
					Progress: func(done, total int64) {
						if total != size {
							t.Errorf("total %d", total)
						}
						last = done
					},
				})
				if err != nil || sum(h) != want || result.Bytes != size || last != size {
					t.Errorf("retr: %+v, %v", result, err)
				}

				copied := filepath.Join(t.TempDir(), "copy")
				if err := retrFile(ctx, c, "a", copied); err != nil {
					t.Error(err)
				}
				file, err := os.Open(copied)
				if err != nil {
					t.Fatal(err)
				}
				defer file.Close()
				if result, err := c.Stor(ctx, "b", file, nil); err != nil || result.Bytes != size {
					t.Errorf("stor from a file: %+v, %v", result, err)
				}
				if stored, err := os.ReadFile(filepath.Join(dir, "b")); err != nil || sumOf(stored) != want {
					t.Errorf("stored other bytes than sent: %v", err)
				}
				if err := c.Quit(ctx); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// retrFile downloads to a file in two parts, the second by REST.
func retrFile(ctx context.Context, c *ftpclient.Conn, path, local string) error {
	file, err := os.Create(local)
	if err != nil {
		return err
	}
	defer file.Close()
	first, err := c.Retr(ctx, path, &brokenFile{file, 7_654_321}, nil)
	if !errors.Is(err, errDisk) || !c.Usable() {
		return fmt.Errorf("first part: %w", err)
	}
	second, err := c.Retr(ctx, path, file, &ftpclient.TransferOptions{Offset: first.Bytes})
	if err != nil {
		return fmt.Errorf("second part: %w", err)
	}
	if first.Bytes+second.Bytes != second.Size {
		return fmt.Errorf("parts of %d and %d bytes", first.Bytes, second.Bytes)
	}
	return file.Close()
}

// A brokenFile takes so many bytes.
type brokenFile struct {
	w    io.Writer
	left int
}

func (f *brokenFile) Write(p []byte) (int, error) {
	short := len(p) > f.left
	if short {
		p = p[:f.left]
	}
	f.left -= len(p)
	n, err := f.w.Write(p)
	if err == nil && short {
		err = errDisk
	}
	return n, err
}

func TestServerFiles(t *testing.T) {
	dir := t.TempDir()
	ctx := t.Context()
	c, err := ftpclient.Dial(ctx, serve(t, "127.0.0.1", dir), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	check(c.MakeDir(ctx, "d ä"))
	check(c.ChangeDir(ctx, "d ä"))
	if wd, err := c.WorkingDir(ctx); err != nil || wd != "/d ä" {
		t.Errorf("working directory %q, %v", wd, err)
	}
	for range 2 {
		result, err := c.Append(ctx, "f", bytes.NewReader(random(2, 1000)), nil)
		if err != nil || result.Verified != ftpclient.VerifiedSize {
			t.Errorf("append: %+v, %v", result, err)
		}
	}
	if _, err := c.Stor(ctx, "f", bytes.NewReader(random(3, 1000)), &ftpclient.TransferOptions{Offset: 1500}); err != nil {
		t.Error(err)
	}
	// An old tail behind the new end would make it another file than meant.
	if _, err := c.Stor(ctx, "f", bytes.NewReader(random(3, 1000)), &ftpclient.TransferOptions{Offset: 500}); !isIntegrity(ftpclient.KindStored, 1500, 2500)(err) {
		t.Errorf("error %v", err)
	}
	check(c.Rename(ctx, "f", "g"))
	if e, err := c.MLST(ctx, "g"); err != nil || e.Size != 2500 || e.Type != ftpclient.EntryFile {
		t.Errorf("entry %+v, %v", e, err)
	}
	if e, err := c.MLSD(ctx, ""); err != nil || len(e) != 1 || e[0].Name != "g" {
		t.Errorf("entries %+v, %v", e, err)
	}
	if names, err := c.NameList(ctx, ""); err != nil || len(names) != 1 {
		t.Errorf("names %q, %v", names, err)
	}
	var list bytes.Buffer
	if err := c.List(ctx, "", &list); err != nil || !bytes.Contains(list.Bytes(), []byte(" g\r\n")) {
		t.Errorf("list %q, %v", &list, err)
	}
	if _, err := c.ModTime(ctx, "g"); err != nil {
		t.Error(err)
	}
	if f, err := c.Features(ctx); err != nil || !f.Has("SIZE") || !f.Has("MLST") {
		t.Errorf("features %v, %v", f, err)
	}
	if _, err := c.Retr(ctx, "none", io.Discard, nil); !isReply(550)(err) {
		t.Errorf("error %v", err)
	}
	check(c.Delete(ctx, "g"))
	check(c.ChangeDir(ctx, "/"))
	check(c.RemoveDir(ctx, "d ä"))

	// A download that is cancelled in the middle leaves a Conn that goes on.
	if err := os.WriteFile(filepath.Join(dir, "big"), random(4, 50_000_000), 0o600); err != nil {
		t.Fatal(err)
	}
	middle, cancel := context.WithCancel(ctx)
	_, err = c.Retr(middle, "big", io.Discard, &ftpclient.TransferOptions{Progress: func(done, _ int64) {
		if done > 1_000_000 {
			cancel()
		}
	}})
	cancel()
	if !errors.Is(err, context.Canceled) || errors.Is(err, ftpclient.ErrConnUnusable) {
		t.Errorf("error %v", err)
	}
	h := sha256.New()
	if _, err := c.Retr(ctx, "big", h, nil); err != nil || sum(h) != sumOf(random(4, 50_000_000)) {
		t.Errorf("after a cancelled download: %v", err)
	}
	check(c.Quit(ctx))
}
