package stack

import (
	"bytes"
	"testing"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	netparse "gvisor.dev/gvisor/pkg/tcpip/header/parse"
	gstack "gvisor.dev/gvisor/pkg/tcpip/stack"
)

// extension is an IPv6 extension header of 8*(n+1) bytes.
func extension(next byte, n int) []byte {
	b := make([]byte, 8*(n+1))
	b[0], b[1] = next, byte(n)
	b[2], b[3] = 1, byte(len(b)-4) // PadN
	return b
}

// edit returns a changed copy of b.
func edit(b []byte, change func(b []byte)) []byte {
	b = bytes.Clone(b)
	change(b)
	return b
}

// chained puts the TCP segment of a frame over IPv6 behind extension headers.
func chained(frame []byte, first byte, extensions ...[]byte) []byte {
	b := bytes.Clone(frame[:14+40])
	for _, e := range extensions {
		b = append(b, e...)
	}
	b = append(b, frame[14+40:]...)
	b[14+6] = first
	put16(b, 14+4, uint16(len(b)-14-40))
	return b
}

func TestParse(t *testing.T) {
	tcp4 := segmentSpec{flags: flagAck, payload: testBytes(1, 101)}.frame()
	tcp6 := segmentSpec{v6: true, flags: flagAck, payload: testBytes(2, 100), options: testBytes(3, 12)}.frame()
	options4 := segmentSpec{flags: flagAck, payload: testBytes(1, 7), ipOpts: []byte{1, 1, 1, 0}}.frame()
	bare := segmentSpec{flags: flagAck}.frame()
	udp4 := ipv4Packet(protoUDP, nil, udpDatagram(testBytes(4, 33)))
	completeTransport(udp4, protoUDP, 6)
	udp6 := ipv6Packet(protoUDP, udpDatagram(testBytes(5, 33)))
	completeTransport(udp6, protoUDP, 6)
	arp := ethernet([6]byte{255, 255, 255, 255, 255, 255}, etherARP, make([]byte, 28))
	const ip, tcp = 14, 34 // offsets in tcp4
	reIP := func(b []byte) { completeIP(b[ip:]) }

	for _, tt := range []struct {
		name  string
		frame []byte
		want  verdict
		len   int // of the packet, if accepted
		data  int // offset of the TCP payload in it
	}{
		{"empty", nil, malformed, 0, 0},
		{"runt", make([]byte, 13), malformed, 0, 0},
		{"header alone", tcp4[:14], malformed, 0, 0},
		{"VLAN", edit(tcp4, func(b []byte) { put16(b, 12, 0x8100) }), notForUs, 0, 0},
		{"LLDP", ethernet([6]byte{1, 0x80, 0xc2, 0, 0, 14}, 0x88cc, make([]byte, 46)), notForUs, 0, 0},
		{"other host", edit(tcp4, func(b []byte) { copy(b, otherMAC[:]) }), notForUs, 0, 0},
		{"ARP", arp, accept, 28, 0},
		{"ARP padded", append(bytes.Clone(arp), make([]byte, 18)...), accept, 28, 0},
		{"ARP short", arp[:len(arp)-1], malformed, 0, 0},

		{"TCP4", tcp4, accept, 141, 40},
		{"TCP4 padded", append(bytes.Clone(bare), make([]byte, 6)...), accept, 40, 40},
		{"TCP4 padded with noise", append(bytes.Clone(bare), 1, 2, 3, 4, 5, 6), accept, 40, 40},
		{"IPv4 options", options4, accept, 51, 44},
		{"IPv4 version", edit(tcp4, func(b []byte) { b[ip] = 0x65; reIP(b) }), malformed, 0, 0},
		{"IPv4 header too short", edit(tcp4, func(b []byte) { b[ip] = 0x44 }), malformed, 0, 0},
		{"IPv4 header beyond total", edit(bare, func(b []byte) { put16(b, ip+2, 19) }), malformed, 0, 0},
		{"IPv4 total beyond frame", edit(tcp4, func(b []byte) { put16(b, ip+2, 142); reIP(b) }), malformed, 0, 0},
		{"IPv4 total 0", edit(tcp4, func(b []byte) { put16(b, ip+2, 0); reIP(b) }), malformed, 0, 0},
		{"IPv4 checksum", edit(tcp4, func(b []byte) { b[ip+8]-- }), badChecksum, 0, 0},
		{"IPv4 first fragment", edit(tcp4, func(b []byte) { b[ip+6] = 0x20; reIP(b) }), fragment, 0, 0},
		{"IPv4 last fragment", edit(tcp4, func(b []byte) { b[ip+7] = 9; reIP(b) }), fragment, 0, 0},
		{"TCP4 truncated", edit(bare[:14+39], func(b []byte) { put16(b, ip+2, 39); reIP(b) }), malformed, 0, 0},
		{"TCP4 offset too small", edit(tcp4, func(b []byte) { b[tcp+12] = 0x40 }), malformed, 0, 0},
		{"TCP4 offset too large", edit(bare, func(b []byte) { b[tcp+12] = 0x60 }), malformed, 0, 0},
		{"TCP4 checksum", edit(tcp4, func(b []byte) { b[tcp+16] ^= 1 }), badChecksum, 0, 0},
		{"TCP4 payload", edit(tcp4, func(b []byte) { b[len(b)-1] ^= 1 }), badChecksum, 0, 0},
		{"TCP4 to a group", edit(tcp4, func(b []byte) { b[0] = 1 }), notForUs, 0, 0},
		{"TCP4 to all", edit(tcp4, func(b []byte) { copy(b, "\xff\xff\xff\xff\xff\xff") }), notForUs, 0, 0},
		{"ICMP", ethernet(ourMAC, etherIPv4, ipv4Packet(1, nil, make([]byte, 8))), accept, 28, 0},

		{"UDP4", ethernet(ourMAC, etherIPv4, udp4), accept, 61, 0},
		{"UDP4 to a group", ethernet([6]byte{1, 0, 0x5e}, etherIPv4, udp4), accept, 61, 0},
		{"UDP4 checksum", ethernet(ourMAC, etherIPv4, edit(udp4, func(b []byte) { b[60] ^= 8 })), badChecksum, 0, 0},
		{"UDP4 no checksum", ethernet(ourMAC, etherIPv4, edit(udp4, func(b []byte) { put16(b, 26, 0) })), accept, 61, 0},
		{"UDP4 length short", ethernet(ourMAC, etherIPv4, edit(udp4, func(b []byte) { put16(b, 24, 7) })), malformed, 0, 0},
		{"UDP4 length long", ethernet(ourMAC, etherIPv4, edit(udp4, func(b []byte) { put16(b, 24, 42) })), malformed, 0, 0},
		{"UDP4 truncated", ethernet(ourMAC, etherIPv4, ipv4Packet(protoUDP, nil, make([]byte, 7))), malformed, 0, 0},
		{"UDP6", ethernet(ourMAC, etherIPv6, udp6), accept, 81, 0},
		{"UDP6 no checksum", ethernet(ourMAC, etherIPv6, edit(udp6, func(b []byte) { put16(b, 46, 0) })), badChecksum, 0, 0},
		{"UDP6 no checksum that adds up", ethernet(ourMAC, etherIPv6, noChecksumNeeded()), badChecksum, 0, 0},

		{"TCP6", tcp6, accept, 172, 72},
		{"TCP6 padded", append(bytes.Clone(tcp6), 9, 9), accept, 172, 72},
		{"IPv6 short", tcp6[:14+39], malformed, 0, 0},
		{"IPv6 version", edit(tcp6, func(b []byte) { b[ip] = 0x45 }), malformed, 0, 0},
		{"IPv6 length beyond frame", edit(tcp6, func(b []byte) { put16(b, ip+4, 133) }), malformed, 0, 0},
		{"IPv6 length 0", edit(tcp6, func(b []byte) { put16(b, ip+4, 0) }), malformed, 0, 0},
		{"TCP6 checksum", edit(tcp6, func(b []byte) { b[60] ^= 4 }), badChecksum, 0, 0},
		{"IPv6 address", edit(tcp6, func(b []byte) { b[ip+10] ^= 4 }), badChecksum, 0, 0},
		{"hop-by-hop", chained(tcp6, 0, extension(6, 0)), accept, 180, 80},
		{"chain", chained(tcp6, 0, extension(43, 0), extension(60, 2), extension(6, 1)), accept, 220, 120},
		{"chain, bad checksum", edit(chained(tcp6, 0, extension(43, 0), extension(60, 2), extension(6, 1)), func(b []byte) { b[len(b)-1]++ }), badChecksum, 0, 0},
		{"extension beyond packet", chained(tcp6, 0, extension(43, 0), edit(extension(6, 0), func(b []byte) { b[1] = 200 })), malformed, 0, 0},
		{"extension cut", edit(tcp6[:14+40+7], func(b []byte) { b[ip+6] = 0; put16(b, ip+4, 7) }), malformed, 0, 0},
		{"experiment hides TCP", chained(tcp6, 253, extension(6, 0)), notForUs, 0, 0},
		{"IPv6 fragment", chained(tcp6, 44, []byte{6, 0, 0, 1, 0, 0, 0, 1}), fragment, 0, 0},
		{"IPv6 atomic fragment", chained(tcp6, 44, []byte{6, 0, 0, 0, 0, 0, 0, 1}), fragment, 0, 0},
		{"IPv6 fragment behind routing", chained(tcp6, 43, extension(44, 0), []byte{6, 0, 0, 1, 0, 0, 0, 1}), fragment, 0, 0},
		{"ICMPv6", ethernet([6]byte{0x33, 0x33, 0xff}, etherIPv6, ipv6Packet(58, make([]byte, 24))), accept, 64, 0},
		{"no next header", ethernet(ourMAC, etherIPv6, ipv6Packet(59, nil)), accept, 40, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := bytes.Clone(tt.frame)
			p, v := parse(b, ourMAC, false)
			if v != tt.want {
				t.Fatalf("verdict %d, want %d", v, tt.want)
			}
			if p.repaired || !bytes.Equal(b, tt.frame) {
				t.Error("the frame was changed")
			}
			if v == accept && (len(p.b) != tt.len || p.dataOff != tt.data) {
				t.Errorf("packet of %d bytes with data at %d, want %d and %d", len(p.b), p.dataOff, tt.len, tt.data)
			}
		})
	}
}

// noChecksumNeeded returns a datagram over IPv6 whose checksum field is 0 and
// whose sum is right nevertheless: it should have been sent as 0xffff.
func noChecksumNeeded() []byte {
	ip := ipv6Packet(protoUDP, udpDatagram([]byte{0, 0}))
	completeTransport(ip, protoUDP, 6)
	copy(ip[48:], ip[46:48]) // what the checksum made up for
	put16(ip, 46, 0)
	return ip
}

// TestParseVerified shows that frames are accepted whose checksums the device
// has verified, and that their lengths are not taken on trust.
func TestParseVerified(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		b := segmentSpec{v6: v6, flags: flagAck, payload: testBytes(1, 100)}.frame()
		b[len(b)-1]++
		if _, v := parse(b, ourMAC, true); v != accept {
			t.Errorf("IPv6 %t: verdict %d", v6, v)
		}
		if _, v := parse(b, ourMAC, false); v != badChecksum {
			t.Errorf("IPv6 %t, not verified: verdict %d", v6, v)
		}
		if _, v := parse(b[:len(b)-1], ourMAC, true); v != malformed {
			t.Errorf("IPv6 %t, cut: verdict %d", v6, v)
		}
	}
}

// TestParseRepair completes checksums that were only begun, of packets of
// every length up to 300 bytes, odd ones included.
func TestParseRepair(t *testing.T) {
	for _, tt := range []struct {
		name  string
		proto byte
		field int
		build func(payload []byte) []byte
	}{
		{"TCP4", protoTCP, 16, func(p []byte) []byte { return segmentSpec{payload: p}.frame() }},
		{"TCP6", protoTCP, 16, func(p []byte) []byte { return segmentSpec{v6: true, payload: p}.frame() }},
		{"UDP4", protoUDP, 6, func(p []byte) []byte {
			return ethernet(ourMAC, etherIPv4, ipv4Packet(protoUDP, nil, udpDatagram(p)))
		}},
		{"UDP6", protoUDP, 6, func(p []byte) []byte { return ethernet(ourMAC, etherIPv6, ipv6Packet(protoUDP, udpDatagram(p))) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for n := range 300 {
				b := tt.build(testBytes(uint64(n), n))
				beginTransport(b[14:], tt.proto, tt.field)
				if n%3 == 0 {
					b = append(b, 0xff, 1) // padding takes no part
				}
				p, v := parse(b, ourMAC, false)
				if v != accept || !p.repaired {
					t.Fatalf("%d bytes: verdict %d, repaired %t", n, v, p.repaired)
				}
				if r, ok := referenceParse(b); !ok || !r.good || r.nocsum {
					t.Fatalf("%d bytes: the checksum is wrong", n)
				}
			}
		})
	}
}

// TestParseRepairZero completes a checksum that comes out as 0, which in UDP
// is written as its other representation.
func TestParseRepairZero(t *testing.T) {
	ip := noChecksumNeeded()
	beginTransport(ip, protoUDP, 6)
	b := ethernet(ourMAC, etherIPv6, ip)
	if _, v := parse(b, ourMAC, false); v != accept {
		t.Fatalf("verdict %d", v)
	}
	if b[14+46] != 0xff || b[14+47] != 0xff {
		t.Errorf("checksum %x, want ffff", b[14+46:14+48])
	}
}

// TestParseCorrupted flips every bit behind the Ethernet header of good frames
// in turn. None may be accepted in which the flip is of consequence.
func TestParseCorrupted(t *testing.T) {
	udp := ipv4Packet(protoUDP, nil, udpDatagram(testBytes(4, 33)))
	completeTransport(udp, protoUDP, 6)
	for name, good := range map[string][]byte{
		"TCP4": segmentSpec{flags: flagAck, payload: testBytes(1, 101), options: testBytes(3, 12)}.frame(),
		"TCP6": segmentSpec{v6: true, flags: flagAck, payload: testBytes(2, 100)}.frame(),
		"UDP4": ethernet(ourMAC, etherIPv4, udp),
	} {
		for bit := 14 * 8; bit < len(good)*8; bit++ {
			b := bytes.Clone(good)
			b[bit/8] ^= 0x80 >> (bit % 8)
			p, v := parse(b, ourMAC, false)
			if v != accept {
				continue
			}
			// IPv6 has no checksum over class, flow label and hop limit, and
			// the next header may become one that has none.
			at := bit/8 - 14
			if name == "TCP6" && (at < 4 || at == 7 || p.transport != header.TCPProtocolNumber) {
				continue
			}
			t.Errorf("%s: accepted with bit %d of byte %d flipped", name, bit%8, at)
		}
	}
}

func FuzzParse(f *testing.F) {
	tcp6 := segmentSpec{v6: true, flags: flagAck, payload: testBytes(2, 10), options: testBytes(3, 12)}.frame()
	begun := segmentSpec{flags: flagAck, payload: testBytes(1, 11)}.frame()
	beginTransport(begun[14:], protoTCP, 16)
	udp := ipv4Packet(protoUDP, nil, udpDatagram(testBytes(4, 5)))
	completeTransport(udp, protoUDP, 6)
	f.Add(segmentSpec{flags: flagAck, payload: testBytes(1, 11)}.frame(), false)
	f.Add(begun, false)
	f.Add(tcp6, false)
	f.Add(chained(tcp6, 0, extension(43, 0), extension(60, 1), extension(6, 0)), false)
	f.Add(chained(tcp6, 253, extension(6, 0)), false)
	f.Add(ethernet(ourMAC, etherIPv4, udp), true)
	f.Add(ethernet(ourMAC, etherIPv6, noChecksumNeeded()), false)
	f.Add(ethernet([6]byte{1}, etherARP, make([]byte, 30)), false)
	f.Fuzz(func(t *testing.T, b []byte, verified bool) { checkParse(t, b, verified) })
}

// checkParse compares parse with the slow reader and with the parser of the
// stack, which takes parse's word for what it accepts.
func checkParse(t *testing.T, b []byte, verified bool) {
	before := bytes.Clone(b)
	p, v := parse(b, ourMAC, verified)
	if !p.repaired && !bytes.Equal(b, before) {
		t.Fatal("the frame was changed")
	}
	if v != accept {
		return
	}
	if len(p.b) > len(b)-14 || p.ipLen > len(p.b) || p.dataOff > len(p.b) || p.dataOff != 0 && p.dataOff < p.ipLen+20 {
		t.Fatalf("lengths: packet %d, headers %d and %d of a frame of %d", len(p.b), p.ipLen, p.dataOff, len(b))
	}
	if p.network == header.ARPProtocolNumber {
		return
	}
	r, ok := referenceParse(b)
	if !ok {
		t.Fatal("accepted, but there is no whole packet in it")
	}
	if !bytes.Equal(p.b, r.ip) || byte(p.transport) != r.proto || len(p.b)-p.ipLen < len(r.t) {
		t.Fatal("found other lengths or another protocol than there are")
	}
	if !verified && !r.good {
		t.Fatal("accepted with a wrong checksum")
	}
	if p.repaired {
		begun, _ := referenceParse(before)
		at := 16
		if r.proto == protoUDP {
			at = 6
		}
		if want := referenceSum(referencePseudo(begun.ip, begun.proto, len(begun.t))); begun.t[at] != byte(want>>8) || begun.t[at+1] != byte(want) {
			t.Fatal("completed a checksum that was not begun")
		}
	}
	if p.network == header.IPv6ProtocolNumber {
		pkt := gstack.NewPacketBuffer(gstack.PacketBufferOptions{Payload: buffer.MakeWithData(p.b)})
		defer pkt.DecRef()
		if proto, _, _, _, ok := netparse.IPv6(pkt); ok && (proto == header.TCPProtocolNumber || proto == header.UDPProtocolNumber) && proto != p.transport {
			t.Fatalf("the stack sees protocol %d, parse verified %d", proto, p.transport)
		}
	}
	var c collector
	co := c.coalescer()
	co.add(p)
	co.flush()
	if len(c.packets) != 1 || !bytes.Equal(c.packets[0], p.b) {
		t.Fatal("delivered something else")
	}
}
