package stack

import (
	"encoding/binary"
	"math/rand/v2"
)

// This file builds frames, and computes their checksums as the RFCs put it:
// byte by byte, on pseudo-headers that are written out. It shares no code with
// what it tests.

var (
	ourMAC   = [6]byte{2, 0, 0, 0, 0, 1}
	otherMAC = [6]byte{2, 0, 0, 0, 0, 2}
)

const (
	protoTCP  = 6
	protoUDP  = 17
	flagFin   = 0x01
	flagSyn   = 0x02
	flagRst   = 0x04
	flagPsh   = 0x08
	flagAck   = 0x10
	flagUrg   = 0x20
	flagCwr   = 0x80
	etherIPv4 = 0x0800
	etherIPv6 = 0x86dd
	etherARP  = 0x0806
)

// referenceSum is RFC 1071's sum, folded and not complemented.
func referenceSum(b []byte) uint16 {
	var sum uint64
	for i, c := range b {
		if i%2 == 0 {
			sum += uint64(c) << 8
		} else {
			sum += uint64(c)
		}
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}

// referencePseudo returns the pseudo-header of n bytes in the IP packet ip.
func referencePseudo(ip []byte, proto byte, n int) []byte {
	if ip[0]>>4 == 4 {
		b := append([]byte(nil), ip[12:20]...)
		return append(b, 0, proto, byte(n>>8), byte(n))
	}
	b := append([]byte(nil), ip[8:40]...)
	return append(b, byte(n>>24), byte(n>>16), byte(n>>8), byte(n), 0, 0, 0, proto)
}

func put16(b []byte, at int, v uint16) { binary.BigEndian.PutUint16(b[at:], v) }

// segmentSpec says what a TCP segment looks like; the zero value is an empty
// one over IPv4 with no flags.
type segmentSpec struct {
	v6      bool
	flow    int // gives both ports
	seq     uint32
	ack     uint32
	flags   byte
	window  uint16
	tos     byte
	ttl     byte
	df      bool
	ipOpts  []byte
	options []byte
	payload []byte
}

// frame returns the segment in an Ethernet frame to ourMAC.
func (s segmentSpec) frame() []byte {
	tcp := make([]byte, 20, 20+len(s.options)+len(s.payload))
	put16(tcp, 0, uint16(40000+s.flow))
	put16(tcp, 2, 21)
	binary.BigEndian.PutUint32(tcp[4:], s.seq)
	binary.BigEndian.PutUint32(tcp[8:], s.ack)
	tcp[12] = byte(20+len(s.options)) / 4 << 4
	tcp[13] = s.flags
	put16(tcp, 14, s.window)
	tcp = append(append(tcp, s.options...), s.payload...)
	var ip []byte
	if s.v6 {
		ip = ipv6Packet(protoTCP, tcp)
		ip[0] |= s.tos >> 4
		ip[1] |= s.tos << 4
		ip[7] = s.ttl
	} else {
		ip = ipv4Packet(protoTCP, s.ipOpts, tcp)
		ip[1] = s.tos
		ip[8] = s.ttl
		if s.df {
			ip[6] |= 0x40
		}
	}
	completeIP(ip)
	completeTransport(ip, protoTCP, 16)
	if s.v6 {
		return ethernet(ourMAC, etherIPv6, ip)
	}
	return ethernet(ourMAC, etherIPv4, ip)
}

func ethernet(to [6]byte, etherType uint16, payload []byte) []byte {
	b := append(append([]byte(nil), to[:]...), otherMAC[:]...)
	b = append(b, byte(etherType>>8), byte(etherType))
	return append(b, payload...)
}

// ipv4Packet returns a packet whose checksum is complete.
func ipv4Packet(proto byte, options, payload []byte) []byte {
	b := make([]byte, 20, 20+len(options)+len(payload))
	b[0] = 0x40 | byte(20+len(options))/4
	b[8], b[9] = 64, proto
	copy(b[12:], []byte{10, 1, 0, 2, 10, 1, 0, 1})
	b = append(append(b, options...), payload...)
	put16(b, 2, uint16(len(b)))
	completeIP(b)
	return b
}

func ipv6Packet(next byte, payload []byte) []byte {
	b := make([]byte, 40, 40+len(payload))
	b[0], b[6], b[7] = 0x60, next, 64
	b[8], b[23], b[24], b[39] = 0xfd, 2, 0xfd, 1
	put16(b, 4, uint16(len(payload)))
	return append(b, payload...)
}

// completeIP writes the header checksum of an IPv4 packet.
func completeIP(ip []byte) {
	if ip[0]>>4 == 4 {
		put16(ip, 10, 0)
		put16(ip, 10, ^referenceSum(ip[:ip[0]&15*4]))
	}
}

// transportOf returns what follows an IP header without IPv6 extensions.
func transportOf(ip []byte) []byte {
	if ip[0]>>4 == 4 {
		return ip[ip[0]&15*4:]
	}
	return ip[40:]
}

// completeTransport writes the checksum of the header behind the IP header
// without IPv6 extensions, whose checksum field is at the given offset.
func completeTransport(ip []byte, proto byte, field int) {
	t := transportOf(ip)
	put16(t, field, 0)
	sum := ^referenceSum(append(referencePseudo(ip, proto, len(t)), t...))
	if sum == 0 && proto == protoUDP {
		sum = 0xffff
	}
	put16(t, field, sum)
}

// beginTransport leaves the checksum begun only, as a kernel does for hardware
// to complete.
func beginTransport(ip []byte, proto byte, field int) {
	t := transportOf(ip)
	put16(t, field, referenceSum(referencePseudo(ip, proto, len(t))))
}

// udpDatagram returns a datagram without a checksum.
func udpDatagram(payload []byte) []byte {
	b := make([]byte, 8, 8+len(payload))
	put16(b, 0, 53)
	put16(b, 2, 40000)
	put16(b, 4, uint16(8+len(payload)))
	return append(b, payload...)
}

// testBytes returns n bytes that depend on the seed alone.
func testBytes(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// reference is what a slow reader makes of a frame.
type reference struct {
	proto  byte // protocol behind the IP headers
	ip     []byte
	t      []byte // from the transport header to the end of the packet, or of the UDP datagram
	good   bool   // every checksum is
	nocsum bool   // UDP without a checksum
}

// referenceParse reads a frame that carries a whole IP packet of good lengths.
// It returns ok if it is one.
func referenceParse(b []byte) (r reference, ok bool) {
	if len(b) < 34 {
		return r, false
	}
	etherType, ip := binary.BigEndian.Uint16(b[12:]), b[14:]
	r.good = true
	var at int
	switch {
	case etherType == etherIPv4 && ip[0]>>4 == 4:
		total := int(binary.BigEndian.Uint16(ip[2:]))
		at = int(ip[0]&15) * 4
		if at < 20 || total < at || total > len(ip) || binary.BigEndian.Uint16(ip[6:])&0x3fff != 0 {
			return r, false
		}
		ip = ip[:total]
		r.good = referenceSum(ip[:at]) == 0xffff
		r.proto = ip[9]
	case etherType == etherIPv6 && len(ip) >= 40 && ip[0]>>4 == 6:
		total := 40 + int(binary.BigEndian.Uint16(ip[4:]))
		if total > len(ip) {
			return r, false
		}
		ip = ip[:total]
		at, r.proto = 40, ip[6]
		for r.proto == 0 || r.proto == 43 || r.proto == 60 {
			if at+2 > total || at+8+8*int(ip[at+1]) > total {
				return r, false
			}
			r.proto, at = ip[at], at+8+8*int(ip[at+1])
		}
	default:
		return r, false
	}
	r.ip, r.t = ip, ip[at:]
	switch r.proto {
	case protoTCP:
		if len(r.t) < 20 {
			return r, false
		}
	case protoUDP:
		if len(r.t) < 8 {
			return r, false
		}
		n := int(binary.BigEndian.Uint16(r.t[4:]))
		if n < 8 || n > len(r.t) {
			return r, false
		}
		r.t = r.t[:n]
		if r.t[6] == 0 && r.t[7] == 0 {
			r.nocsum = true
			r.good = r.good && etherType == etherIPv4
			return r, true
		}
	default:
		return r, true
	}
	sum := referenceSum(append(referencePseudo(ip, r.proto, len(r.t)), r.t...))
	r.good = r.good && sum == 0xffff
	return r, true
}
