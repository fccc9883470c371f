package ftpclient

import (
	"bytes"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
)

// A stackConn is a connection with ways of its own to copy, as those of a
// user-space stack.
type stackConn struct {
	net.Conn // nil: neither Read nor Write may be called
	in       []string
	out      bytes.Buffer
}

func (c *stackConn) WriteTo(w io.Writer) (total int64, err error) {
	for _, piece := range c.in {
		n, err := io.WriteString(w, piece)
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

func (c *stackConn) ReadFrom(r io.Reader) (int64, error) { return c.out.ReadFrom(r) }

func TestCopyByStack(t *testing.T) {
	c := &Conn{cfg: (*Config)(nil).withDefaults()}
	var told []int64
	m := &meter{total: -1, progress: func(done, _ int64) { told = append(told, done) }}
	var got strings.Builder
	n, err := c.download(&got, &stackConn{in: []string{"ab", "cde"}}, m)
	if err != nil || n != 5 || got.String() != "abcde" || len(told) != 2 || told[1] != 5 {
		t.Errorf("download: %d, %v, %q, progress %v", n, err, &got, told)
	}

	conn := new(stackConn)
	m = &meter{total: -1}
	n, err = c.upload(conn, strings.NewReader("abcde"), m)
	if err != nil || n != 5 || conn.out.String() != "abcde" || m.bytes.Load() != 5 {
		t.Errorf("upload: %d, %v, %q", n, err, &conn.out)
	}
}

// shortWriter breaks the contract of io.Writer.
type shortWriter struct{}

func (shortWriter) Write(p []byte) (int, error) { return len(p) - 1, nil }

// Errors of the caller's reader and writer are told from the network's.
func TestCopyLocalErrors(t *testing.T) {
	c := &Conn{cfg: (*Config)(nil).withDefaults()}
	n, err := c.download(shortWriter{}, &stackConn{in: []string{"ab", "cde"}}, new(meter))
	var local *localError
	if !errors.As(err, &local) || !errors.Is(err, io.ErrShortWrite) || n != 1 {
		t.Errorf("download: %d, %v", n, err)
	}
	broken := errors.New("broken")
	_, err = c.upload(new(stackConn), io.MultiReader(strings.NewReader("ab"), errReader{broken}), new(meter))
	if !errors.As(err, &local) || !errors.Is(err, broken) {
		t.Errorf("upload: %v", err)
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

// The kernel knows what the peer has not read.
func TestUnacknowledged(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	peer, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if n := unacknowledged(conn); n != 0 {
		t.Errorf("%d bytes before any was written", n)
	}
	if runtime.GOOS != "linux" {
		return
	}
	// More than the peer's window of 64 KiB holds, which nobody reads, and not
	// more than the kernel takes.
	err = errors.Join(peer.(*net.TCPConn).SetReadBuffer(4<<10), conn.(*net.TCPConn).SetWriteBuffer(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(make([]byte, 150_000)); err != nil {
		t.Fatal(err)
	}
	if n := unacknowledged(conn); n == 0 {
		t.Error("0 bytes after more than the window")
	}
}
