package xdp

import (
	"encoding/binary"
	"net/netip"
	"os"
	"runtime"
	"testing"

	"github.com/seed-54eb6215/xftp/frame"
	"github.com/seed-54eb6215/xftp/internal/lab"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// A wire is a veth pair between two network namespaces, without addresses.
type wire struct{ near, far end }

type end struct {
	t     testing.TB
	space netns.NsHandle
	index int
	addr  netip.Addr // that the end's program lets through
}

type wireConfig struct{ mtu, nearRX, nearTX int }

func newWire(t testing.TB, cfg wireConfig) *wire {
	t.Helper()
	lab.NeedRoot(t)
	near, far := newSpace(t), newSpace(t)
	near.addr, far.addr = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	near.do(func() error {
		pair := &netlink.Veth{
			LinkAttrs: netlink.LinkAttrs{
				Name: "near", MTU: cfg.mtu,
				NumRxQueues: max(1, cfg.nearRX), NumTxQueues: max(1, cfg.nearTX),
			},
			PeerName:        "far",
			PeerMTU:         uint32(cfg.mtu),
			PeerNamespace:   netlink.NsFd(far.space),
			PeerNumRxQueues: uint32(max(1, cfg.nearTX)),
			PeerNumTxQueues: uint32(max(1, cfg.nearRX)),
		}
		return netlink.LinkAdd(pair)
	})
	near.up("near")
	far.up("far")
	return &wire{near, far}
}

func newSpace(t testing.TB) end {
	t.Helper()
	e := end{t: t, space: netns.None()}
	e.onThread(func() error {
		var err error
		e.space, err = netns.New()
		return err
	})
	t.Cleanup(func() { e.space.Close() })
	return e
}

func (e *end) up(name string) {
	e.t.Helper()
	e.do(func() error {
		// No traffic but the test's.
		if err := os.WriteFile("/proc/sys/net/ipv6/conf/all/disable_ipv6", []byte("1"), 0); err != nil && !os.IsNotExist(err) {
			return err
		}
		link, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		e.index = link.Attrs().Index
		return netlink.LinkSetUp(link)
	})
}

// do runs f in the end's namespace.
func (e end) do(f func() error) {
	e.t.Helper()
	e.onThread(func() error {
		if err := netns.Set(e.space); err != nil {
			return err
		}
		return f()
	})
}

// onThread runs f on a thread of its own, which ends with it.
func (e end) onThread(f func() error) {
	e.t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- f()
	}()
	if err := <-done; err != nil {
		e.t.Fatal(err)
	}
}

// change runs f on the end's link.
func (e end) change(f func(netlink.Link) error) {
	e.t.Helper()
	e.do(func() error {
		link, err := netlink.LinkByIndex(e.index)
		if err != nil {
			return err
		}
		return f(link)
	})
}

// facts is what the kernel says about the end's link.
func (e end) facts() (f linkFacts) {
	e.t.Helper()
	e.do(func() (err error) {
		f, err = readLink(e.index)
		return err
	})
	return f
}

func (e end) load(cfg ProgramConfig) (p *Program, err error) {
	e.t.Helper()
	e.do(func() error {
		p, err = LoadProgram(e.index, cfg)
		return nil
	})
	if err == nil {
		e.t.Cleanup(func() { p.Close() })
	}
	return p, err
}

func (e end) open(queue int, cfg SocketConfig) (s *Socket, err error) {
	e.t.Helper()
	e.do(func() error {
		s, err = Open(e.t.Context(), e.index, queue, cfg)
		return nil
	})
	if err == nil {
		e.t.Cleanup(func() { s.Close() })
	}
	return s, err
}

// start attaches a program that lets the end's address through to a socket on
// a queue.
func (e end) start(queue int, p ProgramConfig, s SocketConfig) (*Program, *Socket) {
	e.t.Helper()
	program, err := e.load(p)
	if err != nil {
		e.t.Fatal(err)
	}
	socket, err := e.open(queue, s)
	if err != nil {
		e.t.Fatal(err)
	}
	for _, err := range []error{
		program.Allow(Match{Addr: e.addr}),
		program.Register(queue, socket),
		program.Enable(true),
	} {
		if err != nil {
			e.t.Fatal(err)
		}
	}
	return program, socket
}

// numbered is a packet to dst, length bytes long with its Ethernet header,
// that begins with its number and goes on with bytes that depend on it.
func numbered(b []byte, dst netip.Addr, number uint64, length int) []byte {
	const headers = frame.HeaderLen + 20
	payload := b[headers:length]
	copy(b, ethernet(0x0800, ipv4(dst, 17, 0, nil, payload)[:20]))
	binary.BigEndian.PutUint64(payload, number)
	for i := 8; i < len(payload); i++ {
		payload[i] = byte(number) + byte(i)*7
	}
	return b[:length]
}
