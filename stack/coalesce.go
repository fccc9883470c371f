package stack

import (
	"bytes"
	"encoding/binary"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	gstack "gvisor.dev/gvisor/pkg/tcpip/stack"
)

const (
	maxRuns       = 8     // flows that may be coalesced side by side in one batch
	maxRunPackets = 64    // packets in a run
	maxPacket     = 65535 // bytes in an IP packet
)

// A coalescer joins consecutive TCP segments of a flow into one packet of up
// to 64 KiB, so that the stack does its work per packet once for many frames.
// It holds segments only within one batch of frames and only by reference:
// flush must be called before the batch ends.
//
// Segments are joined if nothing but sequence number, length, IP
// identification, checksums and PSH tells them apart, and if their sequence
// numbers follow one another without a gap; the rule is that of Linux's GRO.
// Of acknowledgements that follow one another and differ in nothing else only
// the last is delivered: to each one the stack would answer with a packet of
// the few segments that it allows, instead of with one of 64 KiB.
// Everything else is delivered as it came, after what its flow had collected,
// so that no flow is reordered.
type coalescer struct {
	deliver func(tcpip.NetworkProtocolNumber, *gstack.PacketBuffer)
	runs    [maxRuns]run
	active  int // runs[:active] hold packets
}

// run is a sequence of segments of one flow that can be joined, or the latest
// of its acknowledgements.
type run struct {
	first packet // its headers become those of the joined packet
	ack   bool   // first is a pure acknowledgement, and all there is
	next  uint32 // sequence number that continues the run
	size  int    // bytes in the joined packet, IP header included
	flags byte   // OR of the TCP flags
	n     int    // payloads in use
	parts [maxRunPackets][]byte
}

// add takes p, which stays valid until flush.
func (c *coalescer) add(p packet) {
	if p.transport != header.TCPProtocolNumber {
		c.deliverOne(p)
		return
	}
	i := c.find(&p)
	ack := p.acknowledges()
	if ack && i >= 0 && c.runs[i].supersededBy(&p) {
		c.runs[i].first = p
		return
	}
	if !ack && !p.joinable() {
		if i >= 0 {
			c.close(i)
		}
		c.deliverOne(p)
		return
	}
	if i >= 0 {
		if r := &c.runs[i]; !ack && r.accepts(&p) {
			r.append(&p)
			if p.tcp().Flags()&header.TCPFlagPsh != 0 || r.n == maxRunPackets {
				c.close(i)
			}
			return
		}
		c.close(i)
	}
	if p.tcp().Flags()&header.TCPFlagPsh != 0 {
		c.deliverOne(p)
		return
	}
	if c.active == maxRuns {
		c.close(0)
	}
	c.runs[c.active].start(&p)
	c.active++
}

// flush delivers all that has been collected.
func (c *coalescer) flush() {
	for c.active > 0 {
		c.close(0)
	}
}

// find returns the run of p's flow, or -1.
func (c *coalescer) find(p *packet) int {
	for i := range c.runs[:c.active] {
		if c.runs[i].first.sameFlow(p) {
			return i
		}
	}
	return -1
}

// close delivers run i and removes it.
func (c *coalescer) close(i int) {
	r := &c.runs[i]
	c.deliverRun(r)
	r.first = packet{}
	clear(r.parts[:r.n])
	r.n = 0
	c.active--
	if i < c.active {
		c.runs[i], c.runs[c.active] = c.runs[c.active], run{}
	}
}

// deliverOne delivers p as it came.
func (c *coalescer) deliverOne(p packet) {
	headers := len(p.b)
	if p.dataOff > 0 {
		headers = p.dataOff
	}
	c.deliverParts(&p, headers, len(p.b), p.b[headers:])
}

// deliverRun delivers the segments of r as one packet.
func (c *coalescer) deliverRun(r *run) {
	ip := r.first.b
	if r.first.network == header.IPv4ProtocolNumber {
		// The checksum in the header is left as it is: nobody verifies it
		// after parse.
		header.IPv4(ip).SetTotalLength(uint16(r.size))
	} else {
		header.IPv6(ip).SetPayloadLength(uint16(r.size - header.IPv6MinimumSize))
	}
	ip[r.first.ipLen+header.TCPFlagsOffset] = r.flags
	c.deliverParts(&r.first, r.first.dataOff, r.size, r.parts[:r.n]...)
}

// deliverParts copies the headers and the payload out of device memory and
// hands them to the stack. They go into two Views: the stack writes into the
// one that holds the headers while it shares it, and a shared View is copied
// whole before it is written.
func (c *coalescer) deliverParts(p *packet, headers, size int, parts ...[]byte) {
	b := buffer.MakeWithView(buffer.NewViewWithData(p.b[:headers]))
	if size > headers {
		v := buffer.NewViewSize(size - headers)
		dst := v.AsSlice()
		for _, part := range parts {
			dst = dst[copy(dst, part):]
		}
		payload := buffer.MakeWithView(v)
		b.Merge(&payload)
	}
	pkt := gstack.NewPacketBuffer(gstack.PacketBufferOptions{Payload: b})
	c.deliver(p.network, pkt)
	pkt.DecRef()
}

func (p *packet) tcp() header.TCP { return header.TCP(p.b[p.ipLen:]) }

// joinable says whether p is a plain data segment: no IP options or extension
// headers, no flags but ACK and PSH, and a payload.
func (p *packet) joinable() bool {
	const wanted, allowed = header.TCPFlagAck, header.TCPFlagAck | header.TCPFlagPsh
	flags := p.tcp().Flags()
	if flags&wanted == 0 || flags&^allowed != 0 || len(p.b) == p.dataOff {
		return false
	}
	if p.network == header.IPv4ProtocolNumber {
		return p.ipLen == header.IPv4MinimumSize
	}
	return p.ipLen == header.IPv6MinimumSize
}

// acknowledges says whether p is a pure acknowledgement: no payload, no flag
// but ACK, no IP options or extension headers and no TCP options but
// timestamps. In particular it says nothing of segments that came out of order
// (SACK; RFC 2018).
func (p *packet) acknowledges() bool {
	if len(p.b) != p.dataOff || p.tcp().Flags() != header.TCPFlagAck {
		return false
	}
	if p.network == header.IPv4ProtocolNumber && p.ipLen != header.IPv4MinimumSize ||
		p.network == header.IPv6ProtocolNumber && p.ipLen != header.IPv6MinimumSize {
		return false
	}
	switch options := p.b[p.ipLen+header.TCPMinimumSize : p.dataOff]; len(options) {
	case 0:
		return true
	case 12: // as all stacks write them (RFC 7323, Appendix A)
		return [4]byte(options) == [4]byte{header.TCPOptionNOP, header.TCPOptionNOP, header.TCPOptionTS, header.TCPOptionTSLength}
	}
	return false
}

// sameFlow says whether p and q have the same addresses and ports.
func (p *packet) sameFlow(q *packet) bool {
	if p.network != q.network {
		return false
	}
	if binary.NativeEndian.Uint32(p.b[p.ipLen:]) != binary.NativeEndian.Uint32(q.b[q.ipLen:]) {
		return false
	}
	if p.network == header.IPv4ProtocolNumber {
		return [8]byte(p.b[12:]) == [8]byte(q.b[12:])
	}
	return [32]byte(p.b[8:]) == [32]byte(q.b[8:])
}

func (r *run) start(p *packet) {
	r.first = *p
	r.next = p.tcp().SequenceNumber()
	r.size = p.dataOff
	r.flags = 0
	r.n = 0
	r.ack = p.acknowledges()
	r.append(p)
}

func (r *run) append(p *packet) {
	data := p.b[p.dataOff:]
	if len(data) > 0 {
		r.parts[r.n] = data
		r.n++
	}
	r.next += uint32(len(data))
	r.size += len(data)
	r.flags |= byte(p.tcp().Flags())
}

// accepts says whether p, of the same flow and joinable, continues r.
func (r *run) accepts(p *packet) bool {
	f := &r.first
	if r.ack || p.tcp().SequenceNumber() != r.next || p.dataOff != f.dataOff ||
		r.size+len(p.b)-p.dataOff > maxPacket || !p.sameService(f) {
		return false
	}
	// Acknowledgement number, data offset with reserved bits, window and
	// options.
	pt, ft := p.b[p.ipLen:p.dataOff], f.b[f.ipLen:f.dataOff]
	return [5]byte(pt[8:]) == [5]byte(ft[8:]) && [2]byte(pt[14:]) == [2]byte(ft[14:]) &&
		bytes.Equal(pt[header.TCPMinimumSize:], ft[header.TCPMinimumSize:])
}

// supersededBy says whether r is an acknowledgement of which p, of the same
// flow and an acknowledgement, too, says all and more. One that acknowledges
// nothing new is a duplicate, which counts (RFC 5681, Section 2).
func (r *run) supersededBy(p *packet) bool {
	if !r.ack || p.dataOff != r.first.dataOff || !p.sameService(&r.first) {
		return false
	}
	pt, ft := p.tcp(), r.first.tcp()
	return pt.SequenceNumber() == ft.SequenceNumber() && int32(pt.AckNumber()-ft.AckNumber()) > 0
}

// sameService says whether the network headers of p and f, of the same flow,
// ask for the same treatment.
func (p *packet) sameService(f *packet) bool {
	// IPv4: type of service, and DF with TTL. IPv6: version, class and flow
	// label, and the hop limit.
	if f.network == header.IPv4ProtocolNumber {
		return p.b[1] == f.b[1] && p.b[6] == f.b[6] && p.b[8] == f.b[8]
	}
	return [4]byte(p.b) == [4]byte(f.b) && p.b[7] == f.b[7]
}
