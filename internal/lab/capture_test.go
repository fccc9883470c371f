package lab_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// TestCapture: a data connection that both ends close has no RST, and one that
// the client breaks off has.
func TestCapture(t *testing.T) {
	l := lab.ForTest(t, lab.Config{})
	root := lab.RootDir(t)
	content := make([]byte, 8<<20)
	if err := os.WriteFile(filepath.Join(root, "f"), content, 0o644); err != nil {
		t.Fatal(err)
	}
	s := start(t, l.Server, lab.ServerConfig{Root: root})
	capture, err := l.Server.Capture()
	if err != nil {
		t.Fatal(err)
	}
	defer capture.Close()
	count := func() (connections, ends, resets int) {
		t.Helper()
		all, err := capture.Segments()
		if err != nil {
			t.Fatal(err)
		}
		for _, segment := range all {
			if segment.From.Port() == 21 || segment.To.Port() == 21 {
				continue
			}
			switch {
			case segment.RST:
				resets++
			case segment.FIN:
				ends++
			case !segment.ACK:
				connections++
			}
		}
		return connections, ends, resets
	}
	for _, v6 := range []bool{false, true} {
		c := login(t, l.Client, s.Addr(v6), "anonymous", "")
		for _, mode := range []string{"EPSV", "EPRT"} {
			c.retr(mode, "f", io.Discard)
			c.stor(mode, "upload/f", bytes.NewReader(content))
		}
		if connections, ends, resets := count(); connections != 4 || ends < 8 || resets != 0 {
			t.Errorf("%d data connections with %d FINs and %d resets, want 4 with at least two each, and none", connections, ends, resets)
		}
		open := c.data("EPSV")
		c.cmd(150, "RETR f")
		conn := open()
		if _, err := io.CopyN(io.Discard, conn, 1); err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.TCPConn).SetLinger(0); err != nil {
			t.Fatal(err)
		}
		conn.Close()
		if _, _, err := c.ctl.ReadResponse(550); err != nil {
			t.Fatal(err)
		}
		if connections, _, resets := count(); connections != 1 || resets == 0 {
			t.Errorf("%d data connections with %d resets, want 1 that the client reset", connections, resets)
		}
	}
}
