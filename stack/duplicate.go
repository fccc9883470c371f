package stack

import (
	"encoding/binary"

	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// duplicates makes the stack see duplicate acknowledgements for what they are.
//
// One that selectively acknowledges something new is a duplicate whatever
// window it offers (RFC 6675, Section 2), but the stack takes it for one only
// if the window is the one offered before (RFC 5681, Section 2). A Linux peer
// changes its window with nearly every acknowledgement; the stack then finds
// out by a time-out what was lost. So such an acknowledgement is delivered
// twice, with the window of the one before it first.
//
// It is a table without collision chains. Flows that share a slot do not
// mistake each other's acknowledgements: the numbers would have to agree.
type duplicates struct {
	last [1 << habitBits]struct {
		ack    uint32
		window uint16
	}
}

// before returns the window of the acknowledgement before p, and whether p is a
// duplicate of it that offers another.
func (d *duplicates) before(p *packet) (window uint16, differs bool) {
	if p.transport != header.TCPProtocolNumber || len(p.b) != p.dataOff || p.tcp().Flags() != header.TCPFlagAck {
		return 0, false
	}
	tcp := p.tcp()
	ports := p.b[p.ipLen:]
	remote, local := binary.BigEndian.Uint16(ports), binary.BigEndian.Uint16(ports[2:])
	last := &d.last[flowHash(sourceTail(p.b), local, remote)>>(flowBits-habitBits)]
	ack, window := last.ack, last.window
	last.ack, last.window = tcp.AckNumber(), tcp.WindowSize()
	return window, ack == last.ack && window != last.window && p.selects()
}

// selects says whether p selectively acknowledges (RFC 2018).
func (p *packet) selects() bool {
	options := p.b[p.ipLen+header.TCPMinimumSize : p.dataOff]
	return len(header.ParseTCPOptions(options).SACKBlocks) > 0
}
