package xdp

// frameState says who has a transmit frame.
type frameState uint8

const (
	frameFree     frameState = iota // nobody
	frameReserved                   // the caller, since Reserve
	frameQueued                     // the kernel, from Submit until its completion
)

// framePool knows where the frames are and who has which transmit frame.
// Addresses are offsets into the memory's frames.
type framePool struct {
	size     uint64 // of a frame, a power of two
	first    uint64 // address of the first transmit frame
	end      uint64 // address behind the last one
	free     []uint64
	reserved []uint64 // in the order of the last Reserve
	state    []frameState
}

func (p *framePool) init(size, rxFrames, txFrames int) {
	p.size = uint64(size)
	p.first = uint64(rxFrames) * p.size
	p.end = p.first + uint64(txFrames)*p.size
	p.free = make([]uint64, 0, txFrames)
	p.reserved = make([]uint64, 0, txFrames)
	p.state = make([]frameState, txFrames)
	for a := p.end; a > p.first; a -= p.size {
		p.free = append(p.free, a-p.size)
	}
}

// start returns the address of the frame that an address is in.
func (p *framePool) start(address uint64) uint64 { return address &^ (p.size - 1) }

// receives says that a received packet lies inside one receive frame.
func (p *framePool) receives(address uint64, length uint32) bool {
	return address < p.first && address-p.start(address)+uint64(length) <= p.size
}

func (p *framePool) stateOf(address uint64) *frameState { return &p.state[(address-p.first)/p.size] }

// reserve takes a free frame; the one given back last is the first to be
// taken, as it may still be in a CPU's cache.
func (p *framePool) reserve() (address uint64, ok bool) {
	if len(p.free) == 0 {
		return 0, false
	}
	address = p.free[len(p.free)-1]
	p.free = p.free[:len(p.free)-1]
	p.reserved = append(p.reserved, address)
	*p.stateOf(address) = frameReserved
	return address, true
}

// unreserve gives back the reserved frames from the i-th on and forgets the
// others, which are queued or given back by then.
func (p *framePool) unreserve(i int) {
	for j := len(p.reserved) - 1; j >= i; j-- {
		p.release(p.reserved[j])
	}
	p.reserved = p.reserved[:0]
}

func (p *framePool) release(address uint64) {
	*p.stateOf(address) = frameFree
	p.free = append(p.free, address)
}

func (p *framePool) queue(address uint64) { *p.stateOf(address) = frameQueued }

// complete gives back a frame that the kernel has sent. It returns false if
// the kernel did not have it.
func (p *framePool) complete(address uint64) bool {
	address = p.start(address)
	if address < p.first || address >= p.end || *p.stateOf(address) != frameQueued {
		return false
	}
	p.release(address)
	return true
}
