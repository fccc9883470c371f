package stack_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/stack"
	"github.com/seed-54eb6215/xftp/stack/stacktest"
)

var (
	addrA4 = netip.MustParsePrefix("10.1.0.1/24")
	addrB4 = netip.MustParsePrefix("10.1.0.2/24")
	addrA6 = netip.MustParsePrefix("fd00:1::1/64")
	addrB6 = netip.MustParsePrefix("fd00:1::2/64")
)

// pair is two stacks on one wire.
type pair struct {
	wire *stacktest.Wire
	a, b *stack.Stack
}

func newPair(t testing.TB, o stacktest.Options) *pair {
	t.Helper()
	p := &pair{wire: stacktest.NewWire(o)}
	p.a = newStack(t, stack.Config{Addresses: []netip.Prefix{addrA4, addrA6}}, p.wire.A)
	p.b = newStack(t, stack.Config{Addresses: []netip.Prefix{addrB4, addrB6}}, p.wire.B)
	return p
}

func newStack(t testing.TB, cfg stack.Config, d ...stack.Device) *stack.Stack {
	t.Helper()
	s, err := stack.New(cfg, d...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// testContext ends a test that hangs long before the test binary would.
func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// connect returns the two ends of a connection from a to b.
func (p *pair) connect(t testing.TB, to netip.Prefix) (client, server *stack.Conn) {
	t.Helper()
	ctx := testContext(t)
	l, err := p.b.Listen(ctx, "tcp", netip.AddrPortFrom(to.Addr(), 0).String())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	type result struct {
		c   net.Conn
		err error
	}
	accepted := make(chan result, 1)
	go func() {
		c, err := l.Accept()
		accepted <- result{c, err}
	}()
	c, err := p.a.DialContext(ctx, "tcp", l.Addr().String())
	if err != nil {
		l.Close()
		<-accepted
		t.Fatal(err)
	}
	r := <-accepted
	if r.err != nil {
		t.Fatal(r.err)
	}
	t.Cleanup(func() { c.Close(); r.c.Close() })
	return c.(*stack.Conn), r.c.(*stack.Conn)
}

// noise yields n pseudo-random bytes, and keeps their hash in sum.
func noise(seed uint64, n int64) io.Reader {
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	return io.LimitReader(rand.NewChaCha8(key), n)
}

func hashOf(t testing.TB, r io.Reader) string {
	t.Helper()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		t.Error(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// move sends n bytes from one end to the other and compares hashes.
func move(t testing.TB, from, to *stack.Conn, seed uint64, n int64) {
	t.Helper()
	sent := make(chan error, 1)
	go func() {
		_, err := io.Copy(from, noise(seed, n))
		if err == nil {
			err = from.CloseWrite()
		}
		sent <- err
	}()
	h := sha256.New()
	got, err := io.Copy(h, to)
	if err != nil {
		t.Errorf("receive: %v", err)
	}
	if err := <-sent; err != nil {
		t.Errorf("send: %v", err)
	}
	if got != n || fmt.Sprintf("%x", h.Sum(nil)) != hashOf(t, noise(seed, n)) {
		t.Errorf("received %d bytes that are not the %d sent", got, n)
	}
}

func TestTransfer(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    stacktest.Options
		to   netip.Prefix
	}{
		{"IPv4", stacktest.Options{}, addrB4},
		{"IPv6", stacktest.Options{}, addrB6},
		{"MTU 1280", stacktest.Options{MTU: 1280}, addrB6},
		{"MTU 9000", stacktest.Options{MTU: 9000}, addrB4},
		{"few buffers", stacktest.Options{Buffers: 16}, addrB4},
		{"frames in parts", stacktest.Options{Parts: 512}, addrB4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPair(t, tt.o)
			down, up := p.connect(t, tt.to)
			move(t, up, down, 1, 8<<20)
			move(t, down, up, 2, 8<<20)
		})
	}
}
