package lab_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net/textproto"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// eachServer runs a test against every kind of server.
func eachServer(t *testing.T, test func(*testing.T, lab.Kind)) {
	for _, kind := range lab.Kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			lab.NeedServer(t, kind)
			test(t, kind)
		})
	}
}

func start(t *testing.T, h *lab.Host, cfg lab.ServerConfig) *lab.Server {
	t.Helper()
	s, err := h.StartServer(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestServersMoveFiles(t *testing.T) {
	eachServer(t, func(t *testing.T, kind lab.Kind) {
		l := lab.ForTest(t, lab.Config{})
		root := lab.RootDir(t)
		content := make([]byte, 3<<20+17)
		rand.NewChaCha8([32]byte{1}).Read(content)
		if err := os.WriteFile(filepath.Join(root, "down"), content, 0o644); err != nil {
			t.Fatal(err)
		}
		want := sha256.Sum256(content)
		s := start(t, l.Server, lab.ServerConfig{Kind: kind, Root: root})
		for _, family := range []struct {
			name  string
			v6    bool
			modes []string
		}{
			{"IPv4", false, []string{"PASV", "EPSV", "PORT", "EPRT"}},
			{"IPv6", true, []string{"EPSV", "EPRT"}},
		} {
			for _, mode := range family.modes {
				t.Run(family.name+"/"+mode, func(t *testing.T) {
					c := login(t, l.Client, s.Addr(family.v6), "anonymous", "x@y")
					h := sha256.New()
					c.retr(mode, "down", h)
					if got := [sha256.Size]byte(h.Sum(nil)); got != want {
						t.Errorf("downloaded %x, want %x", got, want)
					}
					c.stor(mode, "upload/up", bytes.NewReader(content))
					up, err := os.ReadFile(filepath.Join(root, "upload/up"))
					if err != nil {
						t.Fatal(err)
					}
					if got := sha256.Sum256(up); got != want {
						t.Errorf("uploaded %x, want %x", got, want)
					}
					// What the client needs besides transfers.
					c.cmd(350, "RNFR upload/up")
					c.cmd(250, "RNTO upload/renamed")
					c.cmd(257, "MKD upload/sub")
					c.cmd(250, "RMD upload/sub")
					c.cmd(250, "DELE upload/renamed")
					c.cmd(221, "QUIT")
				})
			}
		}
	})
}

func TestServerOnAnotherPort(t *testing.T) {
	eachServer(t, func(t *testing.T, kind lab.Kind) {
		l := lab.ForTest(t, lab.Config{})
		root := lab.RootDir(t)
		s := start(t, l.Server, lab.ServerConfig{Kind: kind, Root: root, Port: 2121})
		if got, want := s.URL("a b"), "ftp://10.99.0.2:2121/a%20b"; got != want {
			t.Errorf("URL is %s, want %s", got, want)
		}
		if got, want := s.URL6("/f"), "ftp://[fd99::2]:2121/f"; got != want {
			t.Errorf("URL6 is %s, want %s", got, want)
		}
		other := start(t, l.Server, lab.ServerConfig{Kind: kind, Root: root})
		if got, want := other.URL6("f"), "ftp://[fd99::2]/f"; got != want {
			t.Errorf("URL6 is %s, want %s", got, want)
		}
		login(t, l.Client, s.Addr(false), "anonymous", "")
		login(t, l.Client, other.Addr(true), "anonymous", "")
		_, err := l.Server.StartServer(t.Context(), lab.ServerConfig{Kind: kind, Root: root})
		if !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("a second server on port 21: %v, want %v", err, syscall.EADDRINUSE)
		}
	})
}

func TestReadOnlyServer(t *testing.T) {
	eachServer(t, func(t *testing.T, kind lab.Kind) {
		l := lab.ForTest(t, lab.Config{})
		root := lab.RootDir(t)
		if err := os.WriteFile(filepath.Join(root, "f"), []byte("kept"), 0o644); err != nil {
			t.Fatal(err)
		}
		s := start(t, l.Server, lab.ServerConfig{Kind: kind, Root: root, ReadOnly: true})
		c := login(t, l.Client, s.Addr(false), "anonymous", "")
		for _, command := range []string{"DELE f", "MKD d", "STOR f"} {
			if command == "STOR f" {
				c.data("EPSV")
			}
			if _, err := c.ctl.Cmd("%s", command); err != nil {
				t.Fatal(err)
			}
			if _, _, err := c.ctl.ReadResponse(5); err != nil {
				t.Errorf("%s: %v, want a reply of class 5", command, err)
			}
		}
		if b, err := os.ReadFile(filepath.Join(root, "f")); err != nil || string(b) != "kept" {
			t.Errorf("file holds %q, %v", b, err)
		}
	})
}

func TestEmbeddedUsers(t *testing.T) {
	l := lab.ForTest(t, lab.Config{})
	s := start(t, l.Server, lab.ServerConfig{
		Root: lab.RootDir(t), NoAnonymous: true, Users: map[string]string{"ann": "secret"},
	})
	login(t, l.Client, s.Addr(false), "ann", "secret")
	for user, pass := range map[string]string{"ann": "wrong", "anonymous": "x@y", "bob": ""} {
		conn, err := l.Client.DialContext(t.Context(), "tcp", s.Addr(false).String())
		if err != nil {
			t.Fatal(err)
		}
		c := &session{t: t, ctl: textproto.NewConn(conn)}
		c.expect(220)
		c.cmd(331, "USER %s", user)
		c.cmd(530, "PASS %s", pass)
		c.ctl.Close()
	}
}

// TestStopEndsSessions in the midst of a transfer.
func TestStopEndsSessions(t *testing.T) {
	eachServer(t, func(t *testing.T, kind lab.Kind) {
		l := lab.ForTest(t, lab.Config{})
		root := lab.RootDir(t)
		if err := os.Mkdir(filepath.Join(root, "d"), 0o777); err != nil {
			t.Fatal(err)
		}
		// A file far larger than the buffers between the two.
		if err := os.WriteFile(filepath.Join(root, "big"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(filepath.Join(root, "big"), 1<<30); err != nil {
			t.Fatal(err)
		}
		s := start(t, l.Server, lab.ServerConfig{Kind: kind, Root: root})
		c := login(t, l.Client, s.Addr(false), "anonymous", "")
		open := c.data("EPSV")
		c.cmd(150, "RETR big")
		conn := open()
		defer conn.Close()
		if _, err := io.CopyN(io.Discard, conn, 1<<20); err != nil {
			t.Fatal(err)
		}
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
		if err := s.Stop(); err != nil {
			t.Errorf("second Stop: %v", err)
		}
		if n := serving(t, l.Server.Name); n != 0 {
			t.Errorf("%d processes left in the server's namespace", n)
		}
		// The control connection ends too, and the port is free again.
		if _, err := c.ctl.ReadLine(); err == nil {
			t.Error("a reply after Stop")
		}
		start(t, l.Server, lab.ServerConfig{Kind: kind, Root: root})
	})
}

// TestServerOutlivesItsSessions: what a client does to its session is of no
// consequence to the next one.
func TestServerOutlivesItsSessions(t *testing.T) {
	eachServer(t, func(t *testing.T, kind lab.Kind) {
		l := lab.ForTest(t, lab.Config{})
		root := lab.RootDir(t)
		if err := os.WriteFile(filepath.Join(root, "big"), make([]byte, 64<<20), 0o644); err != nil {
			t.Fatal(err)
		}
		s := start(t, l.Server, lab.ServerConfig{Kind: kind, Root: root})
		for range 20 {
			c := login(t, l.Client, s.Addr(false), "anonymous", "")
			open := c.data("EPSV")
			c.cmd(150, "RETR big")
			conn := open()
			if _, err := io.CopyN(io.Discard, conn, 1); err != nil {
				t.Fatal(err)
			}
			c.ctl.Close()
			conn.Close()
		}
		c := login(t, l.Client, s.Addr(false), "anonymous", "")
		c.cmd(221, "QUIT")
	})
}

// serving counts the processes whose main thread is in a network namespace.
func serving(t *testing.T, name string) int {
	t.Helper()
	var want, got syscall.Stat_t
	if err := syscall.Stat("/run/netns/"+name, &want); err != nil {
		t.Fatal(err)
	}
	procs, err := filepath.Glob("/proc/[0-9]*/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, p := range procs {
		if syscall.Stat(p, &got) == nil && got.Ino == want.Ino && got.Dev == want.Dev {
			n++
		}
	}
	return n
}

func TestServerThatCannotStart(t *testing.T) {
	eachServer(t, func(t *testing.T, kind lab.Kind) {
		l := lab.ForTest(t, lab.Config{})
		root := lab.RootDir(t)
		_, err := l.Server.StartServer(t.Context(), lab.ServerConfig{Kind: kind, Root: root + "/none"})
		if !errors.Is(err, os.ErrNotExist) {
			t.Errorf("without a root: %v, want %v", err, os.ErrNotExist)
		}
		ln, err := l.Server.Listen(t.Context(), "tcp", ":2121")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		if kind == lab.Embedded { // vsftpd's own word for it is only a 500
			_, err = l.Server.StartServer(t.Context(), lab.ServerConfig{Kind: kind, Root: root, Port: 2121})
			if err == nil || !bytes.Contains([]byte(err.Error()), []byte("address already in use")) {
				t.Errorf("on a taken port: %v, want it to say so", err)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		_, err = l.Server.StartServer(t.Context(), lab.ServerConfig{Kind: kind, Root: root})
		if !errors.Is(err, lab.ErrClosed) {
			t.Errorf("after Close: %v, want %v", err, lab.ErrClosed)
		}
	})
}
