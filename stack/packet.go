package stack

import (
	"encoding/binary"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/seed-54eb6215/xftp/frame"
)

// verdict says what becomes of a received frame.
type verdict uint8

const (
	accept      verdict = iota // hand it to the stack
	malformed                  // too short, or lengths that contradict one another
	notForUs                   // the hardware address or the protocol is not ours, or TCP to a group
	fragment                   // part of a fragmented IP packet
	badChecksum                // a checksum is wrong
)

// packet is a received frame with its headers found and its checksums
// verified. Its slices lie in device memory.
type packet struct {
	b         []byte                        // the network-layer packet, padding cut off
	network   tcpip.NetworkProtocolNumber   // the EtherType
	transport tcpip.TransportProtocolNumber // 0 if there is none that parse looked into
	ipLen     int                           // bytes before the transport header
	dataOff   int                           // bytes before the TCP payload; 0 if not TCP
	repaired  bool                          // the checksum was only begun, and has been completed
}

// parse finds the headers of the Ethernet frame b and verifies its checksums,
// unless the device did: the stack is told that all are good and does not look
// again. ICMP and ARP are the exception; the stack checks them itself.
//
// Fragments are refused: their transport checksum could be verified only after
// reassembly, no TCP peer that heeds path MTU discovery sends them, and names
// are asked for in UDP packets too small to need them.
//
// A kernel peer on the other end of a veth pair, or the host of a virtual
// machine, leaves the checksum for hardware to finish: the field then holds
// the sum of the pseudo-header and nothing else. parse completes such a
// checksum in place. A frame damaged on a real wire meets that condition once
// in 65536; see checksumHabit.
func parse(b []byte, mac [6]byte, verified bool) (packet, verdict) {
	if len(b) < frame.HeaderLen {
		return packet{}, malformed
	}
	group := b[0]&1 != 0
	if !group && [6]byte(b[:6]) != mac {
		return packet{}, notForUs
	}
	p := packet{network: tcpip.NetworkProtocolNumber(binary.BigEndian.Uint16(b[12:14]))}
	b = b[frame.HeaderLen:]
	switch p.network {
	case header.ARPProtocolNumber:
		if len(b) < header.ARPSize {
			return packet{}, malformed
		}
		p.b = b[:header.ARPSize]
		return p, accept
	case header.IPv4ProtocolNumber:
		if v := p.parseIPv4(b, verified); v != accept {
			return packet{}, v
		}
	case header.IPv6ProtocolNumber:
		if v := p.parseIPv6(b); v != accept {
			return packet{}, v
		}
	default:
		return packet{}, notForUs
	}
	if group && p.transport == header.TCPProtocolNumber {
		// Nobody makes a connection to a group; an answer to such a frame
		// would come from every host on the link.
		return packet{}, notForUs
	}
	return p, p.verifyTransport(verified)
}

func (p *packet) parseIPv4(b []byte, verified bool) verdict {
	if len(b) < header.IPv4MinimumSize {
		return malformed
	}
	ip := header.IPv4(b)
	if b[0]>>4 != header.IPv4Version || !ip.IsValid(len(b)) {
		return malformed
	}
	if !verified && !ip.IsChecksumValid() {
		return badChecksum
	}
	if ip.More() || ip.FragmentOffset() != 0 {
		return fragment
	}
	p.b = b[:ip.TotalLength()]
	p.ipLen = int(ip.HeaderLength())
	p.transport = ip.TransportProtocol()
	return accept
}

func (p *packet) parseIPv6(b []byte) verdict {
	if len(b) < header.IPv6MinimumSize || b[0]>>4 != header.IPv6Version {
		return malformed
	}
	ip := header.IPv6(b)
	total := header.IPv6MinimumSize + int(ip.PayloadLength())
	if total > len(b) {
		return malformed
	}
	p.b = b[:total]
	p.ipLen = header.IPv6MinimumSize
	// Extension headers must be walked: the stack takes our word for the
	// checksum of what comes after them (RFC 8200, Section 4.1).
	next := ip.NextHeader()
	for {
		switch header.IPv6ExtensionHeaderIdentifier(next) {
		case header.IPv6HopByHopOptionsExtHdrIdentifier,
			header.IPv6RoutingExtHdrIdentifier,
			header.IPv6DestinationOptionsExtHdrIdentifier:
			if p.ipLen+8 > total {
				return malformed
			}
			next = b[p.ipLen]
			p.ipLen += 8 * (1 + int(b[p.ipLen+1]))
			if p.ipLen > total {
				return malformed
			}
		case header.IPv6FragmentExtHdrIdentifier:
			return fragment
		case header.IPv6ExperimentExtHdrIdentifier:
			// The stack would look behind it.
			return notForUs
		default:
			p.transport = tcpip.TransportProtocolNumber(next)
			return accept
		}
	}
}

// verifyTransport checks the lengths and the checksum of a TCP segment or a
// UDP datagram.
func (p *packet) verifyTransport(verified bool) verdict {
	t := p.b[p.ipLen:]
	var field []byte
	switch p.transport {
	case header.TCPProtocolNumber:
		if len(t) < header.TCPMinimumSize {
			return malformed
		}
		n := int(header.TCP(t).DataOffset())
		if n < header.TCPMinimumSize || n > len(t) {
			return malformed
		}
		p.dataOff = p.ipLen + n
		field = t[header.TCPChecksumOffset:][:2]
	case header.UDPProtocolNumber:
		if len(t) < header.UDPMinimumSize {
			return malformed
		}
		n := int(header.UDP(t).Length())
		if n < header.UDPMinimumSize || n > len(t) {
			return malformed
		}
		t = t[:n]
		field = t[6:8]
		// RFC 768: an all zero checksum means that none was computed. IPv6
		// does not allow that (RFC 8200, Section 8.1).
		if field[0] == 0 && field[1] == 0 && !verified {
			if p.network == header.IPv4ProtocolNumber {
				return accept
			}
			return badChecksum
		}
	default:
		return accept
	}
	if verified {
		return accept
	}
	pseudo := p.pseudoSum(len(t))
	sum := checksum.Checksum(t, pseudo)
	if sum == 0xffff {
		return accept
	}
	if binary.BigEndian.Uint16(field) != pseudo {
		return badChecksum
	}
	// Only begun: the sum over the segment with a zero field is the sum over
	// it as it came, less the field.
	full := ^checksum.Combine(sum, ^pseudo)
	if full == 0 && p.transport == header.UDPProtocolNumber {
		full = 0xffff
	}
	binary.BigEndian.PutUint16(field, full)
	p.repaired = true
	return accept
}

// pseudoSum returns the sum of the pseudo-header for n bytes of transport
// header and payload, folded but not complemented (RFC 9293, Section 3.1;
// RFC 8200, Section 8.1).
func (p *packet) pseudoSum(n int) uint16 {
	addrs := p.b[12:20]
	if p.network == header.IPv6ProtocolNumber {
		addrs = p.b[8:40]
	}
	sum := checksum.Checksum(addrs, uint16(p.transport))
	return checksum.Combine(sum, uint16(n))
}
