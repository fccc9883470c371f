package stack

import (
	"net/netip"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	gstack "gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// TestPaths shows what a connection takes over for its retransmission time-out.
func TestPaths(t *testing.T) {
	s := gstack.New(gstack.Options{TransportProtocols: []gstack.TransportProtocolFactory{tcp.NewProtocol}})
	defer s.Destroy()
	p := &paths{s: s}
	want := func(what string, timeout time.Duration) {
		t.Helper()
		var got tcpip.TCPMinRTOOption
		if err := s.TransportProtocolOption(tcp.ProtocolNumber, &got); err != nil {
			t.Fatal(err)
		}
		if time.Duration(got) != timeout {
			t.Errorf("%s: at least %v, want %v", what, time.Duration(got), timeout)
		}
	}
	near, far := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	p.prepare(near)
	want("not known", 200*time.Millisecond)
	p.learn(near, time.Millisecond)
	want("near", 50*time.Millisecond)
	p.prepare(far)
	want("another, not known", 200*time.Millisecond)
	p.learn(far, 300*time.Millisecond)
	want("far", 500*time.Millisecond)
	p.learn(far, 20*time.Millisecond)
	want("not so far", 220*time.Millisecond)
	p.learn(near, time.Second)
	want("near, but slow once", 50*time.Millisecond)
	p.prepare(far)
	want("far again", 220*time.Millisecond)
	for i := range uint32(3 * mostPaths) {
		p.learn(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), time.Millisecond)
	}
	if n := len(p.trips); n > mostPaths {
		t.Errorf("%d paths are remembered", n)
	}
}
