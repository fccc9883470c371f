package stack

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"sync"
	"testing"

	"github.com/seed-54eb6215/xftp/frame"
	"github.com/seed-54eb6215/xftp/stack/stacktest"
)

// queues are two devices of one NIC on one end of a wire: what arrives is put
// on a queue by the parity of the stack's port, as a NIC steers flows.
type queues struct {
	*stacktest.End
	mu sync.Mutex
	q  [2]queue
}

type queue struct {
	*queues
	i        int
	deliver  chan []frame.Frame
	done     chan struct{}
	wake     chan struct{}
	reserved [][]byte
	flows    map[uint16]bool // local ports of what was transmitted here
}

func newQueues(e *stacktest.End) *queues {
	n := &queues{End: e}
	for i := range n.q {
		n.q[i] = queue{queues: n, i: i, deliver: make(chan []frame.Frame), done: make(chan struct{}), wake: make(chan struct{}, 1), flows: map[uint16]bool{}}
	}
	return n
}

// tcpPorts returns the ports of a frame of TCP over IPv4.
func tcpPorts(b []byte) (source, destination uint16, ok bool) {
	if len(b) < 54 || binary.BigEndian.Uint16(b[12:]) != etherIPv4 || b[23] != protoTCP {
		return 0, 0, false
	}
	return binary.BigEndian.Uint16(b[34:]), binary.BigEndian.Uint16(b[36:]), true
}

// run hands what arrives to the queues until the end is closed.
func (n *queues) run() {
	for n.End.Receive(func(frames []frame.Frame) {
		for _, f := range frames {
			q := &n.q[0]
			if _, to, ok := tcpPorts(f.B); ok {
				q = &n.q[to%2]
			}
			q.deliver <- []frame.Frame{f}
			<-q.done
		}
	}) == nil {
	}
	close(n.q[0].deliver)
	close(n.q[1].deliver)
}

func (q *queue) Receive(deliver func([]frame.Frame)) error {
	select {
	case frames, ok := <-q.deliver:
		if !ok {
			return errors.New("closed while in use")
		}
		deliver(frames)
		q.done <- struct{}{}
	case <-q.wake:
	}
	return nil
}

func (q *queue) Reserve(bufs [][]byte) int {
	q.reserved = q.reserved[:0]
	for i := range bufs {
		bufs[i] = make([]byte, q.Info().MaxFrame)
		q.reserved = append(q.reserved, bufs[i])
	}
	return len(bufs)
}

func (q *queue) Submit(lengths []int) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	var bufs [1][]byte
	for i, n := range lengths {
		if from, _, ok := tcpPorts(q.reserved[i][:n]); ok {
			q.flows[from] = true
		}
		for q.End.Reserve(bufs[:]) == 0 {
		}
		copy(bufs[0], q.reserved[i][:n])
		if err := q.End.Submit([]int{n}); err != nil {
			return err
		}
	}
	return nil
}

func (q *queue) Wake() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// Close leaves the end to the test.
func (q *queue) Close() error { return nil }

// TestFlowsKeepTheirDevice shows that a flow is transmitted on the device on
// which it is received.
func TestFlowsKeepTheirDevice(t *testing.T) {
	wire := stacktest.NewWire(stacktest.Options{})
	n := newQueues(wire.A)
	var running sync.WaitGroup
	running.Go(n.run)
	a, err := New(Config{Addresses: []netip.Prefix{netip.MustParsePrefix("10.1.0.1/24")}}, &n.q[0], &n.q[1])
	if err != nil {
		t.Fatal(err)
	}
	b := openStack(t, Config{Addresses: []netip.Prefix{netip.MustParsePrefix("10.1.0.2/24")}}, wire.B)
	var transfers sync.WaitGroup
	ports := []uint16{2000, 2001, 2002, 2003, 2004, 2005}
	for _, port := range ports {
		addr := netip.AddrPortFrom(netip.MustParseAddr("10.1.0.1"), port).String()
		l, err := a.Listen(t.Context(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		transfers.Go(func() {
			defer l.Close()
			c, err := l.Accept()
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			if n, err := io.Copy(c, c); n != 100_000 || err != nil {
				t.Errorf("echoed %d bytes, %v", n, err)
			}
		})
		transfers.Go(func() {
			c, err := b.DialContext(context.Background(), "tcp", addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			transfers.Go(func() {
				c.Write(make([]byte, 100_000))
				c.(*Conn).CloseWrite()
			})
			if n, err := io.Copy(io.Discard, c); n != 100_000 || err != nil {
				t.Errorf("received %d bytes, %v", n, err)
			}
		})
	}
	transfers.Wait()
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	for i := range n.q {
		for _, port := range ports {
			if got, want := n.q[i].flows[port], int(port%2) == i; got != want {
				t.Errorf("port %d transmitted on queue %d: %t, want %t", port, i, got, want)
			}
		}
	}
	// Frames may be on their way to a queue that nobody receives from now.
	wire.A.Close()
	go func() {
		for range n.q[0].deliver {
			n.q[0].done <- struct{}{}
		}
	}()
	go func() {
		for range n.q[1].deliver {
			n.q[1].done <- struct{}{}
		}
	}()
	running.Wait()
}

// TestFlowTable looks at both families, and at what is no TCP.
func TestFlowTable(t *testing.T) {
	var table flowTable
	for _, v6 := range []bool{false, true} {
		for flow := range 100 {
			// Incoming: from the flow's port to 21. Its answer goes the other way.
			f := segmentSpec{v6: v6, flow: flow, flags: flagAck}.frame()
			p, v := parse(f, ourMAC, false)
			if v != accept {
				t.Fatal(v)
			}
			table.learner(3)(&p)
			pkt := outgoing(segmentSpec{v6: v6, flow: flow, flags: flagAck}, 1448)
			turn(pkt.NetworkHeader().Slice(), pkt.TransportHeader().Slice())
			if got := table.device(pkt); got != 3 {
				t.Errorf("IPv6 %t, flow %d: device %d, want 3", v6, flow, got)
			}
			table.learner(0)(&p)
			if got := table.device(pkt); got != 0 {
				t.Errorf("IPv6 %t, flow %d: device %d, want 0", v6, flow, got)
			}
			pkt.DecRef()
		}
	}
}

// turn exchanges source and destination.
func turn(ip, tcp []byte) {
	a, b := ip[12:16], ip[16:20]
	if ip[0]>>4 == 6 {
		a, b = ip[8:24], ip[24:40]
	}
	for i := range a {
		a[i], b[i] = b[i], a[i]
	}
	tcp[0], tcp[1], tcp[2], tcp[3] = tcp[2], tcp[3], tcp[0], tcp[1]
}
