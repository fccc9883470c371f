package xdp

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/seed-54eb6215/xftp/internal/lab"
	"golang.org/x/sys/unix"
)

var (
	own4    = netip.MustParseAddr("192.0.2.1")
	shared4 = netip.MustParseAddr("192.0.2.2")
	other4  = netip.MustParseAddr("192.0.2.3")
	own6    = netip.MustParseAddr("2001:db8::1")
	shared6 = netip.MustParseAddr("2001:db8::2")
	other6  = netip.MustParseAddr("2001:db8::3")
	twin6   = netip.MustParseAddr("2001:db8:1::1") // the same solicited-node group as own6
)

// The filter of the steering tests: two whole addresses and two with ports.
var steerMatches = []Match{
	{Addr: own4},
	{Addr: own6},
	{Addr: shared4, PortLo: 50000, PortHi: 50009},
	{Addr: shared4, PortLo: 65535, PortHi: 65535},
	{Addr: shared6, PortLo: 50000, PortHi: 50009},
}

type steerCase struct {
	name   string
	packet []byte
	want   string // which counter counts it: "ours", "not ours", "malformed", "tagged"
}

func steerCases() []steerCase {
	const tcp, udp, icmp, icmp6 = 6, 17, 1, 58
	segment := ports(21, 50005)
	ip4 := func(b []byte) []byte { return padded(ethernet(0x0800, b)) }
	ip6 := func(b []byte) []byte { return padded(ethernet(0x86dd, b)) }
	// edited is a copy of an IP packet with a byte changed.
	edited := func(b []byte, at int, value byte) []byte {
		b = append([]byte(nil), b...)
		b[at] = value
		return b
	}
	to4 := func(a netip.Addr) []byte { return ipv4(a, tcp, 0, nil, segment) }
	to6 := func(a netip.Addr) []byte { return ipv6(a, tcp, segment) }
	options := make([]byte, 40)
	vlan := append([]byte{0, 7, 8, 0}, to4(own4)...)
	return []steerCase{
		{"ipv4 tcp to own", ip4(to4(own4)), "ours"},
		{"ipv4 udp to own", ip4(ipv4(own4, udp, 0, nil, segment)), "ours"},
		{"ipv4 icmp to own", ip4(ipv4(own4, icmp, 0, nil, make([]byte, 8))), "ours"},
		{"ipv4 first fragment to own", ip4(ipv4(own4, udp, 0x2000, nil, segment)), "ours"},
		{"ipv4 last fragment to own", ip4(ipv4(own4, udp, 0x0010, nil, segment)), "ours"},
		{"ipv4 with options to own", ip4(ipv4(own4, tcp, 0, options, segment)), "ours"},
		{"ipv4 without payload to own", ip4(ipv4(own4, tcp, 0, nil, nil)), "ours"},
		{"ipv4 exactly as long as its frame", ethernet(0x0800, to4(own4)), "ours"},
		{"ipv4 to another host", ip4(to4(other4)), "not ours"},
		{"ipv4 broadcast", ip4(to4(netip.MustParseAddr("255.255.255.255"))), "not ours"},
		{"ipv4 multicast", ip4(to4(netip.MustParseAddr("224.0.0.1"))), "not ours"},

		{"ipv4 ihl 0", ip4(edited(to4(own4), 0, 0x40)), "malformed"},
		{"ipv4 ihl 4", ip4(edited(to4(own4), 0, 0x44)), "malformed"},
		{"ipv4 version 6", ip4(edited(to4(own4), 0, 0x65)), "malformed"},
		{"ipv4 version 0", ip4(edited(to4(own4), 0, 0x05)), "malformed"},
		{"ipv4 total length 0", ip4(edited(to4(own4), 3, 0)), "malformed"},
		{"ipv4 total length below header", ip4(edited(to4(own4), 3, 19)), "malformed"},
		{"ipv4 total length beyond frame", ethernet(0x0800, edited(to4(own4), 3, 41)), "malformed"},
		{"ipv4 total length 65535", ip4(edited(edited(to4(own4), 2, 255), 3, 255)), "malformed"},
		{"ipv4 cut in its header", ethernet(0x0800, to4(own4)[:19]), "malformed"},
		{"ipv4 header longer than packet", ethernet(0x0800, edited(ipv4(own4, tcp, 0, nil, nil), 0, 0x4f)), "malformed"},
		{"ethernet header only, ipv4", ethernet(0x0800, nil), "malformed"},
		{"ethernet header only, ipv6", ethernet(0x86dd, nil), "malformed"},
		{"ethernet header only, arp", ethernet(0x0806, nil), "malformed"},
		{"ethernet header only, other", ethernet(0x88cc, nil), "not ours"},

		{"shared ipv4, port in range", ip4(ipv4(shared4, tcp, 0, nil, segment)), "ours"},
		{"shared ipv4, first port", ip4(ipv4(shared4, tcp, 0, nil, ports(1, 50000))), "ours"},
		{"shared ipv4, last port", ip4(ipv4(shared4, tcp, 0, nil, ports(1, 50009))), "ours"},
		{"shared ipv4, port before range", ip4(ipv4(shared4, tcp, 0, nil, ports(50005, 49999))), "not ours"},
		{"shared ipv4, port behind range", ip4(ipv4(shared4, tcp, 0, nil, ports(50005, 50010))), "not ours"},
		{"shared ipv4, second range", ip4(ipv4(shared4, tcp, 0, nil, ports(1, 65535))), "ours"},
		{"shared ipv4, port 0", ip4(ipv4(shared4, tcp, 0, nil, ports(1, 0))), "not ours"},
		{"shared ipv4, with options", ip4(ipv4(shared4, tcp, 0, options, segment)), "ours"},
		{"shared ipv4, options look like the port", ip4(ipv4(shared4, tcp, 0, segment, ports(1, 22))), "not ours"},
		{"shared ipv4, udp", ip4(ipv4(shared4, udp, 0, nil, segment)), "not ours"},
		{"shared ipv4, icmp", ip4(ipv4(shared4, icmp, 0, nil, segment)), "not ours"},
		{"shared ipv4, first fragment", ip4(ipv4(shared4, tcp, 0x2000, nil, segment)), "not ours"},
		{"shared ipv4, last fragment", ip4(ipv4(shared4, tcp, 0x0001, nil, segment)), "not ours"},
		{"shared ipv4, do not fragment", ip4(ipv4(shared4, tcp, 0x4000, nil, segment)), "ours"},
		{"shared ipv4, tcp header cut by length", ip4(ipv4(shared4, tcp, 0, nil, segment[:19])), "malformed"},
		{"shared ipv4, arp", padded(ethernet(0x0806, arp(1, other4, shared4))), "not ours"},

		{"arp request for own", padded(ethernet(0x0806, arp(1, other4, own4))), "ours"},
		{"arp reply to own", padded(ethernet(0x0806, arp(2, other4, own4))), "ours"},
		{"arp request from own for other", padded(ethernet(0x0806, arp(1, own4, other4))), "not ours"},
		{"arp reply to the host", padded(ethernet(0x0806, arp(2, own4, other4))), "not ours"},
		{"arp not padded", ethernet(0x0806, arp(1, other4, own4)), "ours"},
		{"arp cut", ethernet(0x0806, arp(1, other4, own4)[:27]), "malformed"},
		{"arp of another hardware", padded(ethernet(0x0806, edited(arp(1, other4, own4), 1, 6))), "not ours"},
		{"arp of another protocol", padded(ethernet(0x0806, edited(arp(1, other4, own4), 2, 0x86))), "not ours"},
		{"arp with long hardware addresses", padded(ethernet(0x0806, edited(arp(1, other4, own4), 4, 8))), "not ours"},
		{"arp with long protocol addresses", padded(ethernet(0x0806, edited(arp(1, other4, own4), 5, 16))), "not ours"},

		{"ipv6 tcp to own", ip6(to6(own6)), "ours"},
		{"ipv6 udp to own", ip6(ipv6(own6, udp, segment)), "ours"},
		{"ipv6 error to own", ip6(ipv6(own6, icmp6, []byte{2, 0, 0, 0, 0, 0, 5, 0})), "ours"},
		{"ipv6 fragment to own", ip6(ipv6(own6, 44, append(make([]byte, 8), segment...))), "ours"},
		{"ipv6 to another host", ip6(to6(other6)), "not ours"},
		{"ipv6 exactly as long as its frame", ethernet(0x86dd, to6(own6)), "ours"},
		{"ipv6 version 4", ip6(edited(to6(own6), 0, 0x40)), "malformed"},
		{"ipv6 payload beyond frame", ethernet(0x86dd, edited(to6(own6), 5, 21)), "malformed"},
		{"ipv6 payload 65535", ip6(edited(edited(to6(own6), 4, 255), 5, 255)), "malformed"},
		{"ipv6 cut in its header", ethernet(0x86dd, to6(own6)[:39]), "malformed"},
		{"ipv4 address in ipv6 packet", ip6(to6(netip.AddrFrom16(own4.As16()))), "not ours"},

		{"shared ipv6, port in range", ip6(to6(shared6)), "ours"},
		{"shared ipv6, port behind range", ip6(ipv6(shared6, tcp, ports(50005, 50010))), "not ours"},
		{"shared ipv6, udp", ip6(ipv6(shared6, udp, segment)), "not ours"},
		{"shared ipv6, fragment", ip6(ipv6(shared6, 44, append(make([]byte, 8), segment...))), "not ours"},
		{"shared ipv6, hop-by-hop options", ip6(ipv6(shared6, 0, append([]byte{tcp, 0, 1, 4, 0, 0, 0, 0}, segment...))), "not ours"},
		{"shared ipv6, tcp header cut by length", ip6(ipv6(shared6, tcp, segment[:19])), "malformed"},
		{"shared ipv6, tcp header cut by length, padded", ip6(append(ipv6(shared6, tcp, segment[:19]), 0, 0)), "malformed"},
		{"shared ipv6, solicitation", ip6(ipv6(solicitedNode(shared6), icmp6, discovery(135, shared6))), "not ours"},

		{"solicitation for own, multicast", ip6(ipv6(solicitedNode(own6), icmp6, discovery(135, own6))), "ours"},
		{"solicitation for own, unicast", ip6(ipv6(own6, icmp6, discovery(135, own6))), "ours"},
		{"solicitation for a twin in the group", ip6(ipv6(solicitedNode(own6), icmp6, discovery(135, twin6))), "not ours"},
		{"solicitation for another", ip6(ipv6(solicitedNode(other6), icmp6, discovery(135, other6))), "not ours"},
		{"solicitation without target", ip6(ipv6(solicitedNode(own6), icmp6, discovery(135, own6)[:20])), "not ours"},
		{"solicitation cut by length, padded", ip6(append(ipv6(solicitedNode(own6), icmp6, discovery(135, own6)[:8]), own6.AsSlice()...)), "not ours"},
		{"advertisement to own", ip6(ipv6(own6, icmp6, discovery(136, other6))), "ours"},
		{"advertisement to all nodes", ip6(ipv6(netip.MustParseAddr("ff02::1"), icmp6, discovery(136, own6))), "not ours"},
		{"udp to the group", ip6(ipv6(solicitedNode(own6), udp, discovery(135, own6))), "not ours"},

		{"vlan tag", padded(ethernet(0x8100, vlan)), "tagged"},
		{"service tag", padded(ethernet(0x88a8, vlan)), "tagged"},
		{"802.3 length", padded(ethernet(0x0026, to4(own4))), "not ours"},
	}
}

// loadForTest loads the program without attaching it.
func loadForTest(t testing.TB) *Program {
	t.Helper()
	lab.NeedRoot(t)
	objects, err := loadObjects(4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { objects.Close() })
	return &Program{queues: 4, objects: objects}
}

// run gives the program one frame and returns its verdict, and the name of
// the counter that counted it.
func run(t *testing.T, p *Program, packet []byte) (verdict uint32, counted string) {
	t.Helper()
	before, err := p.Counters()
	if err != nil {
		t.Fatal(err)
	}
	verdict, _, err = p.objects.XftpSteer.Test(packet)
	if err != nil {
		t.Fatal(err)
	}
	after, err := p.Counters()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name          string
		before, after uint64
	}{
		{"ours", before.Redirected, after.Redirected},
		{"off", before.PassedOff, after.PassedOff},
		{"not ours", before.PassedNotOurs, after.PassedNotOurs},
		{"malformed", before.PassedMalformed, after.PassedMalformed},
		{"tagged", before.PassedTagged, after.PassedTagged},
		{"no socket", before.PassedNoSocket, after.PassedNoSocket},
	} {
		if c.after != c.before {
			counted += c.name
		}
	}
	return verdict, counted
}

func TestSteer(t *testing.T) {
	const pass, redirect = 2, 4
	p := loadForTest(t)
	for _, m := range steerMatches {
		if err := p.Allow(m); err != nil {
			t.Fatal(err)
		}
	}
	check := func(t *testing.T, expect func(want string) (uint32, string)) {
		for _, c := range steerCases() {
			t.Run(c.name, func(t *testing.T) {
				wantVerdict, wantCounted := expect(c.want)
				verdict, counted := run(t, p, c.packet)
				if verdict != wantVerdict || counted != wantCounted {
					t.Errorf("verdict %d, counted as %q; want %d, %q", verdict, counted, wantVerdict, wantCounted)
				}
			})
		}
	}
	t.Run("Off", func(t *testing.T) {
		check(t, func(string) (uint32, string) { return pass, "off" })
	})
	if err := p.Enable(true); err != nil {
		t.Fatal(err)
	}
	t.Run("NoSocket", func(t *testing.T) {
		check(t, func(want string) (uint32, string) {
			if want == "ours" {
				want = "no socket"
			}
			return pass, want
		})
	})
	// Any AF_XDP socket will do for a verdict, also one that is not bound.
	fd, err := unix.Socket(unix.AF_XDP, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := p.objects.XftpSockets.Put(uint32(0), uint32(fd)); err != nil {
		t.Fatal(err)
	}
	t.Run("Socket", func(t *testing.T) {
		check(t, func(want string) (uint32, string) {
			if want == "ours" {
				return redirect, want
			}
			return pass, want
		})
	})
	if err := p.Enable(false); err != nil {
		t.Fatal(err)
	}
	t.Run("OffAgain", func(t *testing.T) {
		check(t, func(string) (uint32, string) { return pass, "off" })
	})
}

// TestSteerAnyCut cuts each packet that is ours everywhere: what is left of
// it may only be taken if it is whole.
func TestSteerAnyCut(t *testing.T) {
	p := loadForTest(t)
	for _, m := range steerMatches {
		if err := p.Allow(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Enable(true); err != nil {
		t.Fatal(err)
	}
	for _, c := range steerCases() {
		if c.want != "ours" || binary.BigEndian.Uint16(c.packet[12:]) == 0x0806 {
			continue
		}
		length := 14 + int(binary.BigEndian.Uint16(c.packet[16:]))
		if c.packet[12] == 0x86 {
			length = 14 + 40 + int(binary.BigEndian.Uint16(c.packet[18:]))
		}
		for n := 14; n < length; n++ {
			if _, counted := run(t, p, c.packet[:n]); counted != "malformed" {
				t.Errorf("%s: cut to %d of %d bytes: counted as %q", c.name, n, length, counted)
			}
		}
		if _, counted := run(t, p, c.packet[:length]); counted != "no socket" {
			t.Errorf("%s: without padding: counted as %q", c.name, counted)
		}
	}
}

func TestAllowAndRevoke(t *testing.T) {
	p := loadForTest(t)
	if err := p.Enable(true); err != nil {
		t.Fatal(err)
	}
	packet := padded(ethernet(0x0800, ipv4(shared4, 6, 0, nil, ports(1, 4000))))
	steps := []struct {
		op    func(Match) error
		match Match
		ours  bool
	}{
		{p.Allow, Match{shared4, 3000, 3999}, false},
		{p.Allow, Match{shared4, 4000, 4999}, true},
		{p.Allow, Match{shared4, 5000, 5999}, true},
		{p.Revoke, Match{shared4, 3000, 3999}, true},
		{p.Revoke, Match{shared4, 4000, 4999}, false},
		{p.Allow, Match{netip.AddrFrom16(shared4.As16()), 0, 0}, true}, // mapped
		{p.Revoke, Match{shared4, 5000, 5999}, true},
		{p.Revoke, Match{shared4, 0, 0}, false},
	}
	for i, s := range steps {
		if err := s.op(s.match); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		if _, counted := run(t, p, packet); (counted == "no socket") != s.ours {
			t.Errorf("step %d: %v: counted as %q", i, s.match, counted)
		}
	}
	var key steerAddress
	if err := p.objects.XftpMatches.NextKey(nil, &key); err == nil {
		t.Errorf("entry for %v is left behind", netip.AddrFrom16(key.B))
	}
}

func BenchmarkSteer(b *testing.B) {
	p := loadForTest(b)
	for _, m := range steerMatches {
		if err := p.Allow(m); err != nil {
			b.Fatal(err)
		}
	}
	if err := p.Enable(true); err != nil {
		b.Fatal(err)
	}
	for name, packet := range map[string][]byte{
		"Own":    padded(ethernet(0x0800, ipv4(own4, 6, 0, nil, ports(1, 2)))),
		"Shared": padded(ethernet(0x0800, ipv4(shared4, 6, 0, nil, ports(1, 65535)))),
		"Other":  padded(ethernet(0x0800, ipv4(other4, 6, 0, nil, ports(1, 2)))),
	} {
		b.Run(name, func(b *testing.B) {
			_, each, err := p.objects.XftpSteer.Benchmark(packet, max(b.N, 1000), nil)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(each.Nanoseconds()), "ns/frame")
		})
	}
}
