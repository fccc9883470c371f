package stack

import (
	"encoding/binary"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/tcpip/header"
	gstack "gvisor.dev/gvisor/pkg/tcpip/stack"
)

// flowTable remembers which device a flow is received on, so that it is
// transmitted on the same one: NICs that steer by the queue last sent on then
// keep it there, and each flow's work stays on one queue.
//
// It is a table without collision chains: two flows that share a slot share
// the device last heard of, which is correct if not ideal.
type flowTable struct {
	slots [1 << flowBits]atomic.Uint32
}

const flowBits = 12

// learner returns a function for the receiver of device i.
func (t *flowTable) learner(i int) func(*packet) {
	return func(p *packet) {
		if p.transport != header.TCPProtocolNumber {
			return
		}
		ports := p.b[p.ipLen:]
		remote, local := binary.BigEndian.Uint16(ports), binary.BigEndian.Uint16(ports[2:])
		slot := &t.slots[flowHash(sourceTail(p.b), local, remote)]
		if slot.Load() != uint32(i) {
			slot.Store(uint32(i))
		}
	}
}

// device returns the index of the device to send pkt on.
func (t *flowTable) device(pkt *gstack.PacketBuffer) int {
	if pkt.TransportProtocolNumber != header.TCPProtocolNumber {
		return 0
	}
	ip, tcp := pkt.NetworkHeader().Slice(), pkt.TransportHeader().Slice()
	if len(tcp) < header.TCPMinimumSize {
		return 0
	}
	local, remote := binary.BigEndian.Uint16(tcp), binary.BigEndian.Uint16(tcp[2:])
	return int(t.slots[flowHash(destinationTail(ip), local, remote)].Load())
}

// sourceTail and destinationTail return the last four bytes of an address in
// an IP header.
func sourceTail(ip []byte) uint32 {
	if ip[0]>>4 == header.IPv4Version {
		return binary.BigEndian.Uint32(ip[12:])
	}
	return binary.BigEndian.Uint32(ip[20:])
}

func destinationTail(ip []byte) uint32 {
	if ip[0]>>4 == header.IPv4Version {
		return binary.BigEndian.Uint32(ip[16:])
	}
	return binary.BigEndian.Uint32(ip[36:])
}

// flowHash spreads flows over the table; the multiplier is 2^64 divided by the
// golden ratio.
func flowHash(addr uint32, local, remote uint16) uint32 {
	key := uint64(addr)<<32 | uint64(local)<<16 | uint64(remote)
	return uint32(key * 0x9e3779b97f4a7c15 >> (64 - flowBits))
}
