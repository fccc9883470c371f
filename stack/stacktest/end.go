package stacktest

import (
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/seed-54eb6215/xftp/frame"
)

// An End is one end of a wire. It satisfies stack.Device.
type End struct {
	info frame.Info
	o    Options
	wire *Wire
	peer *End

	tx       [][]byte // free transmit buffers
	reserved [][]byte
	held     []heldFrame // reordered frames on their way out

	impMu sync.Mutex
	imp   Impairment
	rng   *rand.Rand

	mu      sync.Mutex
	queue   []arrival // frames on their way in, in order of arrival
	free    [][]byte  // receive buffers that are empty
	wake    bool
	closed  bool
	stopped chan struct{}
	signal  chan struct{}
	lost    uint64

	batch []frame.Frame
	taken [][]byte
}

type arrival struct {
	b   []byte
	due time.Time
}

func newEnd(w *Wire, o Options, host byte) *End {
	size := frame.HeaderLen + o.MTU
	e := &End{
		info:    frame.Info{MAC: [6]byte{2, 0, 0, 0, 0, host}, MTU: o.MTU, MaxFrame: size},
		o:       o,
		wire:    w,
		stopped: make(chan struct{}),
		signal:  make(chan struct{}, 1),
	}
	for range o.Buffers {
		e.tx = append(e.tx, make([]byte, size))
		e.free = append(e.free, make([]byte, size))
	}
	return e
}

// Info returns the facts of the end.
func (e *End) Info() frame.Info { return e.info }

// Overflows returns how many frames found no place at this end.
func (e *End) Overflows() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.lost
}

// Reserve implements stack.Device.
func (e *End) Reserve(bufs [][]byte) int {
	e.release()
	n := min(len(bufs), len(e.tx))
	e.reserved = append(e.reserved[:0], e.tx[len(e.tx)-n:]...)
	e.tx = e.tx[:len(e.tx)-n]
	return copy(bufs, e.reserved)
}

// release gives back what was reserved and not submitted.
func (e *End) release() {
	e.tx = append(e.tx, e.reserved...)
	e.reserved = e.reserved[:0]
}

var errLength = errors.New("stacktest: submit: length beyond the buffer")

// Submit implements stack.Device. Frames leave at once.
func (e *End) Submit(lengths []int) error {
	defer e.release()
	if len(lengths) > len(e.reserved) {
		return errLength
	}
	for i, n := range lengths {
		if n > e.info.MaxFrame {
			return errLength
		}
		if n > 0 {
			e.send(e.reserved[i][:n])
		}
	}
	return nil
}

// arrive queues b at this end, or drops it if there is no room.
func (e *End) arrive(b []byte, delay time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || e.wire.down.Load() {
		return
	}
	var buf []byte
	switch {
	case len(e.free) > 0:
		buf = e.free[len(e.free)-1]
		e.free = e.free[:len(e.free)-1]
	case delay > 0:
		// The frames in flight are the wire's, not the receiver's.
		buf = make([]byte, e.info.MaxFrame)
	default:
		e.lost++
		return
	}
	a := arrival{b: buf[:copy(buf[:cap(buf)], b)]}
	if delay > 0 {
		a.due = time.Now().Add(delay)
	}
	e.queue = append(e.queue, a)
	e.notify()
}

func (e *End) notify() {
	select {
	case e.signal <- struct{}{}:
	default:
	}
}

// Flush implements stack.Device; there is nothing to do.
func (e *End) Flush() error { return nil }

// Pending implements stack.Device; nothing ever is.
func (e *End) Pending() int { return 0 }

// Wake implements stack.Device.
func (e *End) Wake() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.wake = true
	e.notify()
}

// Close implements stack.Device.
func (e *End) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.closed = true
		close(e.stopped)
	}
	return nil
}

// batchSize is the number of frames handed out at a time.
const batchSize = 64

// Receive implements stack.Device.
func (e *End) Receive(deliver func([]frame.Frame)) error {
	for {
		wait, err := e.take()
		if err != nil {
			return err
		}
		if len(e.taken) > 0 {
			e.split()
			deliver(e.batch)
			e.giveBack()
			return nil
		}
		switch {
		case wait < 0:
			return nil
		case wait == 0:
			select {
			case <-e.signal:
			case <-e.stopped:
			}
		default:
			due := time.NewTimer(wait)
			select {
			case <-due.C:
			case <-e.signal:
			case <-e.stopped:
			}
			due.Stop()
		}
	}
}

// take moves frames that are due into e.taken. If there are none it returns
// how long to wait: 0 means until one is sent, less that Wake was called.
func (e *End) take() (time.Duration, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.taken = e.taken[:0]
	if e.closed {
		return 0, net.ErrClosed
	}
	n := 0
	var wait time.Duration
	for n < len(e.queue) && n < batchSize {
		if a := e.queue[n]; !a.due.IsZero() {
			if wait = time.Until(a.due); wait > 0 {
				break
			}
		}
		e.taken = append(e.taken, e.queue[n].b)
		n++
	}
	e.queue = append(e.queue[:0], e.queue[n:]...)
	if n > 0 || !e.wake {
		return wait, nil
	}
	e.wake = false
	return -1, nil
}

// split fills e.batch with the frames taken, in parts if the wire says so.
func (e *End) split() {
	e.batch = e.batch[:0]
	for _, b := range e.taken {
		for e.o.Parts > 0 && len(b) > e.o.Parts {
			e.batch = append(e.batch, frame.Frame{B: b[:e.o.Parts], More: true})
			b = b[e.o.Parts:]
		}
		e.batch = append(e.batch, frame.Frame{B: b})
	}
}

// giveBack makes the buffers of the batch free again. They are overwritten
// first: a user that kept a slice of them is to notice.
func (e *End) giveBack() {
	for _, b := range e.taken {
		for i := range b {
			b[i] = 0xdb
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, b := range e.taken {
		if len(e.free) < e.o.Buffers {
			e.free = append(e.free, b)
		}
	}
}
