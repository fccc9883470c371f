package xdp

import (
	"testing"

	"golang.org/x/sys/unix"
)

// heapRings is a socket without a kernel: its memory is on the heap, so that
// the race detector sees it, and the test plays the kernel. Poll finds its
// descriptor, an eventfd, never ready.
type heapRings struct {
	shared    memory
	fd        int
	onSend    func() unix.Errno
	onReceive func() unix.Errno
	closed    bool

	// The kernel's indices into the rings that it fills or empties.
	fillTaken, rxPut, txTaken, completionPut uint32
}

func newHeapRings(t testing.TB, g geometry) *heapRings {
	t.Helper()
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	h := &heapRings{fd: fd}
	t.Cleanup(func() { unix.Close(fd) })
	words := func() header { return header{new(uint32), new(uint32), new(uint32)} }
	h.shared.frames = make([]byte, g.frames()*g.frameSize)
	h.shared.fill = producerRing[uint64]{header: words(), slots: make([]uint64, g.rxFrames)}
	h.shared.rx = consumerRing[unix.XDPDesc]{header: words(), slots: make([]unix.XDPDesc, g.rxFrames)}
	h.shared.tx = producerRing[unix.XDPDesc]{header: words(), slots: make([]unix.XDPDesc, g.txFrames)}
	h.shared.completion = consumerRing[uint64]{header: words(), slots: make([]uint64, g.txFrames)}
	return h
}

// startAt sets the indices of all rings, as after that many frames.
func (h *heapRings) startAt(index uint32) {
	m := &h.shared
	for _, r := range []*header{&m.fill.header, &m.rx.header, &m.tx.header, &m.completion.header} {
		*r.producer, *r.consumer = index, index
	}
	m.fill.next, m.rx.next, m.tx.next, m.completion.next = index, index, index, index
	h.fillTaken, h.rxPut, h.txTaken, h.completionPut = index, index, index, index
}

func (h *heapRings) memory() *memory { return &h.shared }
func (h *heapRings) descriptor() int { return h.fd }
func (h *heapRings) close() error    { h.closed = true; return nil }
func (h *heapRings) statistics() (unix.XDPStatistics, error) {
	return unix.XDPStatistics{Rx_dropped: 1, Rx_invalid_descs: 2, Tx_invalid_descs: 3, Rx_ring_full: 4, Rx_fill_ring_empty_descs: 5, Tx_ring_empty_descs: 6}, nil
}

func (h *heapRings) send() unix.Errno {
	if h.onSend == nil {
		return 0
	}
	return h.onSend()
}

func (h *heapRings) receive() unix.Errno {
	if h.onReceive == nil {
		return 0
	}
	return h.onReceive()
}

// arrive puts a packet into the next frame of the fill ring, as the kernel
// does. It returns false if there is none.
func (h *heapRings) arrive(packet []byte) bool {
	m := &h.shared
	if h.fillTaken == *m.fill.producer {
		return false
	}
	address := m.fill.slots[h.fillTaken&uint32(len(m.fill.slots)-1)] + headroom
	h.fillTaken++
	*m.fill.consumer = h.fillTaken
	copy(m.frames[address:], packet)
	h.descriptorArrives(unix.XDPDesc{Addr: address, Len: uint32(len(packet))})
	return true
}

func (h *heapRings) descriptorArrives(d unix.XDPDesc) {
	m := &h.shared
	m.rx.slots[h.rxPut&uint32(len(m.rx.slots)-1)] = d
	h.rxPut++
	*m.rx.producer = h.rxPut
}

// depart takes up to n packets off the transmit ring and returns their
// descriptors, not completed yet.
func (h *heapRings) depart(n int) []unix.XDPDesc {
	m := &h.shared
	var out []unix.XDPDesc
	for ; n > 0 && h.txTaken != *m.tx.producer; n-- {
		out = append(out, m.tx.slots[h.txTaken&uint32(len(m.tx.slots)-1)])
		h.txTaken++
	}
	*m.tx.consumer = h.txTaken
	return out
}

func (h *heapRings) complete(address uint64) {
	m := &h.shared
	m.completion.slots[h.completionPut&uint32(len(m.completion.slots)-1)] = address
	h.completionPut++
	*m.completion.producer = h.completionPut
}

// heapSocket returns a socket on heap memory: 8 frames of 2048 bytes each way,
// and no spinning.
func heapSocket(t testing.TB, startAt uint32) (*Socket, *heapRings) {
	t.Helper()
	return heapSocketOf(t, SocketConfig{RxFrames: 8, TxFrames: 8, Batch: 4, Spin: -1}, startAt)
}

// heapSocketOf returns a socket on heap memory for an MTU of 1500 bytes.
func heapSocketOf(t testing.TB, cfg SocketConfig, startAt uint32) (*Socket, *heapRings) {
	t.Helper()
	cfg, err := cfg.withDefaults(1500)
	if err != nil {
		t.Fatal(err)
	}
	h := newHeapRings(t, geometry{cfg.FrameSize, cfg.RxFrames, cfg.TxFrames})
	h.startAt(startAt)
	s, err := newSocket(h, cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.mode = ModeCopy
	t.Cleanup(func() { s.Close() })
	return s, h
}
