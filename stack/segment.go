package stack

import (
	"encoding/binary"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	gstack "gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/seed-54eb6215/xftp/frame"
)

// maxHeaders bounds the headers of a TCP segment in bytes: Ethernet, IPv6 and
// the longest TCP header.
const maxHeaders = frame.HeaderLen + header.IPv6MinimumSize + header.TCPHeaderMaximumSize

// A segmenter cuts one outgoing packet into frames. The stack hands TCP data
// down in packets of up to 64 KiB whose TCP checksum is only begun; what
// leaves must fit the link, with every checksum complete.
//
// The payload of the packet is shared with the retransmission queue and is
// only read.
type segmenter struct {
	mtu     int // of the link
	src     viewReader
	headers [maxHeaders]byte
	hlen    int // bytes in headers
	ipOff   int // offset of the IP header in headers
	tcpOff  int // offset of the TCP header in headers
	mss     int // payload bytes in a segment
	left    int // payload bytes not yet cut
	pseudo  uint16
	first   bool
}

// segmentable says whether pkt carries TCP whose checksum is for us to
// complete. Anything else goes out as it is, in one frame.
func segmentable(pkt *gstack.PacketBuffer) bool {
	return pkt.GSOOptions.Type != gstack.GSONone && pkt.GSOOptions.NeedsCsum
}

// start begins to cut pkt, for which segmentable is true. It returns false if
// the headers are longer than TCP's can be.
func (s *segmenter) start(pkt *gstack.PacketBuffer) bool {
	s.src = newViewReader(pkt)
	s.hlen = pkt.HeaderSize()
	if s.hlen > len(s.headers) {
		return false
	}
	s.src.copyTo(s.headers[:s.hlen])
	s.ipOff = len(pkt.LinkHeader().Slice())
	s.tcpOff = s.ipOff + int(pkt.GSOOptions.L3HdrLen)
	s.mss = int(pkt.GSOOptions.MSS)
	s.left = pkt.Data().Size()
	s.first = true

	addrs := s.headers[s.ipOff+12 : s.ipOff+20]
	if pkt.GSOOptions.Type == gstack.GSOTCPv6 {
		addrs = s.headers[s.ipOff+8 : s.ipOff+40]
	}
	s.pseudo = checksum.Checksum(addrs, uint16(header.TCPProtocolNumber))
	s.mss = segmentPayload(s.mtu, s.tcpOff-s.ipOff, s.hlen-s.tcpOff, s.mss)
	if s.mss <= 0 {
		s.mss = max(s.left, 1)
	}
	return true
}

// segmentPayload returns how many payload bytes a segment may have behind an IP
// header of ip and a TCP header of tcp bytes, where the stack reckons with
// mss.
//
// The stack takes the longest TCP options off the MSS, those of a segment that
// also selectively acknowledges. What counts are the options that a segment
// does have (RFC 6691, Section 2): 12 bytes instead of 40. That mss was reckoned
// so can be told only if nothing but the MTU limited it; a peer that offers
// less gets the shorter segments.
func segmentPayload(mtu, ip, tcp, mss int) int {
	if mss != mtu-ip-header.TCPMinimumSize-header.TCPOptionsMaximumSize {
		return mss
	}
	return mtu - ip - tcp
}

// packetPayload returns how many payload bytes make a packet that is cut into
// full segments only, on a link with that MTU and behind IP headers of ip
// bytes: the most that the stack takes in one piece.
func packetPayload(mtu, ip int) int {
	const timestamps = 12 // the options of a segment with data
	segment := mtu - ip - header.TCPMinimumSize - timestamps
	most := int(gsoSize(mtu)) - reservedHeaders
	if segment <= 0 || segment > most {
		return most
	}
	return most / segment * segment
}

// next writes the next segment into buf and returns its length in bytes, and
// whether it was the last. buf must hold the headers and a full segment.
func (s *segmenter) next(buf []byte) (n int, last bool) {
	size := min(s.left, s.mss)
	s.left -= size
	last = s.left == 0
	n = s.hlen + size
	buf = buf[:n]
	copy(buf, s.headers[:s.hlen])
	s.src.copyTo(buf[s.hlen:])

	ip := buf[s.ipOff:]
	if ip[0]>>4 == header.IPv4Version {
		h := header.IPv4(ip)
		h.SetTotalLength(uint16(len(ip)))
		h.SetChecksum(0)
		h.SetChecksum(^checksum.Checksum(ip[:s.tcpOff-s.ipOff], 0))
	} else {
		header.IPv6(ip).SetPayloadLength(uint16(len(ip) - header.IPv6MinimumSize))
	}

	tcp := header.TCP(buf[s.tcpOff:])
	flags := s.headers[s.tcpOff+header.TCPFlagsOffset]
	if !last {
		flags &^= byte(header.TCPFlagFin | header.TCPFlagPsh)
	}
	if !s.first {
		flags &^= cwr
	}
	tcp[header.TCPFlagsOffset] = flags
	tcp.SetChecksum(0)
	tcp.SetChecksum(^checksum.Checksum(tcp, checksum.Combine(s.pseudo, uint16(len(tcp)))))

	// The next segment's headers differ in the sequence number alone.
	seq := s.headers[s.tcpOff+4:]
	binary.BigEndian.PutUint32(seq, binary.BigEndian.Uint32(seq)+uint32(size))
	s.first = false
	return n, last
}

// cwr is TCP's congestion window reduced flag (RFC 3168, Section 6.1), which
// the sender sets on one segment only.
const cwr = 0x80

// viewReader reads the bytes of a packet in order, across its Views, without
// allocating.
type viewReader struct {
	view *buffer.View
	off  int // bytes of view that have been read
}

func newViewReader(pkt *gstack.PacketBuffer) viewReader {
	views, off := pkt.AsViewList()
	return viewReader{view: views.Front(), off: off}
}

// copyTo fills dst with the next bytes of the packet and returns how many
// there were.
func (r *viewReader) copyTo(dst []byte) int {
	n := 0
	for n < len(dst) && r.view != nil {
		src := r.view.AsSlice()[r.off:]
		if len(src) == 0 {
			r.view, r.off = r.view.Next(), 0
			continue
		}
		m := copy(dst[n:], src)
		n += m
		r.off += m
	}
	return n
}
