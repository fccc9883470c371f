// Package stacktest provides an in-memory wire on which two stacks talk
// without privileges and without a kernel: for tests of what runs on a stack.
package stacktest

import (
	"sync/atomic"
	"time"
)

// Impairment is what a wire does to the frames of one direction. The zero
// value does nothing. What happens to the n-th frame depends on Seed and n
// alone.
type Impairment struct {
	Seed      uint64
	Loss      float64       // probability from 0 to 1 that a frame is lost
	Duplicate float64       // ... that it arrives twice
	Reorder   float64       // ... that frames sent after it overtake it
	Corrupt   float64       // ... that one bit behind the Ethernet header is flipped
	Delay     time.Duration // added to each frame
}

// Options describes a wire. The zero value is a perfect one.
type Options struct {
	MTU int // 0 means 1500
	// Buffers is the number of transmit buffers at each end, and the number
	// of frames that may wait for the receiver; 0 means 256. Frames that find
	// no place at the receiver are lost, as in a NIC.
	Buffers int
	AtoB    Impairment
	BtoA    Impairment
	// Parts splits each received frame longer than this many bytes into parts
	// of that length, as a device does whose buffers are small; 0 means never.
	Parts int
}

// A Wire is the link between its two ends.
type Wire struct {
	A, B *End

	down atomic.Bool
}

// SetDown takes the link down or up. A frame sent while it is down is lost.
func (w *Wire) SetDown(down bool) { w.down.Store(down) }

// Impair replaces what the wire does to the frames of each direction. Seeds
// start anew.
func (w *Wire) Impair(aToB, bToA Impairment) {
	w.A.impair(aToB)
	w.B.impair(bToA)
}

// NewWire returns a wire, each of whose ends is to be owned by one stack.
func NewWire(o Options) *Wire {
	if o.MTU == 0 {
		o.MTU = 1500
	}
	if o.Buffers == 0 {
		o.Buffers = 256
	}
	w := new(Wire)
	w.A, w.B = newEnd(w, o, 1), newEnd(w, o, 2)
	w.Impair(o.AtoB, o.BtoA)
	w.A.peer, w.B.peer = w.B, w.A
	return w
}
