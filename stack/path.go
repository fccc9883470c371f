package stack

import (
	"net/netip"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	gstack "gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

const (
	// nearTrip is the longest handshake with a peer on the same network, also
	// where one of the two is busy.
	nearTrip = 5 * time.Millisecond

	// nearTimeout is the shortest retransmission time-out towards such a peer.
	// Linux puts off an acknowledgement for 40 ms, and a lost tail is common
	// enough on a short path for more than that to be felt.
	nearTimeout = 50 * time.Millisecond

	// patience is how much longer than a round trip the time-out is towards
	// any other: the acknowledgement may be put off, for 200 ms by some (RFC
	// 9293, Section 3.8.6.3, allows 500), and frames queue on the way. What is
	// sent again for nothing costs the whole window (RFC 5681, Section 3.1).
	patience = 200 * time.Millisecond

	// mostPaths is how many peers are remembered.
	mostPaths = 1000
)

// paths remembers how far away peers are, for the retransmission time-out of
// the next connections with them. TCP knows a smallest one for the whole stack,
// which a connection takes over when it is made; where connections with near and
// far peers are made at the same moment, one may get that of the other.
type paths struct {
	s *gstack.Stack

	mu    sync.Mutex
	trips map[netip.Addr]time.Duration // shortest handshake so far
}

// prepare sets what a connection with peer takes over, for those that the stack
// makes and those that it accepts.
func (p *paths) prepare(peer netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.set(p.trips[peer])
}

// learn notes how long a handshake with peer took, in which its address may
// have been asked for, too.
func (p *paths) learn(peer netip.Addr, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if before, ok := p.trips[peer]; ok {
		took = min(took, before)
	} else if p.trips == nil || len(p.trips) >= mostPaths {
		p.trips = make(map[netip.Addr]time.Duration)
	}
	p.trips[peer] = took
	p.set(took)
}

// set sets the smallest time-out for a path with that round trip; 0 is an unknown
// one. The caller holds mu.
func (p *paths) set(trip time.Duration) {
	timeout := tcpip.TCPMinRTOOption(trip + patience)
	if trip > 0 && trip <= nearTrip {
		timeout = tcpip.TCPMinRTOOption(nearTimeout)
	}
	// The option is known, and its value less than the largest (120 s) unless
	// that is right for the path anyway.
	_ = p.s.SetTransportProtocolOption(tcp.ProtocolNumber, &timeout)
}
