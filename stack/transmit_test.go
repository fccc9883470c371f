package stack

import (
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gstack "gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/seed-54eb6215/xftp/frame"
)

// ring is a Device with a transmit ring of a few frames that a test drains.
type ring struct {
	mu       sync.Mutex
	t        testing.TB
	free     [][]byte
	reserved [][]byte
	queued   [][]byte // submitted and not taken back
	sent     int
	flushes  int
	drain    int // frames that each of the next Flush calls takes back
	late     int // flushes for which nothing is taken back
	size     int
	flushErr error
	submitOK int // Submits that succeed before submitErr
	submit   error
	failed   bool // an error has been returned
}

func newRing(t testing.TB, size int) *ring {
	r := &ring{t: t, size: size, drain: size}
	for range size {
		r.free = append(r.free, make([]byte, 1514))
	}
	return r
}

func (r *ring) use() {
	if r.failed {
		r.t.Error("the device is used after it has failed")
	}
}

func (r *ring) Reserve(bufs [][]byte) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.use()
	if len(r.reserved) > 0 {
		r.t.Error("Reserve before the Submit of the last")
	}
	n := min(len(bufs), len(r.free))
	r.reserved = append(r.reserved[:0], r.free[len(r.free)-n:]...)
	r.free = r.free[:len(r.free)-n]
	return copy(bufs, r.reserved)
}

func (r *ring) Submit(lengths []int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.use()
	if len(lengths) > len(r.reserved) {
		r.t.Errorf("%d buffers submitted of %d", len(lengths), len(r.reserved))
	}
	n := len(lengths)
	if r.submit != nil && r.submitOK == 0 {
		n, r.failed = 0, true
	}
	r.submitOK--
	r.queued = append(r.queued, r.reserved[:n]...)
	r.free = append(r.free, r.reserved[n:]...)
	r.reserved = r.reserved[:0]
	if r.failed {
		return r.submit
	}
	return nil
}

func (r *ring) Flush() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.use()
	r.flushes++
	if r.flushErr != nil {
		r.failed = true
		return r.flushErr
	}
	if r.late > 0 {
		r.late--
		return nil
	}
	n := min(r.drain, len(r.queued))
	r.free = append(r.free, r.queued[:n]...)
	r.queued = append(r.queued[:0], r.queued[n:]...)
	r.sent += n
	return nil
}

func (r *ring) Pending() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.queued)
}

func (r *ring) Receive(func([]frame.Frame)) error { return net.ErrClosed }
func (r *ring) Wake()                             {}
func (r *ring) Close() error                      { return nil }
func (r *ring) Info() frame.Info                  { return frame.Info{MAC: ourMAC, MTU: 1500, MaxFrame: 1514} }

// set changes what the ring does.
func (r *ring) set(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
}

// asked returns how often Flush was called.
func (r *ring) asked() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.flushes
}

// whole fails the test unless every buffer is free or on its way.
func (r *ring) whole() {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.reserved) != 0 || len(r.free)+len(r.queued) != r.size {
		r.t.Errorf("of %d buffers %d are free, %d on their way and %d reserved", r.size, len(r.free), len(r.queued), len(r.reserved))
	}
}

// packets returns n packets of 4 frames each.
func packets(t testing.TB, n int) []*gstack.PacketBuffer {
	var pkts []*gstack.PacketBuffer
	for i := range n {
		pkts = append(pkts, outgoing(segmentSpec{flow: i, flags: flagAck, payload: testBytes(uint64(i), 4*1448)}, 1448))
	}
	t.Cleanup(func() {
		for _, p := range pkts {
			p.DecRef()
		}
	})
	return pkts
}

var errDevice = errors.New("the device is gone")

func TestTransmit(t *testing.T) {
	for _, tt := range []struct {
		name  string
		size  int
		set   func(*ring)
		sent  int // packets of 5
		lost  bool
		stall bool
	}{
		{"room for all", 64, func(*ring) {}, 5, false, false},
		{"room for all, given back later", 64, func(r *ring) { r.drain = 0 }, 5, false, false},
		{"a ring of one", 1, func(*ring) {}, 5, false, true},
		{"a ring of 3", 3, func(*ring) {}, 5, false, true},
		{"one frame at a time", 4, func(r *ring) { r.drain = 1 }, 5, false, true},
		{"late", 10, func(r *ring) { r.late = 50 }, 5, false, true},
		{"full for ever", 10, func(r *ring) { r.drain = 0 }, 2, false, true},
		{"no buffers", 0, func(*ring) {}, 0, false, true},
		{"flush fails", 10, func(r *ring) { r.flushErr = errDevice }, 2, true, true},
		{"flush fails at the end", 64, func(r *ring) { r.flushErr = errDevice }, 5, true, false},
		{"submit fails", 64, func(r *ring) { r.submit = errDevice }, 5, true, false},
		{"submit fails on the way", 10, func(r *ring) { r.submit, r.submitOK = errDevice, 1 }, 5, true, true},
		{"first submit fails", 6, func(r *ring) { r.submit = errDevice }, 1, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRing(t, tt.size)
			tt.set(r)
			var lost error
			tx := newTransmitter(r, func(err error) { lost = err })
			if tt.sent == 5 {
				tx.wait = time.Hour // the device decides what is sent, not the clock
			}
			if got := tx.write(packets(t, 5)); got != tt.sent {
				t.Errorf("%d packets sent, want %d", got, tt.sent)
			}
			r.whole()
			if got := tx.dropped.Load(); got != uint64(5-tt.sent) {
				t.Errorf("%d packets counted as dropped, want %d", got, 5-tt.sent)
			}
			if (lost != nil) != tt.lost || tt.lost && !errors.Is(lost, errDevice) {
				t.Errorf("device lost: %v, want %t", lost, tt.lost)
			}
			if got := tx.stalls.Load() > 0; got != tt.stall {
				t.Errorf("stalled: %t, want %t", got, tt.stall)
			}
			if tt.lost {
				if n := tx.write(packets(t, 1)); n != 0 {
					t.Error("a packet was sent on a device that has failed")
				}
			}
			tx.close()
			if n := tx.write(packets(t, 1)); n != 0 {
				t.Error("a packet was sent after close")
			}
		})
	}
}

// TestTransmitOversized shows that a packet that fits no frame is dropped, and
// does not take others with it.
func TestTransmitOversized(t *testing.T) {
	r := newRing(t, 64)
	tx := newTransmitter(r, func(error) { t.Error("lost") })
	defer tx.close()
	pkts := packets(t, 4)
	pkts[1].GSOOptions.MSS = 1600
	pkts[2].GSOOptions = gstack.GSO{}
	if n := tx.write(pkts); n != 2 {
		t.Errorf("%d packets sent, want 2", n)
	}
	if r.sent != 8 || tx.dropped.Load() != 2 {
		t.Errorf("%d frames sent and %d packets dropped, want 8 and 2", r.sent, tx.dropped.Load())
	}
	r.whole()
}

// TestTransmitRetry shows that frames that the device did not send are offered
// to it again, less and less often, until it is closed.
func TestTransmitRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRing(t, 64)
		r.set(func() { r.drain = 0 })
		tx := newTransmitter(r, func(error) { t.Error("lost") })
		tx.write(packets(t, 1))
		if r.Pending() != 4 || r.asked() != 1 {
			t.Fatalf("%d frames pending after %d flushes", r.Pending(), r.asked())
		}
		time.Sleep(10 * time.Second)
		if r.asked() < 50 || r.asked() > 200 {
			t.Errorf("%d flushes in 10 seconds with the link down", r.asked())
		}
		r.set(func() { r.drain = 64 })
		time.Sleep(flushMax)
		if r.Pending() != 0 {
			t.Error("the frames were not sent though the link is up again")
		}
		n := r.asked()
		time.Sleep(10 * time.Second)
		if r.asked() != n {
			t.Error("the device is asked to send nothing")
		}

		// After an outage the device is asked soon again.
		r.set(func() { r.drain = 0 })
		tx.write(packets(t, 1))
		n = r.asked()
		time.Sleep(flushMin + flushMin/2)
		if r.asked() == n {
			t.Error("the device is not asked again soon")
		}
		tx.close()
		n = r.asked()
		time.Sleep(10 * time.Second)
		if r.asked() != n {
			t.Error("the device is used after close")
		}
	})
}

// TestTransmitRetryAfterWrite is an outage that a write ends, not the timer.
func TestTransmitRetryAfterWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRing(t, 64)
		r.set(func() { r.drain = 0 })
		tx := newTransmitter(r, func(error) { t.Error("lost") })
		defer tx.close()
		tx.write(packets(t, 1))
		time.Sleep(10 * time.Second)
		r.set(func() { r.drain = 64 })
		tx.write(packets(t, 1)) // takes everything back
		time.Sleep(flushMax)    // the timer fires, too
		r.set(func() { r.drain = 0 })
		tx.write(packets(t, 1))
		n := r.asked()
		time.Sleep(flushMin + flushMin/2)
		if r.asked() == n {
			t.Error("the device is not asked again soon")
		}
	})
}

func TestTransmitRetryFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRing(t, 64)
		r.set(func() { r.drain = 0 })
		var lost error
		tx := newTransmitter(r, func(err error) { lost = err })
		tx.write(packets(t, 1))
		r.set(func() { r.flushErr = errDevice })
		time.Sleep(time.Second)
		synctest.Wait()
		if !errors.Is(lost, errDevice) {
			t.Errorf("lost: %v", lost)
		}
	})
}

// TestTransmitFullFrames shows that a packet is cut by the link's MTU where
// the stack reckoned with longer options than the packet has.
func TestTransmitFullFrames(t *testing.T) {
	r := newRing(t, 64)
	tx := newTransmitter(r, func(error) { t.Error("lost") })
	defer tx.close()
	stamps := []byte{1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}
	pkt := outgoing(segmentSpec{flags: flagAck, options: stamps, payload: testBytes(1, 4*1448)}, 1420)
	defer pkt.DecRef()
	if tx.write([]*gstack.PacketBuffer{pkt}); r.sent != 4 {
		t.Errorf("%d frames, want 4", r.sent)
	}
}
