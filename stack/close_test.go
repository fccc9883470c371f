package stack_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/frame"
	"github.com/seed-54eb6215/xftp/stack"
	"github.com/seed-54eb6215/xftp/stack/stacktest"
)

// TestCloseLingers shows that what was written to a closed connection is
// delivered whole before Close of the stack returns.
func TestCloseLingers(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    stacktest.Options
	}{
		{"at once", stacktest.Options{}},
		{"over a delay", stacktest.Options{AtoB: stacktest.Impairment{Delay: 5 * time.Millisecond}, BtoA: stacktest.Impairment{Delay: 5 * time.Millisecond}}},
		{"over a narrow wire", stacktest.Options{Buffers: 32}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := &pair{wire: stacktest.NewWire(tt.o)}
			p.a = newStack(t, stack.Config{Addresses: []netip.Prefix{addrA4}, Linger: time.Minute}, p.wire.A)
			p.b = newStack(t, stack.Config{Addresses: []netip.Prefix{addrB4}}, p.wire.B)
			client, server := p.connect(t, addrB4)
			const size = 3 << 20 // fits the send buffer
			if _, err := io.Copy(client, noise(1, size)); err != nil {
				t.Fatal(err)
			}
			if err := client.Close(); err != nil {
				t.Fatal(err)
			}
			closed := background(p.a.Close)
			if got, want := hashOf(t, server), hashOf(t, noise(1, size)); got != want {
				t.Error("the peer did not receive what was written before Close")
			}
			if err := <-closed; err != nil {
				t.Error(err)
			}
		})
	}
}

// TestCloseLingerEnds shows that Close does not wait for ever for a peer that
// does not read, and that the peer does not take what it has for the whole.
func TestCloseLingerEnds(t *testing.T) {
	t.Parallel()
	// Room for all that can be on the way: a reset is sent once.
	wire := stacktest.NewWire(stacktest.Options{Buffers: 8192})
	p := &pair{wire: wire}
	p.a = newStack(t, stack.Config{Addresses: []netip.Prefix{addrA4}, Linger: 10 * time.Millisecond}, wire.A)
	// A window that is full before the writer is.
	p.b = newStack(t, stack.Config{Addresses: []netip.Prefix{addrB4}, ReceiveBuffer: 1 << 20}, wire.B)
	client, server := p.connect(t, addrB4)
	fill(t, client)
	client.Close()
	if err := p.a.Close(); err != nil {
		t.Error(err)
	}
	if _, err := io.Copy(io.Discard, server); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the peer reads: %v", err)
	}
}

// A resetCounter counts the resets that a stack sends.
type resetCounter struct {
	*stacktest.End
	reserved [][]byte
	resets   atomic.Int64
}

func (r *resetCounter) Reserve(bufs [][]byte) int {
	n := r.End.Reserve(bufs)
	r.reserved = append(r.reserved[:0], bufs[:n]...)
	return n
}

func (r *resetCounter) Submit(lengths []int) error {
	const flags = frame.HeaderLen + 20 + 13 // of TCP behind an IPv4 header without options
	for i := range lengths {
		if b := r.reserved[i][:lengths[i]]; len(b) > flags && b[frame.HeaderLen+9] == 6 && b[flags]&4 != 0 {
			r.resets.Add(1)
		}
	}
	return r.End.Submit(lengths)
}

// TestCloseEnded shows that Close resets no connection that both ends have
// closed, and one that is open.
func TestCloseEnded(t *testing.T) {
	t.Parallel()
	wire := stacktest.NewWire(stacktest.Options{})
	counter := &resetCounter{End: wire.A}
	p := &pair{wire: wire}
	p.a = newStack(t, stack.Config{Addresses: []netip.Prefix{addrA4}}, counter)
	p.b = newStack(t, stack.Config{Addresses: []netip.Prefix{addrB4}}, wire.B)
	open, _ := p.connect(t, addrB4)
	defer open.Close()
	client, server := p.connect(t, addrB4)
	if err := client.CloseWrite(); err != nil { // the first to close waits
		t.Fatal(err)
	}
	for _, c := range []*stack.Conn{server, client} {
		if _, err := io.Copy(io.Discard, c); err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.a.Close(); err != nil {
		t.Error(err)
	}
	if n := counter.resets.Load(); n != 1 {
		t.Errorf("%d resets were sent, want one, of the connection that was open", n)
	}
}

// TestCloseOpen closes a stack that has connections and a listener, twice.
func TestCloseOpen(t *testing.T) {
	t.Parallel()
	p := newPair(t, stacktest.Options{})
	l, err := p.a.Listen(testContext(t), "tcp", "10.1.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c1, s1 := p.connect(t, addrB4)
	c2, s2 := p.connect(t, addrB6)
	unaccepted, err := p.b.DialContext(testContext(t), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer unaccepted.Close()
	for range 2 {
		if err := p.a.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []*stack.Conn{s1, s2} {
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the peer of a connection that was open reads: %v", err)
		}
	}
	for _, c := range []*stack.Conn{c1, c2} {
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read after the stack was closed: %v", err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept after the stack was closed: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// TestNewFails shows that New closes the devices that it does not use.
func TestNewFails(t *testing.T) {
	wire := stacktest.NewWire(stacktest.Options{})
	other := stacktest.NewWire(stacktest.Options{MTU: 9000})
	ok := []netip.Prefix{addrA4}
	for name, f := range map[string]func() (*stack.Stack, error){
		"no address": func() (*stack.Stack, error) { return stack.New(stack.Config{}, wire.A) },
		"group": func() (*stack.Stack, error) {
			return stack.New(stack.Config{Addresses: []netip.Prefix{netip.MustParsePrefix("224.0.0.1/4")}}, wire.A)
		},
		"no device": func() (*stack.Stack, error) { return stack.New(stack.Config{Addresses: ok}) },
		"two NICs":  func() (*stack.Stack, error) { return stack.New(stack.Config{Addresses: ok}, wire.A, other.A) },
		"two default": func() (*stack.Stack, error) {
			return stack.New(stack.Config{Addresses: ok, Gateways: []netip.Addr{addrB4.Addr(), addrB4.Addr()}}, wire.A)
		},
		"duplicate": func() (*stack.Stack, error) {
			return stack.New(stack.Config{Addresses: []netip.Prefix{addrA4, addrA4}}, wire.A)
		},
	} {
		if s, err := f(); err == nil {
			s.Close()
			t.Errorf("%s: accepted", name)
		}
	}
	if err := wire.A.Receive(nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the device was left open: %v", err)
	}
}

func TestListen(t *testing.T) {
	ctx := testContext(t)
	p := newPair(t, stacktest.Options{})
	for _, tt := range []struct {
		name, network, address string
		want                   error
	}{
		{"foreign address", "tcp", "10.1.0.2:0", syscall.EADDRNOTAVAIL},
		{"foreign IPv6 address", "tcp", "[fd00:1::2]:0", syscall.EADDRNOTAVAIL},
		{"family", "tcp4", "[fd00:1::1]:0", nil},
		{"family", "tcp6", "10.1.0.1:0", nil},
		{"name", "tcp", "localhost:0", nil},
		{"port", "tcp", "10.1.0.1:70000", nil},
		{"no port", "tcp", "10.1.0.1", nil},
		{"network", "udp", "10.1.0.1:0", net.UnknownNetworkError("udp")},
	} {
		l, err := p.a.Listen(ctx, tt.network, tt.address)
		var op *net.OpError
		switch {
		case err == nil:
			l.Close()
			t.Errorf("%s %s: accepted", tt.name, tt.address)
		case !errors.As(err, &op) || tt.want != nil && !errors.Is(err, tt.want):
			t.Errorf("%s %s: %v", tt.name, tt.address, err)
		}
	}

	l, err := p.a.Listen(ctx, "tcp", "10.1.0.1:2121")
	if err != nil {
		t.Fatal(err)
	}
	if got := l.Addr().String(); got != "10.1.0.1:2121" {
		t.Errorf("address %s", got)
	}
	if _, err := p.a.Listen(ctx, "tcp", "10.1.0.1:2121"); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("port twice: %v", err)
	}
	done := background(func() error { return second(l.Accept()) })
	for range 2 {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept: %v", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept after Close: %v", err)
	}
	if _, err := p.b.DialContext(ctx, "tcp", "10.1.0.1:2121"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial after Close: %v", err)
	}
}

// TestListenAny listens on all addresses of one family, and on no other.
func TestListenAny(t *testing.T) {
	ctx := testContext(t)
	p := newPair(t, stacktest.Options{})
	for network, addrs := range map[string][2]string{"tcp4": {"10.1.0.1", "fd00:1::1"}, "tcp6": {"fd00:1::1", "10.1.0.1"}} {
		l, err := p.a.Listen(ctx, network, ":2100")
		if err != nil {
			t.Fatal(err)
		}
		echo := background(func() error {
			c, err := l.Accept()
			if err != nil {
				return err
			}
			defer c.Close()
			_, err = io.Copy(c, c)
			return err
		})
		c, err := p.b.DialContext(ctx, "tcp", net.JoinHostPort(addrs[0], "2100"))
		if err != nil {
			t.Fatal(err)
		}
		c.Write([]byte("hello"))
		c.(*stack.Conn).CloseWrite()
		if b, err := io.ReadAll(c); err != nil || !bytes.Equal(b, []byte("hello")) {
			t.Errorf("%q, %v", b, err)
		}
		if err := <-echo; err != nil {
			t.Error(err)
		}
		c.Close()
		if c, err := p.b.DialContext(ctx, "tcp", net.JoinHostPort(addrs[1], "2100")); !errors.Is(err, syscall.ECONNREFUSED) {
			if err == nil {
				c.Close()
			}
			t.Errorf("%s takes connections of the other family: %v", network, err)
		}
		l.Close()
	}
}
