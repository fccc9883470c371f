package stack

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	gstack "gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/seed-54eb6215/xftp/frame"
)

const (
	// transmitBatch is the number of buffers asked of the device at a time: a
	// packet of 64 KiB is 46 frames on a link of 1500 bytes.
	transmitBatch = 64

	// transmitWait bounds how long a writer waits for the device to take back
	// buffers. To wait is the only back-pressure the stack understands; a
	// packet that is dropped here counts as lost on the way.
	transmitWait = 2 * time.Millisecond

	// flushMin and flushMax bound the time after which frames that the device
	// has not sent are offered to it again.
	flushMin = time.Millisecond
	flushMax = 100 * time.Millisecond
)

// A transmitter writes the stack's packets into the transmit buffers of one
// device. Whoever calls write does all the work, including taking buffers back
// from the device: no other goroutine is needed for it to make progress.
type transmitter struct {
	dev  Device
	info frame.Info
	wait time.Duration // transmitWait, but in tests
	lost func(error)   // called once the device has failed

	mu       sync.Mutex
	seg      segmenter
	bufs     [transmitBatch][]byte
	lengths  [transmitBatch]int
	reserved int // bufs[:reserved] are ours
	used     int // bufs[:used] have been written
	closed   bool
	held     bool        // frames wait for release
	waiting  int         // frames submitted since the last flush
	retry    *time.Timer // runs while the device holds frames that it did not send
	delay    time.Duration
	armed    bool

	frames, bytes, dropped, stalls atomic.Uint64
}

// newTransmitter returns a transmitter for dev, whose buffers hold frames of
// the link's MTU.
func newTransmitter(dev Device, lost func(error)) *transmitter {
	t := &transmitter{dev: dev, info: dev.Info(), wait: transmitWait, lost: lost, delay: flushMin}
	t.seg.mtu = t.info.MTU
	t.retry = time.AfterFunc(time.Hour, t.flushAgain)
	t.retry.Stop()
	return t
}

// write sends pkts and returns how many were sent whole. It is called with
// locks of the stack held, also from within the stack's receive path, and
// waits for nothing but the device, and that at most transmitWait.
func (t *transmitter) write(pkts []*gstack.PacketBuffer) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return 0
	}
	sent := 0
	for _, pkt := range pkts {
		if !t.begin(pkt) {
			continue
		}
		if !t.writePacket(pkt) {
			break
		}
		sent++
	}
	t.dropped.Add(uint64(len(pkts) - sent))
	t.submit()
	if !t.held || t.waiting >= transmitBatch/2 {
		t.flush()
	}
	return sent
}

// hold keeps the frames that are written from now on until release, or until
// they are many: to make the device send is a system call, which many
// acknowledgements or the small writes that they allow had better share.
func (t *transmitter) hold() {
	t.mu.Lock()
	t.held = true
	t.mu.Unlock()
}

// release ends hold.
func (t *transmitter) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held = false
	if t.waiting > 0 {
		t.flush()
	}
}

// begin prepares pkt to be written. It returns false if a frame of it is longer
// than the device's.
func (t *transmitter) begin(pkt *gstack.PacketBuffer) bool {
	if !segmentable(pkt) {
		return pkt.Size() <= t.info.MaxFrame
	}
	return t.seg.start(pkt) && t.seg.hlen+min(t.seg.mss, t.seg.left) <= t.info.MaxFrame
}

// writePacket cuts pkt, for which begin was called, into frames. It returns
// false when the device has no room for all of them.
func (t *transmitter) writePacket(pkt *gstack.PacketBuffer) bool {
	for last := false; !last; {
		buf := t.buffer()
		if buf == nil {
			return false
		}
		var n int
		if segmentable(pkt) {
			n, last = t.seg.next(buf)
		} else {
			src := newViewReader(pkt)
			n, last = src.copyTo(buf[:pkt.Size()]), true
		}
		t.commit(n)
	}
	return true
}

// commit counts the buffer last returned by buffer as written, with n bytes.
func (t *transmitter) commit(n int) {
	t.lengths[t.used] = n
	t.used++
	t.frames.Add(1)
	t.bytes.Add(uint64(n))
}

// buffer returns an empty transmit buffer, or nil if the device has none and
// takes none back in time.
func (t *transmitter) buffer() []byte {
	if t.used < t.reserved {
		return t.bufs[t.used]
	}
	t.submit()
	if t.closed {
		return nil
	}
	if t.reserve() {
		return t.bufs[0]
	}
	t.stalls.Add(1)
	for deadline := time.Now().Add(t.wait); ; {
		if !t.flush() {
			return nil
		}
		if t.reserve() {
			return t.bufs[0]
		}
		if time.Now().After(deadline) {
			return nil
		}
		runtime.Gosched()
	}
}

func (t *transmitter) reserve() bool {
	t.reserved = t.dev.Reserve(t.bufs[:])
	return t.reserved > 0
}

// submit hands what has been written to the device, and gives back the rest.
func (t *transmitter) submit() {
	if t.reserved == 0 {
		return
	}
	err := t.dev.Submit(t.lengths[:t.used])
	t.waiting += t.used
	t.reserved, t.used = 0, 0
	if err != nil {
		t.fail(err)
	}
}

// flush makes the device send, and sees to it that this is tried again if the
// device did not send all. It returns false if the device is lost.
func (t *transmitter) flush() bool {
	if t.closed {
		return false
	}
	t.waiting = 0
	if err := t.dev.Flush(); err != nil {
		t.fail(err)
		return false
	}
	if t.dev.Pending() == 0 {
		t.delay = flushMin
	} else if !t.armed {
		t.armed = true
		t.retry.Reset(t.delay)
	}
	return true
}

// flushAgain is what the retry timer runs. While the device sends nothing, as
// when the link is down, it is asked less and less often.
func (t *transmitter) flushAgain() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	before := t.dev.Pending()
	t.armed = false
	if t.delay *= 2; t.delay > flushMax {
		t.delay = flushMax
	}
	t.flush()
	if t.dev.Pending() < before {
		t.delay = flushMin
	}
}

func (t *transmitter) fail(err error) {
	t.closed = true
	t.retry.Stop()
	t.lost(err)
}

// close stops the use of the device. When it returns no goroutine is in it.
func (t *transmitter) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.retry.Stop()
}
