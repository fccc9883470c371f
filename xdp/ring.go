package xdp

import "sync/atomic"

// ringNeedWakeup is the bit of a ring's flags by which the kernel asks to be
// told of new entries (XDP_RING_NEED_WAKEUP in linux/if_xdp.h).
const ringNeedWakeup = 1

// header is the part of a ring that both sides write to. The indices count
// entries for ever and wrap at 2^32; the entry of index i is at i modulo the
// ring's size, a power of two.
//
// The kernel orders its accesses with acquire and release; Go's atomics are
// at least as strong. That also puts a full fence between publishing entries
// and looking at the flags, without which a wake-up could be lost.
type header struct {
	producer *uint32
	consumer *uint32
	flags    *uint32
}

// needWakeup says that the kernel sleeps until it is told of new entries.
func (h *header) needWakeup() bool { return atomic.LoadUint32(h.flags)&ringNeedWakeup != 0 }

// A producerRing is a ring that we fill and the kernel empties: the fill ring
// (of addresses) and the transmit ring (of descriptors).
type producerRing[T any] struct {
	header
	slots []T
	next  uint32 // index of the next entry to put
}

// put adds an entry; publish shows the entries put to the kernel. The caller
// sees to it that there is room.
func (r *producerRing[T]) put(v T) {
	r.slots[r.next&uint32(len(r.slots)-1)] = v
	r.next++
}

func (r *producerRing[T]) publish() { atomic.StoreUint32(r.producer, r.next) }

// waiting returns how many published entries the kernel has not taken yet.
func (r *producerRing[T]) waiting() int {
	return clampCount(atomic.LoadUint32(r.producer)-atomic.LoadUint32(r.consumer), len(r.slots))
}

// A consumerRing is a ring that the kernel fills and we empty: the receive
// ring (of descriptors) and the completion ring (of addresses).
type consumerRing[T any] struct {
	header
	slots []T
	next  uint32 // index of the next entry to take
}

// available returns how many entries can be taken.
func (r *consumerRing[T]) available() int {
	return clampCount(atomic.LoadUint32(r.producer)-r.next, len(r.slots))
}

// take returns the next entry; release gives the slots taken back to the
// kernel. The caller sees to it that one is available.
func (r *consumerRing[T]) take() T {
	v := r.slots[r.next&uint32(len(r.slots)-1)]
	r.next++
	return v
}

func (r *consumerRing[T]) release() { atomic.StoreUint32(r.consumer, r.next) }

// clampCount turns the distance of two indices into a number of entries. Only
// a corrupted ring can have more entries than slots.
func clampCount(distance uint32, size int) int { return int(min(distance, uint32(size))) }
