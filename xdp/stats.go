package xdp

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Stats counts what a socket did since it was opened. A counter that says
// "kernel" is the kernel's (getsockopt(2), XDP_STATISTICS).
type Stats struct {
	RxFrames  uint64 // received
	RxBytes   uint64 // in those frames
	RxBatches uint64 // calls of deliver
	RxSleeps  uint64 // calls of poll(2), because spinning found nothing
	RxKicks   uint64 // calls of recvfrom(2), because the driver waited for free frames

	TxFrames    uint64 // submitted
	TxBytes     uint64 // in those frames, padding included
	TxCompleted uint64 // taken back from the kernel

	Kicks          uint64 // calls of sendto(2)
	Rekicks        uint64 // those that a Flush made after its first
	KicksAgain     uint64 // EAGAIN: the kernel sent what it could for now
	KicksBusy      uint64 // EBUSY: a frame was dropped on its way out
	KicksNoBuffers uint64 // ENOBUFS or ENOMEM: the kernel had no memory for a frame
	KicksLinkDown  uint64 // ENETDOWN
	KicksGone      uint64 // ENXIO or ENODEV
	KicksFailed    uint64 // any other errno

	// BadDescriptors counts entries of the kernel's that made no sense and
	// were ignored. It stays 0.
	BadDescriptors uint64

	RxDropped            uint64 // kernel: no room in a frame, or the copy failed
	RxInvalidDescs       uint64 // kernel: bad entries in the receive ring; stays 0
	TxInvalidDescs       uint64 // kernel: bad entries in the transmit ring; stays 0
	RxRingFull           uint64 // kernel: dropped, the receive ring was full
	RxFillRingEmptyDescs uint64 // kernel: dropped, as we returned frames too slowly
	TxRingEmptyDescs     uint64 // kernel: looked for frames to send and found none
}

// counters are a socket's own counts. Each has one writer; anyone reads.
type counters struct {
	rxFrames, rxBytes, rxBatches, sleeps, rxKicks atomic.Uint64
	txFrames, txBytes, txCompleted                atomic.Uint64
	kicks, rekicks                                atomic.Uint64
	again, busy, noBuffers, down, gone, failed    atomic.Uint64
	badDescs                                      atomic.Uint64
}

// countKick counts a sendto(2) by its result.
func (c *counters) countKick(errno unix.Errno) {
	c.kicks.Add(1)
	switch errno {
	case 0:
	case unix.EAGAIN:
		c.again.Add(1)
	case unix.EBUSY:
		c.busy.Add(1)
	case unix.ENOBUFS, unix.ENOMEM:
		c.noBuffers.Add(1)
	case unix.ENETDOWN:
		c.down.Add(1)
	case unix.ENXIO, unix.ENODEV:
		c.gone.Add(1)
	default:
		c.failed.Add(1)
	}
}

// Stats returns the counts so far. After Close the kernel's are 0 and the
// error wraps [net.ErrClosed].
func (s *Socket) Stats() (Stats, error) {
	c := &s.stats
	st := Stats{
		RxFrames:       c.rxFrames.Load(),
		RxBytes:        c.rxBytes.Load(),
		RxBatches:      c.rxBatches.Load(),
		RxSleeps:       c.sleeps.Load(),
		RxKicks:        c.rxKicks.Load(),
		TxFrames:       c.txFrames.Load(),
		TxBytes:        c.txBytes.Load(),
		TxCompleted:    c.txCompleted.Load(),
		Kicks:          c.kicks.Load(),
		Rekicks:        c.rekicks.Load(),
		KicksAgain:     c.again.Load(),
		KicksBusy:      c.busy.Load(),
		KicksNoBuffers: c.noBuffers.Load(),
		KicksLinkDown:  c.down.Load(),
		KicksGone:      c.gone.Load(),
		KicksFailed:    c.failed.Load(),
		BadDescriptors: c.badDescs.Load(),
	}
	err := s.withDescriptor(func(int) error {
		kernel, err := s.rings.statistics()
		st.RxDropped = kernel.Rx_dropped
		st.RxInvalidDescs = kernel.Rx_invalid_descs
		st.TxInvalidDescs = kernel.Tx_invalid_descs
		st.RxRingFull = kernel.Rx_ring_full
		st.RxFillRingEmptyDescs = kernel.Rx_fill_ring_empty_descs
		st.TxRingEmptyDescs = kernel.Tx_ring_empty_descs
		return err
	})
	if err != nil {
		return st, opError("read statistics", err)
	}
	return st, nil
}
