package stack

import (
	"errors"
	"net"
	"runtime"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/tcpip"
	gstack "gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/seed-54eb6215/xftp/frame"
)

// A receiver takes frames from one device to the stack. Its goroutine is the
// only one that touches it, but for the counters.
type receiver struct {
	dev     Device
	mac     [6]byte
	steer   func(*packet) // learns which device a flow is received on; may be nil
	tx      *transmitter  // of the same device; may be nil
	deliver func(tcpip.NetworkProtocolNumber, *gstack.PacketBuffer)
	habit   checksumHabit
	acks    duplicates
	co      coalescer
	joined  []byte // a frame that came in several parts
	broken  bool   // such a frame was too long, and is skipped to its end
	closing atomic.Bool

	frames, bytes, packets atomic.Uint64
	dropped                [badChecksum + 1]atomic.Uint64 // by verdict
	repaired               atomic.Uint64
}

func newReceiver(dev Device, steer func(*packet), deliver func(tcpip.NetworkProtocolNumber, *gstack.PacketBuffer)) *receiver {
	r := &receiver{dev: dev, mac: dev.Info().MAC, steer: steer, deliver: deliver}
	r.co.deliver = func(network tcpip.NetworkProtocolNumber, pkt *gstack.PacketBuffer) {
		r.packets.Add(1)
		r.deliver(network, pkt)
	}
	return r
}

// run receives until the device is closed or stop is called, and returns nil
// then. Any other error is the device's.
//
// The goroutine is not locked to a thread, and yields after each batch: what
// the batch has made runnable, the stack's own goroutine and the reader of the
// data, then runs on the same processor while the data are in its cache. To
// wake another thread costs more than all the work on a batch.
func (r *receiver) run() error {
	for !r.closing.Load() {
		if err := r.dev.Receive(r.batch); err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		runtime.Gosched()
		if r.tx != nil {
			r.tx.release()
		}
	}
	return nil
}

// stop makes run return.
func (r *receiver) stop() {
	r.closing.Store(true)
	r.dev.Wake()
}

// batch takes one batch of frames, which lie in device memory until it
// returns.
func (r *receiver) batch(frames []frame.Frame) {
	if r.tx != nil {
		r.tx.hold()
	}
	var n, size uint64
	for i := range frames {
		f := &frames[i]
		size += uint64(len(f.B))
		if f.More || r.joined != nil {
			r.part(f)
			continue
		}
		n++
		r.frame(f.B, f.ChecksumOK)
	}
	r.co.flush()
	r.frames.Add(n)
	r.bytes.Add(size)
}

// frame takes one whole frame.
func (r *receiver) frame(b []byte, verified bool) {
	p, v := parse(b, r.mac, verified)
	if v != accept {
		r.dropped[v].Add(1)
		return
	}
	if !verified && !r.habit.believes(&p) {
		r.dropped[badChecksum].Add(1)
		return
	}
	if p.repaired {
		r.repaired.Add(1)
	}
	if r.steer != nil {
		r.steer(&p)
	}
	if window, differs := r.acks.before(&p); differs {
		r.addOffering(window, p)
	}
	r.co.add(p)
}

// addOffering adds a copy of p, an acknowledgement that is delivered at once,
// with another window. Its checksum is of no interest any more.
func (r *receiver) addOffering(window uint16, p packet) {
	tcp := p.tcp()
	offered := tcp.WindowSize()
	tcp.SetWindowSize(window)
	r.co.add(p)
	tcp.SetWindowSize(offered)
}

// part collects a frame that the device received into several buffers. Its
// parts may come in different batches. A frame longer than any IP packet is
// dropped.
func (r *receiver) part(f *frame.Frame) {
	if r.joined == nil {
		r.joined = []byte{}
		// What has been collected so far must not be overtaken by this frame,
		// which is delivered from memory of ours.
		r.co.flush()
	}
	if len(r.joined)+len(f.B) > frame.HeaderLen+maxPacket {
		r.broken = true
	}
	if !r.broken {
		r.joined = append(r.joined, f.B...)
	}
	if f.More {
		return
	}
	if r.broken {
		r.dropped[malformed].Add(1)
	} else {
		r.frame(r.joined, f.ChecksumOK)
		r.co.flush()
		r.frames.Add(1)
	}
	r.joined, r.broken = nil, false
}
