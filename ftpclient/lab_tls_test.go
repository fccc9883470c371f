package ftpclient_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/internal/lab"
)

// Files of all sizes go to real servers under TLS and come back, on one control
// connection, and no data connection ends in a reset.
func TestLabTLS(t *testing.T) {
	for _, kind := range lab.Kinds() {
		for _, mode := range []lab.TLSMode{lab.ExplicitTLS, lab.ImplicitTLS} {
			for _, active := range []bool{false, true} {
				for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
					t.Run(fmt.Sprintf("%v/%v/active=%v/%s", kind, mode, active, tls.VersionName(version)), func(t *testing.T) {
						lab.NeedServer(t, kind)
						testLabTLS(t, kind, mode, active, version)
					})
				}
			}
		}
	}
}

// protect starts a server under TLS and returns who trusts it.
func protect(t *testing.T, l *lab.Lab, kind lab.Kind, mode lab.TLSMode, root string) (*lab.Server, *tls.Config) {
	t.Helper()
	server, err := l.Server.StartServer(t.Context(), lab.ServerConfig{Kind: kind, Root: root, TLS: mode})
	if errors.Is(err, errors.ErrUnsupported) {
		t.SkipNow() // pure-ftpd of Debian has no implicit TLS
	}
	if err != nil {
		t.Fatal(err)
	}
	roots, err := os.ReadFile(server.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(roots)
	return server, &tls.Config{RootCAs: pool}
}

// Many small files cross real servers under TLS, with whatever is sent ahead, and
// a large one comes in segments.
func TestLabTLSManyFiles(t *testing.T) {
	for _, kind := range lab.Kinds() {
		for _, active := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v/active=%v", kind, active), func(t *testing.T) {
				lab.NeedServer(t, kind)
				l := lab.ForTest(t, lab.Config{})
				root := lab.RootDir(t)
				server, trust := protect(t, l, kind, lab.ExplicitTLS, root)
				const size = 8 * mib
				large := random(7, size)
				if err := os.WriteFile(filepath.Join(root, lab.UploadDir, "large"), large, 0o644); err != nil {
					t.Fatal(err)
				}
				c, err := ftpclient.New(server.URL(""), &ftpclient.Config{Dialer: l.Client, Listener: l.Client, Active: active, TLS: trust})
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				roundTrip(t, c, smallFiles(lab.UploadDir+"/", 60), 3)
				dst := newMemory(size)
				result, err := c.DownloadSegments(t.Context(), dst, &ftpclient.Segments{Path: lab.UploadDir + "/large", Count: 4})
				if err != nil || result.Bytes != size || sumOf(dst.b) != sumOf(large) {
					t.Errorf("segments: %+v, %v", result, err)
				}
			})
		}
	}
}

func testLabTLS(t *testing.T, kind lab.Kind, mode lab.TLSMode, active bool, version uint16) {
	l := lab.ForTest(t, lab.Config{})
	root := lab.RootDir(t)
	server, trust := protect(t, l, kind, mode, root)
	trust.MaxVersion = version
	capture, err := l.Client.Capture()
	if err != nil {
		t.Fatal(err)
	}
	defer capture.Close()
	c, err := ftpclient.Dial(t.Context(), server.URL(""), &ftpclient.Config{
		Dialer: l.Client, Listener: l.Client, Active: active,
		TLS: trust, Trace: func(line string) { t.Log(line) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	lengths := sizes
	if version == tls.VersionTLS13 && !active {
		lengths = append(slices.Clip(lengths), 50_000_000)
	}
	for _, size := range lengths {
		path, content := fmt.Sprintf("%s/%d", lab.UploadDir, size), random(5, size)
		result, err := c.Stor(t.Context(), path, bytes.NewReader(content), nil)
		if err != nil || result.Verified != ftpclient.VerifiedSize {
			t.Fatalf("stor %d: %+v, %v", size, result, err)
		}
		if stored, err := os.ReadFile(filepath.Join(root, path)); err != nil || sumOf(stored) != sumOf(content) {
			t.Errorf("stored %d bytes of %d, or others: %v", len(stored), size, err)
		}
		h := sha256.New()
		result, err = c.Retr(t.Context(), path, h, nil)
		if err != nil || sum(h) != sumOf(content) || result.Verified != ftpclient.VerifiedSize || result.Unclosed {
			t.Errorf("retr %d: %+v, %v", size, result, err)
		}
	}
	var list bytes.Buffer
	if err := c.List(t.Context(), lab.UploadDir, &list); err != nil || !bytes.Contains(list.Bytes(), []byte("101701")) {
		t.Errorf("list %q, %v", &list, err)
	}
	segments, err := capture.Segments()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range segments {
		if s.RST {
			t.Error("a data connection ended by", s)
		}
	}
	if err := c.Quit(t.Context()); err != nil {
		t.Error(err)
	}
}
