package xdp

import "golang.org/x/sys/unix"

// rings is an AF_XDP socket as the kernel gives it: memory that is shared with
// the kernel, and the system calls that go with it. A [Socket] does the rest.
// The tests have one whose memory is on the heap and whose kernel is a
// function.
type rings interface {
	// memory returns the shared memory. It is valid until close.
	memory() *memory

	// send makes the kernel take entries of the transmit ring (sendto(2)).
	// It never blocks.
	send() unix.Errno

	// receive makes the kernel take entries of the fill ring (recvfrom(2)).
	// It never blocks. ENXIO tells that the device is gone.
	receive() unix.Errno

	// descriptor returns the file descriptor, for poll(2) and for the
	// steering program's map.
	descriptor() int

	// statistics returns the kernel's counters of the socket.
	statistics() (unix.XDPStatistics, error)

	// close frees everything, so that the queue can be bound again.
	close() error
}

// memory is what a socket shares with the kernel: the frames, and four rings
// that pass their ownership to and fro.
type memory struct {
	frames     []byte
	fill       producerRing[uint64]
	rx         consumerRing[unix.XDPDesc]
	tx         producerRing[unix.XDPDesc]
	completion consumerRing[uint64]
}

// geometry is how the memory is divided. The first rxFrames frames are for
// receiving and never for sending, the others for sending only, so that
// neither direction can starve the other. All are powers of two.
type geometry struct {
	frameSize int
	rxFrames  int // also the sizes of the fill and the receive ring
	txFrames  int // also the sizes of the transmit and the completion ring
}

func (g geometry) frames() int { return g.rxFrames + g.txFrames }
