package stack_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/net/nettest"

	"github.com/seed-54eb6215/xftp/frame"
	"github.com/seed-54eb6215/xftp/stack"
	"github.com/seed-54eb6215/xftp/stack/stacktest"
)

// TestNettest runs the tests that every net.Conn should pass.
func TestNettest(t *testing.T) {
	for _, to := range []netip.Prefix{addrB4, addrB6} {
		t.Run(to.Addr().String(), func(t *testing.T) {
			t.Parallel()
			nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
				p := newPair(t, stacktest.Options{})
				c1, c2 := p.connect(t, to)
				return c1, c2, func() { c1.Close(); c2.Close(); p.a.Close(); p.b.Close() }, nil
			})
		})
	}
}

// background runs f and returns a channel that yields its error.
func background(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return done
}

// fill writes until the peer's window and the send buffer are full, and leaves
// a write deadline that has passed.
func fill(t *testing.T, c *stack.Conn) {
	t.Helper()
	const peersBuffer = 4 << 20
	b := make([]byte, 1<<20)
	for total := 0; ; {
		if err := c.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		n, err := c.Write(b)
		if total += n; err == nil {
			continue
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		if total > peersBuffer { // else the machine is busy with something else
			return
		}
	}
}

// TestUnblock shows what ends a call that waits, and with which error.
func TestUnblock(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(p *pair, client, server *stack.Conn)
		want error
	}{
		{"deadline", func(_ *pair, c, _ *stack.Conn) { c.SetDeadline(time.Now().Add(time.Millisecond)) }, os.ErrDeadlineExceeded},
		{"deadline in the past", func(_ *pair, c, _ *stack.Conn) { c.SetDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
		{"deadline moved twice", func(_ *pair, c, _ *stack.Conn) {
			c.SetDeadline(time.Now().Add(time.Hour))
			c.SetDeadline(time.Time{})
			c.SetDeadline(time.Now().Add(time.Millisecond))
		}, os.ErrDeadlineExceeded},
		{"close", func(_ *pair, c, _ *stack.Conn) { c.Close() }, net.ErrClosed},
		{"stack closed", func(p *pair, _, _ *stack.Conn) { p.a.Close() }, net.ErrClosed},
		{"peer's stack closed", func(p *pair, _, _ *stack.Conn) { p.b.Close() }, syscall.ECONNRESET},
		{"reset", func(_ *pair, c, s *stack.Conn) {
			// The server has data that it did not read.
			s.Close()
		}, syscall.ECONNRESET},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, stacktest.Options{})
			client, server := p.connect(t, addrB4)
			fill(t, client)
			client.SetDeadline(time.Time{})
			read := background(func() error { _, err := client.Read(make([]byte, 1)); return err })
			writeTo := background(func() error { _, err := client.WriteTo(io.Discard); return err })
			write := background(func() error { _, err := client.Write(make([]byte, 64<<20)); return err })
			tt.end(p, client, server)
			for i, done := range []<-chan error{read, writeTo, write} { // all are told
				var op *net.OpError
				err := <-done
				if !errors.Is(err, tt.want) || !errors.As(err, &op) {
					t.Errorf("call %d: %v, want %v", i, err, tt.want)
				}
				if timeout := errors.Is(tt.want, os.ErrDeadlineExceeded); op != nil && op.Timeout() != timeout {
					t.Errorf("call %d: Timeout() is %t", i, op.Timeout())
				}
			}
		})
	}
}

// TestDeadlineMoved shows that a deadline that has passed can be taken back.
func TestDeadlineMoved(t *testing.T) {
	p := newPair(t, stacktest.Options{})
	client, server := p.connect(t, addrB4)
	client.SetReadDeadline(time.Unix(1, 0))
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	if _, err := client.Write([]byte("write deadlines are others")); err != nil {
		t.Fatal(err)
	}
	client.SetReadDeadline(time.Now().Add(time.Hour))
	read := background(func() error { _, err := client.Read(make([]byte, 1)); return err })
	if _, err := server.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := <-read; err != nil {
		t.Error(err)
	}
}

func TestHalfClose(t *testing.T) {
	p := newPair(t, stacktest.Options{})
	client, server := p.connect(t, addrB6)
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if n, err := server.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("read after the peer's CloseWrite: %d, %v", n, err)
	}
	if _, err := client.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("write after CloseWrite: %v", err)
	}
	move(t, server, client, 1, 1<<20)
}

func TestAfterClose(t *testing.T) {
	p := newPair(t, stacktest.Options{})
	client, _ := p.connect(t, addrB4)
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"Read":        second(client.Read(make([]byte, 1))),
		"Write":       second(client.Write(make([]byte, 1))),
		"empty Write": second(client.Write(nil)),
		"WriteTo":     second(client.WriteTo(io.Discard)),
		"ReadFrom":    second(client.ReadFrom(bytes.NewReader([]byte{1}))),
		"CloseWrite":  client.CloseWrite(),
		"SetDeadline": client.SetDeadline(time.Now()),
	} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := client.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if client.LocalAddr().String() == "" || client.RemoteAddr().(*net.TCPAddr).IP.String() != addrB4.Addr().String() {
		t.Errorf("addresses %v and %v", client.LocalAddr(), client.RemoteAddr())
	}
}

func second[T any](_ T, err error) error { return err }

// TestDialErrors shows the errors of connections that are not made.
func TestDialErrors(t *testing.T) {
	for _, tt := range []struct {
		name, network, address string
		want                   error
	}{
		{"refused", "tcp", "10.1.0.2:9", syscall.ECONNREFUSED},
		{"refused over IPv6", "tcp", "[fd00:1::2]:9", syscall.ECONNREFUSED},
		{"nobody there", "tcp", "10.1.0.77:21", syscall.EHOSTUNREACH},
		{"nobody there over IPv6", "tcp", "[fd00:1::77]:21", syscall.EHOSTUNREACH},
		{"no route", "tcp", "192.0.2.1:21", syscall.ENETUNREACH},
		{"network", "udp", "10.1.0.2:9", net.UnknownNetworkError("udp")},
		{"port", "tcp", "10.1.0.2:65536", nil},
		{"no port", "tcp", "10.1.0.2", nil},
		{"family", "tcp6", "10.1.0.2:9", nil},
		{"no name server", "tcp", "no.such.example:9", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, stacktest.Options{})
			c, err := p.a.DialContext(testContext(t), tt.network, tt.address)
			if err == nil {
				c.Close()
				t.Fatal("connected")
			}
			var op *net.OpError
			if !errors.As(err, &op) || op.Op != "dial" || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
}

func TestDialCancelled(t *testing.T) {
	t.Parallel()
	p := newPair(t, stacktest.Options{})
	p.wire.SetDown(true)
	ctx, cancel := context.WithCancel(context.Background())
	done := background(func() error { return second(p.a.DialContext(ctx, "tcp", "10.1.0.2:21")) })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	ctx, cancel = context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err := p.a.DialContext(ctx, "tcp", "10.1.0.2:21")
	var op *net.OpError
	if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &op) || !op.Timeout() {
		t.Errorf("deadline: %v", err)
	}
	done = background(func() error { return second(p.a.DialContext(context.Background(), "tcp", "10.1.0.2:21")) })
	p.a.Close()
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("stack closed: %v", err)
	}
	if _, err := p.a.DialContext(context.Background(), "tcp", "10.1.0.2:21"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("dial after Close: %v", err)
	}
	if _, err := p.a.Listen(context.Background(), "tcp", ":0"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("listen after Close: %v", err)
	}
}

// TestReadFrom writes what readers of several kinds yield.
func TestReadFrom(t *testing.T) {
	const size = 3<<20 + 17
	path := filepath.Join(t.TempDir(), "file")
	content, err := io.ReadAll(noise(1, size))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	errRead := errors.New("the reader fails")
	for _, tt := range []struct {
		name string
		open func(f *os.File) io.Reader
		want []byte
		err  error
	}{
		{"file", func(f *os.File) io.Reader { return f }, content, nil},
		{"file from the middle", func(f *os.File) io.Reader { f.Seek(1001, io.SeekStart); return f }, content[1001:], nil},
		{"part of a file", func(f *os.File) io.Reader { return io.LimitReader(f, 100_000) }, content[:100_000], nil},
		{"more than a file", func(f *os.File) io.Reader { return io.LimitReader(f, size+1) }, content, nil},
		{"nothing of a file", func(f *os.File) io.Reader { return io.LimitReader(f, 0) }, nil, nil},
		{"end of a file", func(f *os.File) io.Reader { f.Seek(0, io.SeekEnd); return f }, nil, nil},
		{"plain reader", func(f *os.File) io.Reader { return struct{ io.Reader }{f} }, content, nil},
		{"one byte at a time", func(f *os.File) io.Reader { return iotest.OneByteReader(io.LimitReader(f, 5000)) }, content[:5000], nil},
		{"data with the end", func(f *os.File) io.Reader { return iotest.DataErrReader(f) }, content, nil},
		{"reader that fails", func(f *os.File) io.Reader {
			return io.MultiReader(io.LimitReader(f, 70_000), iotest.ErrReader(errRead))
		}, content[:70_000], errRead},
		{"closed file", func(f *os.File) io.Reader { f.Close(); return f }, nil, os.ErrClosed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPair(t, stacktest.Options{})
			client, server := p.connect(t, addrB4)
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			sent := make(chan int64, 1)
			done := background(func() error {
				n, err := client.ReadFrom(tt.open(f))
				client.CloseWrite()
				sent <- n
				return err
			})
			h := sha256.New()
			n, err := server.WriteTo(h)
			if err != nil {
				t.Error(err)
			}
			if err := <-done; !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if m := <-sent; m != n || n != int64(len(tt.want)) {
				t.Errorf("%d bytes said to be sent, %d received, want %d", m, n, len(tt.want))
			}
			if want := sha256.Sum256(tt.want); !bytes.Equal(h.Sum(nil), want[:]) {
				t.Error("what was received is not what was sent")
			}
		})
	}
}

// TestReadFromTruncated cuts a file while it is sent.
func TestReadFromTruncated(t *testing.T) {
	p := newPair(t, stacktest.Options{})
	client, server := p.connect(t, addrB4)
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const size = 64 << 20 // more than fits the buffers; a hole
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	done := background(func() error { return second(client.ReadFrom(f)) })
	if _, err := io.CopyN(io.Discard, server, 1<<20); err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(12345); err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, server)
	if err := <-done; !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v", err)
	}
}

// failing is a device that fails when it is told to.
type failing struct {
	stack.Device
	once sync.Once
	bad  chan struct{}
}

var errDevice = errors.New("the device is gone")

func (f *failing) Receive(deliver func([]frame.Frame)) error {
	select {
	case <-f.bad:
		return errDevice
	default:
		return f.Device.Receive(deliver)
	}
}

func (f *failing) fail() {
	f.once.Do(func() { close(f.bad) })
	f.Wake()
}

// TestDeviceLost shows that whoever waits is told why.
func TestDeviceLost(t *testing.T) {
	t.Parallel()
	wire := stacktest.NewWire(stacktest.Options{})
	dev := &failing{Device: wire.A, bad: make(chan struct{})}
	p := &pair{wire: wire}
	p.a = newStack(t, stack.Config{Addresses: []netip.Prefix{addrA4}}, dev)
	p.b = newStack(t, stack.Config{Addresses: []netip.Prefix{addrB4}}, wire.B)
	l, err := p.a.Listen(testContext(t), "tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	client, server := p.connect(t, addrB4)
	if _, err := server.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	accept := background(func() error { return second(l.Accept()) })
	read := background(func() error { return second(client.WriteTo(io.Discard)) })
	write := background(func() error { return second(client.Write(make([]byte, 64<<20))) })
	dev.fail()
	for i, done := range []<-chan error{accept, read, write} {
		if err := <-done; !errors.Is(err, errDevice) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if _, err := p.a.DialContext(testContext(t), "tcp", "10.1.0.2:9"); !errors.Is(err, errDevice) {
		t.Errorf("dial: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
