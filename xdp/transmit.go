package xdp

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Reserve fills bufs from its start with empty transmit buffers, each
// Info().MaxFrame bytes long and with undefined contents, and returns how many
// it had; none after Close. The buffers are the caller's until the next
// Submit. Buffers of an earlier Reserve that were not submitted go back first.
func (s *Socket) Reserve(bufs [][]byte) int {
	if s.closed.Load() {
		return 0
	}
	s.sending.unreserve(0)
	if len(s.sending.free) < len(bufs) {
		s.reap()
	}
	frames := s.rings.memory().frames
	for i := range bufs {
		a, ok := s.sending.reserve()
		if !ok {
			return i
		}
		bufs[i] = frames[a : a+s.sending.size : a+s.sending.size]
	}
	return len(bufs)
}

// Submit queues the first len(lengths) buffers of the last Reserve, in order,
// the i-th with lengths[i] bytes; a length of 0 gives the buffer back, as does
// leaving it out. Frames shorter than 60 bytes, the least that Ethernet allows,
// are padded with zeros. Nothing is sent before Flush.
//
// If there are more lengths than buffers, or a length that no buffer holds,
// nothing is queued, all buffers go back and the error wraps EINVAL.
func (s *Socket) Submit(lengths []int) error {
	if s.closed.Load() {
		return closedError("submit")
	}
	p := &s.sending
	if err := p.check(lengths); err != nil {
		p.unreserve(0)
		return opError("submit", err)
	}
	m := s.rings.memory()
	var queued, bytes int
	for i, length := range lengths {
		address := p.reserved[i]
		if length == 0 {
			p.release(address)
			continue
		}
		if length < minFrame {
			clear(m.frames[address+uint64(length) : address+minFrame])
			length = minFrame
		}
		m.tx.put(unix.XDPDesc{Addr: address, Len: uint32(length)})
		p.queue(address)
		queued++
		bytes += length
	}
	m.tx.publish()
	p.unreserve(len(lengths))
	s.pending.Add(int64(queued))
	s.stats.txFrames.Add(uint64(queued))
	s.stats.txBytes.Add(uint64(bytes))
	return nil
}

// check returns an error unless every length fits its reserved buffer: a
// descriptor that crosses its frame would never be completed.
func (p *framePool) check(lengths []int) error {
	if len(lengths) > len(p.reserved) {
		return fmt.Errorf("%d lengths for %d buffers: %w", len(lengths), len(p.reserved), unix.EINVAL)
	}
	for _, length := range lengths {
		if length < 0 || uint64(length) > p.size {
			return fmt.Errorf("frame of %d bytes: %w", length, unix.EINVAL)
		}
	}
	return nil
}

// Flush takes back the buffers that have been sent and makes the kernel send
// what is queued. It does not block. In copy mode the kernel sends only while
// it is told to, so that Flush goes on until all is sent or the kernel cannot
// send more now (EAGAIN); then, and while the link is down, Flush returns nil
// and the frames stay queued. The caller flushes again, within a millisecond
// or so, while [Socket.Pending] is not 0: nobody else does.
//
// Errors are *[OpError] and final: net.ErrClosed after Close, ClassReopen if
// the device is gone, ClassFatal if the driver cannot send.
func (s *Socket) Flush() error {
	if s.closed.Load() {
		return closedError("send")
	}
	s.reap()
	tx := &s.rings.memory().tx
	for kicks := 0; ; kicks++ {
		waiting := tx.waiting()
		if waiting == 0 {
			return nil
		}
		if s.mode == ModeZeroCopy && !tx.needWakeup() {
			return nil // the driver is at it
		}
		if kicks > 0 {
			s.stats.rekicks.Add(1)
		}
		errno := s.rings.send()
		s.stats.countKick(errno)
		reaped := s.reap()
		switch {
		case errno != 0 && classOf(errno) == ClassLink:
			return nil
		case errno != 0 && classOf(errno) != ClassRetry:
			return opError("send", errno)
		case s.mode == ModeZeroCopy:
			return nil // sending goes on without us
		case reaped == 0 && tx.waiting() == waiting && errno != unix.EINTR:
			return nil // no progress: this is not the moment
		case kicks >= maxKicks:
			return nil
		}
	}
}

// maxKicks bounds Flush against a kernel that never gets on. Without a raised
// budget one kick sends 32 frames.
const maxKicks = 1 << 12

// Pending returns the number of frames that were submitted and are not yet
// taken back.
func (s *Socket) Pending() int { return int(s.pending.Load()) }

// reap takes back the buffers that have been sent. It runs before each kick:
// with a full completion ring the kernel sends nothing.
func (s *Socket) reap() int {
	completion := &s.rings.memory().completion
	n := completion.available()
	if n == 0 {
		return 0
	}
	completed := 0
	for range n {
		if s.sending.complete(completion.take()) {
			completed++
		}
	}
	completion.release()
	s.pending.Add(int64(-completed))
	s.stats.txCompleted.Add(uint64(completed))
	if completed < n {
		s.stats.badDescs.Add(uint64(n - completed))
	}
	return n
}
