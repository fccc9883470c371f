package xdp

import (
	"testing"

	"github.com/seed-54eb6215/xftp/frame"
)

// transfer sends one batch of frames over a wire and receives it, on one
// goroutine.
func transfer(t testing.TB, near, far *Socket, bufs [][]byte, lengths []int, deliver func([]frame.Frame), got *int) {
	if n := near.Reserve(bufs); n != len(bufs) {
		t.Fatalf("reserved %d", n)
	}
	if err := near.Submit(lengths); err != nil {
		t.Fatal(err)
	}
	if err := near.Flush(); err != nil {
		t.Fatal(err)
	}
	for *got = 0; *got < len(bufs); {
		if err := far.Receive(deliver); err != nil {
			t.Fatal(err)
		}
	}
}

// prepare writes a packet into every transmit frame of the socket; they stay
// there, as a buffer is not cleared when it is reserved.
func prepare(s *Socket, to end, length int) {
	bufs := make([][]byte, len(s.sending.state))
	n := s.Reserve(bufs)
	for _, b := range bufs[:n] {
		numbered(b, to.addr, 0, length)
	}
	s.sending.unreserve(0)
}

func TestNoAllocations(t *testing.T) {
	w := newWire(t, wireConfig{mtu: 1500})
	_, near := w.near.start(0, ProgramConfig{}, SocketConfig{})
	_, far := w.far.start(0, ProgramConfig{}, SocketConfig{Spin: -1})
	prepare(near, w.far, 1514)
	bufs, lengths := make([][]byte, 48), make([]int, 48)
	for i := range lengths {
		lengths[i] = 1514
	}
	var got int
	deliver := func(batch []frame.Frame) { got += len(batch) }
	if n := testing.AllocsPerRun(200, func() { transfer(t, near, far, bufs, lengths, deliver, &got) }); n != 0 {
		t.Errorf("%v allocations per batch", n)
	}
	fail := func([]frame.Frame) { t.Error("a frame") }
	if n := testing.AllocsPerRun(200, func() {
		far.Wake()
		if err := far.Receive(fail); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations per wake-up", n)
	}
}

// BenchmarkWire sends batches of full frames from one socket and receives them
// with another on the same goroutine, so that it measures all the work, the
// kernel's included.
func BenchmarkWire(b *testing.B) {
	for name, generic := range map[string]bool{"Native": false, "Generic": true} {
		b.Run(name, func(b *testing.B) {
			w := newWire(b, wireConfig{mtu: 1500})
			_, near := w.near.start(0, ProgramConfig{Generic: generic}, SocketConfig{})
			_, far := w.far.start(0, ProgramConfig{Generic: generic}, SocketConfig{})
			prepare(near, w.far, 1514)
			bufs, lengths := make([][]byte, 48), make([]int, 48)
			for i := range lengths {
				lengths[i] = 1514
			}
			var got int
			deliver := func(batch []frame.Frame) { got += len(batch) }
			b.SetBytes(48 * 1514)
			b.ReportAllocs()
			for b.Loop() {
				transfer(b, near, far, bufs, lengths, deliver, &got)
			}
			st, err := near.Stats()
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(st.Kicks)/float64(b.N), "kicks/batch")
		})
	}
}

// BenchmarkSocket does the same without a kernel: what the rings and the books
// cost.
func BenchmarkSocket(b *testing.B) {
	s, h := heapSocket(b, 0)
	packet := make([]byte, 64)
	bufs, lengths := make([][]byte, 4), []int{64, 64, 64, 64}
	deliver := func([]frame.Frame) {}
	addresses := make([]uint64, 0, 4)
	for b.Loop() {
		for range 4 {
			h.arrive(packet)
		}
		if err := s.Receive(deliver); err != nil {
			b.Fatal(err)
		}
		s.Reserve(bufs)
		if err := s.Submit(lengths); err != nil {
			b.Fatal(err)
		}
		addresses = addresses[:0]
		m := &h.shared
		for h.txTaken != *m.tx.producer {
			addresses = append(addresses, m.tx.slots[h.txTaken&7].Addr)
			h.txTaken++
		}
		*m.tx.consumer = h.txTaken
		for _, a := range addresses {
			h.complete(a)
		}
		if err := s.Flush(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/4, "ns/frame")
}
