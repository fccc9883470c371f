package xdp

import (
	"runtime"

	"github.com/seed-54eb6215/xftp/frame"
	"golang.org/x/sys/unix"
)

// pollTimeout is the longest that Receive sleeps, in milliseconds. The kernel
// does not end poll(2) when the device is deleted; Receive has to look.
const pollTimeout = 200

const (
	// streamingBatch is the size in frames of a batch after which more are
	// expected at once.
	streamingBatch = 8

	// gatheredBatch is how many frames are worth waiting for: a packet of 64 KiB.
	gatheredBatch = 64

	// maxNaps is how many naps there are at most between two batches of a stream
	// before it is taken to be over: two milliseconds or so.
	maxNaps = 25

	// pauses is how many PAUSE instructions there are between two looks at the
	// ring: some two microseconds.
	pauses = 150
)

// Receive waits for frames, hands one batch of them to deliver and returns
// nil. The frames and the slice are valid until deliver returns; the memory
// then goes back to the kernel. Wake and Close unblock it; Wake makes it
// return nil without a batch. Frames that are there already come first.
//
// Errors are *[OpError] and final: one that wraps [net.ErrClosed] after Close,
// ClassReopen if the device is gone, ClassFatal else. A link that is down is
// no error; Receive waits until it is up.
//
// Receive does not lock its goroutine to a thread. It lets others run between
// two looks at the ring, but not after a batch: that is up to the caller.
func (s *Socket) Receive(deliver func([]frame.Frame)) error {
	s.receiving.Lock()
	defer s.receiving.Unlock()
	n, err := s.wait()
	if n == 0 {
		return err
	}
	s.take(min(n, cap(s.batch)))
	defer s.refill()
	deliver(s.batch)
	return nil
}

// wait returns the number of frames in the receive ring once there are any.
// It returns 0 when woken or closed.
//
// While frames stream in, it naps, so that a batch fills: each batch costs its
// user a round through TCP and an acknowledgement, which is dearer than the
// wait, and to look for frames all the time takes the CPU from others, perhaps
// from the sender itself. Between single frames it does look all the time: the
// kernel needs long to wake a thread.
func (s *Socket) wait() (int, error) {
	for turn, naps := 0, 0; ; turn++ {
		if s.closed.Load() {
			return 0, closedError("receive")
		}
		n := s.rings.memory().rx.available()
		if n >= min(gatheredBatch, cap(s.batch)) || n > 0 && (!s.streaming || naps > 0) {
			s.streaming = n >= streamingBatch && s.spin > 0
			return n, nil
		}
		if s.woken.Load() && n == 0 {
			s.woken.Store(false)
			if s.closed.Load() { // it is Close that woke us
				return 0, closedError("receive")
			}
			return 0, nil
		}
		switch {
		case s.streaming && naps < maxNaps:
			if turn > 0 { // others have run before
				s.nap()
				naps++
			}
			runtime.Gosched()
		case turn < s.spin:
			s.streaming = false
			pause(pauses)
			runtime.Gosched()
		default:
			s.streaming = false
			if err := s.sleep(); err != nil {
				return 0, err
			}
		}
	}
}

// sleep blocks until there are frames, Wake is called, or some time is over.
// In zero-copy mode poll(2) also tells the driver that the fill ring has
// frames for it.
func (s *Socket) sleep() error {
	s.stats.sleeps.Add(1)
	n, err := unix.Poll(s.polled[:], s.patience)
	switch {
	case err == unix.EINTR:
		return nil
	case err != nil:
		return opError("poll", err)
	}
	if s.polled[1].Revents != 0 {
		// The event says only that Wake was called some time; s.woken tells
		// whether that has been answered.
		_, _ = unix.Read(int(s.polled[1].Fd), s.events[:])
	}
	if n == 0 || s.polled[0].Revents&^unix.POLLIN != 0 {
		return s.checkDevice()
	}
	return nil
}

// checkDevice returns an error if the socket has lost its device.
func (s *Socket) checkDevice() error {
	errno := s.rings.receive()
	switch {
	case errno == 0, errno == unix.EOPNOTSUPP: // Linux before 5.11 has no such call
		return nil
	case classOf(errno) == ClassLink, classOf(errno) == ClassRetry:
		return nil
	}
	return opError("receive", errno)
}

// take makes the batch of the next n frames of the receive ring.
func (s *Socket) take(n int) {
	m := s.rings.memory()
	s.batch, s.taken = s.batch[:0], s.taken[:0]
	var bytes, bad uint64
	for range n {
		d := m.rx.take()
		if !s.sending.receives(d.Addr, d.Len) {
			bad++
			continue
		}
		s.taken = append(s.taken, s.sending.start(d.Addr))
		s.batch = append(s.batch, frame.Frame{B: m.frames[d.Addr : d.Addr+uint64(d.Len) : d.Addr+uint64(d.Len)]})
		bytes += uint64(d.Len)
	}
	m.rx.release()
	s.stats.rxFrames.Add(uint64(len(s.batch)))
	s.stats.rxBytes.Add(bytes)
	s.stats.rxBatches.Add(1)
	if bad > 0 {
		s.stats.badDescs.Add(bad)
	}
}

// refill gives the frames of the batch back to the kernel. The fill ring has
// room for all receive frames.
func (s *Socket) refill() {
	fill := &s.rings.memory().fill
	for _, address := range s.taken {
		fill.put(address)
	}
	fill.publish()
	if s.mode == ModeZeroCopy && fill.needWakeup() {
		s.stats.rxKicks.Add(1)
		_ = s.rings.receive() // if the device is gone, checkDevice will see it
	}
}
