package nic_test

import (
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/seed-54eb6215/xftp/internal/lab"
	"github.com/seed-54eb6215/xftp/internal/leak"
	"github.com/seed-54eb6215/xftp/stack/nic"
	"github.com/seed-54eb6215/xftp/xdp"
)

func TestMain(m *testing.M) {
	lab.Main()
	os.Exit(m.Run())
}

// open opens a NIC on the lab's client.
func open(t *testing.T, l *lab.Lab, change func(*nic.Config)) (*nic.NIC, error) {
	t.Helper()
	cfg := nic.Config{Interface: l.Client.Interface, Addresses: []netip.Prefix{l.Client.OwnIPv4, l.Client.OwnIPv6}}
	if change != nil {
		change(&cfg)
	}
	var n *nic.NIC
	err := l.Client.Do(func() (err error) {
		n, err = nic.Open(t.Context(), cfg)
		return err
	})
	return n, err
}

// source serves the same bytes to whoever connects, from the server's host.
func source(t *testing.T, l *lab.Lab, size int64) (addr string, sum [32]byte) {
	t.Helper()
	h := sha256.New()
	if _, err := io.CopyN(h, rand.NewChaCha8([32]byte{3}), size); err != nil {
		t.Fatal(err)
	}
	ln, err := l.Server.Listen(t.Context(), "tcp", net.JoinHostPort(l.Server.IPv4.Addr().String(), "0"))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			// A client that goes away early is the client's affair.
			_, _ = io.CopyN(c, rand.NewChaCha8([32]byte{3}), size)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { ln.Close(); <-done })
	return ln.Addr().String(), [32]byte(h.Sum(nil))
}

// fetch reads all from addr over n and returns the hash.
func fetch(t *testing.T, n *nic.NIC, addr string) [32]byte {
	t.Helper()
	c, err := n.DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	h := sha256.New()
	if _, err := io.Copy(h, c); err != nil {
		t.Fatal(err)
	}
	return [32]byte(h.Sum(nil))
}

// held counts what this process holds: descriptors, mappings of sockets.
type held struct{ descriptors, mappings int }

func holds(t *testing.T) held {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return held{len(fds), strings.Count(string(maps), "socket:[")}
}

// TestOpenClose opens the whole path a hundred times in one process, with a
// connection each time, and leaves nothing behind.
func TestOpenClose(t *testing.T) {
	l := lab.ForTest(t, lab.Config{})
	const size = 300_000
	addr, want := source(t, l, size)
	round := func() {
		n, err := open(t, l, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := fetch(t, n, addr); got != want {
			t.Error("the bytes received are not those sent")
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}
	round() // what is opened once for the life of the process
	before, goroutines := holds(t), goleak.IgnoreCurrent()
	for range 100 {
		round()
	}
	if err := leak.Find(goroutines); err != nil {
		t.Error(err)
	}
	after := holds(t)
	if after.descriptors > before.descriptors || after.mappings > before.mappings {
		t.Errorf("after 100 rounds the process holds %+v, before %+v", after, before)
	}
	if ids, err := l.Client.XDPPrograms(); err != nil || len(ids) > 0 {
		t.Errorf("XDP programs on the interface: %v (%v)", ids, err)
	}
}

// TestOpenErrors: each step that can go wrong says so, with a cause that can
// be branched on, and leaves nothing attached.
func TestOpenErrors(t *testing.T) {
	l := lab.ForTest(t, lab.Config{})
	before := holds(t)
	for _, tt := range []struct {
		name, step string
		change     func(*nic.Config)
		want       error
	}{
		{"unknown interface", "find interface", func(c *nic.Config) { c.Interface = "nope0" }, nic.ErrNoInterface},
		{"loopback", "find interface", func(c *nic.Config) { c.Interface = "lo" }, nic.ErrUnsupported},
		{"no address", "check address", func(c *nic.Config) { c.Addresses = nil }, nil},
		{"the host's address", "check address", func(c *nic.Config) { c.Addresses = []netip.Prefix{l.Client.IPv4} }, nic.ErrAddressInUse},
		{"no such queue", "choose queue", func(c *nic.Config) { c.Queue = 1 }, nil},
		{"no zero-copy", "open socket", func(c *nic.Config) { c.Mode = xdp.ModeZeroCopy }, unix.EOPNOTSUPP},
		{"second gateway", "start stack", func(c *nic.Config) {
			c.Gateways = []netip.Addr{l.Server.IPv4.Addr(), l.Server.IPv4.Addr()}
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, err := open(t, l, tt.change)
			if err == nil {
				n.Close()
				t.Fatal("Open succeeded")
			}
			var setup *nic.SetupError
			if !errors.As(err, &setup) || setup.Step != tt.step || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("error %v, want step %q and cause %v", err, tt.step, tt.want)
			}
		})
	}
	if ids, err := l.Client.XDPPrograms(); err != nil || len(ids) > 0 {
		t.Errorf("XDP programs on the interface: %v (%v)", ids, err)
	}
	if after := holds(t); after.descriptors > before.descriptors || after.mappings > before.mappings {
		t.Errorf("the process holds %+v, before %+v", after, before)
	}
}

// TestLinkDown takes the link down; Open says so.
func TestLinkDown(t *testing.T) {
	l := lab.ForTest(t, lab.Config{})
	if err := l.Client.SetLink(false); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, l, nil); !errors.Is(err, nic.ErrLinkDown) {
		t.Errorf("error %v, want %v", err, nic.ErrLinkDown)
	}
	if err := l.Client.SetLink(true); err != nil {
		t.Fatal(err)
	}
	if err := l.Server.SetLink(false); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, l, nil); !errors.Is(err, nic.ErrNoCarrier) {
		t.Errorf("error %v, want %v", err, nic.ErrNoCarrier)
	}
}

// TestLinkFlap takes the link down and up again in the midst of a transfer,
// which goes on.
func TestLinkFlap(t *testing.T) {
	l := lab.ForTest(t, lab.Config{})
	const size = 200e6
	addr, want := source(t, l, size)
	n, err := open(t, l, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	c, err := n.DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	h := sha256.New()
	if _, err := io.CopyN(h, c, 10e6); err != nil {
		t.Fatal(err)
	}
	if err := l.Client.SetLink(false); err != nil {
		t.Fatal(err)
	}
	if err := l.Client.SetLink(true); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(h, c); err != nil {
		t.Fatal(err)
	}
	if [32]byte(h.Sum(nil)) != want {
		t.Error("the bytes received are not those sent")
	}
}
