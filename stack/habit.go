package stack

import (
	"encoding/binary"

	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// checksumHabit remembers how the checksums of each flow come. A kernel peer
// behind a virtual link leaves all those of a flow for hardware to finish; on
// a real wire all come complete, and one that seems only begun is a frame
// damaged so that parse would complete the checksum over the damage: one in
// 65536 of those. So where a flow's checksums have come complete, one alone
// that has not is taken for damage, and only the next one for a change of
// habit.
//
// It is a table without collision chains: flows that share a slot and have
// different habits lose a frame now and then.
type checksumHabit struct {
	complete [1 << habitBits]uint8 // complete checksums in a row, up to settled
}

const (
	habitBits = 8
	settled   = 16 // complete checksums in a row that make a habit
	doubt     = 4  // as many are forgotten when one was only begun
)

// believes says whether the checksum of p, which parse has accepted, is what
// it seems to be.
func (h *checksumHabit) believes(p *packet) bool {
	if p.transport != header.TCPProtocolNumber && p.transport != header.UDPProtocolNumber {
		return true
	}
	ports := p.b[p.ipLen:]
	remote, local := binary.BigEndian.Uint16(ports), binary.BigEndian.Uint16(ports[2:])
	n := &h.complete[flowHash(sourceTail(p.b), local, remote)>>(flowBits-habitBits)]
	switch {
	case !p.repaired:
		*n = min(*n+1, settled)
		return true
	case *n == settled:
		*n -= doubt
		return false
	default:
		*n = 0
		return true
	}
}
