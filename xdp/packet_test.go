package xdp

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

// The packets that the tests are made of are built here, byte by byte, from
// the RFCs, independently of how the steering program reads them.

func ethernet(kind uint16, payload []byte) []byte {
	b := []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}
	b = binary.BigEndian.AppendUint16(b, kind)
	return append(b, payload...)
}

// padded is b as it arrives on a wire: at least 60 bytes long.
func padded(b []byte) []byte {
	return append(slices.Clone(b), make([]byte, max(0, 60-len(b)))...)
}

// ipv4 is an IPv4 packet with options, which are a multiple of 4 bytes long.
func ipv4(dst netip.Addr, protocol byte, fragment uint16, options, payload []byte) []byte {
	header := 20 + len(options)
	b := []byte{0x40 | byte(header/4), 0}
	b = binary.BigEndian.AppendUint16(b, uint16(header+len(payload)))
	b = append(b, 0, 1)
	b = binary.BigEndian.AppendUint16(b, fragment)
	b = append(b, 64, protocol, 0, 0, 192, 0, 2, 99)
	b = append(b, dst.AsSlice()...)
	b = append(b, options...)
	return append(b, payload...)
}

func ipv6(dst netip.Addr, next byte, payload []byte) []byte {
	b := []byte{0x60, 0, 0, 0}
	b = binary.BigEndian.AppendUint16(b, uint16(len(payload)))
	b = append(b, next, 255)
	b = append(b, netip.MustParseAddr("2001:db8::99").AsSlice()...)
	b = append(b, dst.AsSlice()...)
	return append(b, payload...)
}

// ports is a TCP or UDP header as far as it goes: 20 bytes.
func ports(src, dst uint16) []byte {
	b := binary.BigEndian.AppendUint16(nil, src)
	b = binary.BigEndian.AppendUint16(b, dst)
	return append(b, make([]byte, 16)...)
}

func arp(operation uint16, sender, target netip.Addr) []byte {
	b := []byte{0, 1, 8, 0, 6, 4}
	b = binary.BigEndian.AppendUint16(b, operation)
	b = append(b, 2, 0, 0, 0, 0, 2)
	b = append(b, sender.AsSlice()...)
	b = append(b, 2, 0, 0, 0, 0, 1)
	return append(b, target.AsSlice()...)
}

// discovery is a neighbour solicitation (135) or advertisement (136).
func discovery(kind byte, target netip.Addr) []byte {
	return append([]byte{kind, 0, 0, 0, 0, 0, 0, 0}, target.AsSlice()...)
}

// solicitedNode is the multicast group of an IPv6 address (RFC 4291, 2.7.1).
func solicitedNode(a netip.Addr) netip.Addr {
	b := netip.MustParseAddr("ff02::1:ff00:0").As16()
	from := a.As16()
	copy(b[13:], from[13:])
	return netip.AddrFrom16(b)
}
