package xdp

import (
	"bytes"
	"testing"

	"github.com/seed-54eb6215/xftp/frame"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// TestKernelCounters provokes the kernel's counters, but for RxRingFull, as the
// receive ring has room for every frame that there is, and RxInvalidDescs: bad
// entries of the fill ring are not counted there.
func TestKernelCounters(t *testing.T) {
	stats := func(s *Socket) Stats {
		t.Helper()
		st, err := s.Stats()
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	t.Run("RxFillRingEmptyDescs", func(t *testing.T) {
		w := newWire(t, wireConfig{mtu: 1500})
		_, near := w.near.start(0, ProgramConfig{}, SocketConfig{})
		_, far := w.far.start(0, ProgramConfig{}, SocketConfig{RxFrames: 64})
		sendNumbered(t, near, w.far, 0, 74, func(int) int { return 100 }) // and nobody reads
		if st := stats(far); st.RxFillRingEmptyDescs != 10 || st.RxDropped != 10 || st.RxRingFull != 0 {
			t.Errorf("%+v", st)
		}
		// The 64 that were received are still there, and the ring recovers.
		var got int
		for got < 64 {
			if err := far.Receive(func(batch []frame.Frame) { got += len(batch) }); err != nil {
				t.Fatal(err)
			}
		}
		sendNumbered(t, near, w.far, 0, 64, func(int) int { return 100 })
		if st := stats(far); st.RxFillRingEmptyDescs != 10 {
			t.Errorf("after refilling: %+v", st)
		}
	})
	t.Run("RxDropped", func(t *testing.T) {
		// The MTU grows while the socket is open; its frames do not.
		w := newWire(t, wireConfig{mtu: 1500})
		_, far := w.far.start(0, ProgramConfig{}, SocketConfig{})
		for _, e := range []end{w.near, w.far} {
			e.change(func(l netlink.Link) error { return netlink.LinkSetMTU(l, 3000) })
		}
		_, near := w.near.start(0, ProgramConfig{}, SocketConfig{})
		sendNumbered(t, near, w.far, 0, 3, func(i int) int { return []int{1792, 1793, 3014}[i] })
		var got []int
		err := far.Receive(func(batch []frame.Frame) {
			for _, f := range batch {
				got = append(got, len(f.B))
			}
		})
		if st := stats(far); err != nil || st.RxDropped != 2 || len(got) != 1 || got[0] != 1792 {
			t.Errorf("%+v, %v, frames %v", st, err, got)
		}
	})
	t.Run("TxInvalidDescs", func(t *testing.T) {
		w := newWire(t, wireConfig{mtu: 1500})
		_, near := w.near.start(0, ProgramConfig{}, SocketConfig{})
		tx := &near.rings.memory().tx
		tx.put(unix.XDPDesc{Addr: near.sending.first + 2000, Len: 100}) // crosses its frame
		tx.publish()
		near.rings.send()
		if st := stats(near); st.TxInvalidDescs != 1 || st.TxRingEmptyDescs != 0 {
			t.Errorf("%+v", st)
		}
	})
	t.Run("TxRingEmptyDescs", func(t *testing.T) {
		w := newWire(t, wireConfig{mtu: 1500})
		_, near := w.near.start(0, ProgramConfig{}, SocketConfig{})
		near.rings.send() // and there is nothing to send
		if st := stats(near); st.TxRingEmptyDescs != 1 {
			t.Errorf("%+v", st)
		}
	})
}

// TestProgramCounters sends one frame of each fate over a real link.
func TestProgramCounters(t *testing.T) {
	w := newWire(t, wireConfig{mtu: 1500})
	_, near := w.near.start(0, ProgramConfig{}, SocketConfig{})
	program, far := w.far.start(0, ProgramConfig{}, SocketConfig{})
	send := func(packet []byte) {
		t.Helper()
		bufs := make([][]byte, 1)
		near.Reserve(bufs)
		copy(bufs[0], packet)
		if err := near.Submit([]int{len(packet)}); err != nil {
			t.Fatal(err)
		}
		if err := near.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	ours := padded(ethernet(0x0800, ipv4(w.far.addr, 6, 0, nil, ports(1, 2))))
	send(ours)
	if err := far.Receive(func(b []frame.Frame) {
		if len(b) != 1 || !bytes.Equal(b[0].B, ours) {
			t.Errorf("%d frames, %x", len(b), b[0].B)
		}
	}); err != nil {
		t.Fatal(err)
	}
	send(ethernet(0x0800, ipv4(own4, 6, 0, nil, ports(1, 2))))
	send(ethernet(0x8100, make([]byte, 46)))
	send(ethernet(0x0800, make([]byte, 46)))
	if err := program.Unregister(0); err != nil {
		t.Fatal(err)
	}
	send(ours)
	if err := program.Register(0, far); err != nil {
		t.Fatal(err)
	}
	if err := far.Close(); err != nil { // and the kernel unregisters it
		t.Fatal(err)
	}
	send(ours)
	if err := program.Enable(false); err != nil {
		t.Fatal(err)
	}
	send(ours)
	got, err := program.Counters()
	want := ProgramCounters{Redirected: 1, PassedNotOurs: 1, PassedTagged: 1, PassedMalformed: 1, PassedNoSocket: 2, PassedOff: 1}
	if err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}
