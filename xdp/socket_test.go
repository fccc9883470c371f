package xdp

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net"
	"runtime"
	"slices"
	"testing"

	"github.com/seed-54eb6215/xftp/frame"
	"golang.org/x/sys/unix"
)

func TestReceiveDeliversInOrderAndRefills(t *testing.T) {
	for _, index := range []uint32{0, math.MaxUint32 - 20} {
		s, h := heapSocket(t, index)
		var sent, got int
		for range 20 {
			for h.arrive(fmt.Appendf(nil, "packet %d", sent)) {
				sent++
			}
			// 8 frames come as two batches of 4.
			for i := range 2 {
				err := s.Receive(func(batch []frame.Frame) {
					if len(batch) != 4 {
						t.Fatalf("batch of %d frames", len(batch))
					}
					if i == 0 && h.arrive([]byte("too early")) {
						t.Fatal("a frame went back before deliver returned")
					}
					for _, f := range batch {
						if want := fmt.Sprintf("packet %d", got); string(f.B) != want || f.More || f.ChecksumOK {
							t.Fatalf("got %q, %v, %v; want %q", f.B, f.More, f.ChecksumOK, want)
						}
						got++
					}
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		if got != 160 || sent != 160 {
			t.Errorf("sent %d, got %d", sent, got)
		}
		st, err := s.Stats()
		if err != nil || st.RxFrames != 160 || st.RxBatches != 40 || st.RxBytes == 0 || st.BadDescriptors != 0 {
			t.Errorf("%+v, %v", st, err)
		}
	}
}

func TestReceiveIgnoresNonsense(t *testing.T) {
	s, h := heapSocket(t, 0)
	for _, d := range []unix.XDPDesc{
		{Addr: 8 * 2048, Len: 60},        // a transmit frame
		{Addr: 1 << 40, Len: 60},         // nowhere
		{Addr: math.MaxUint64, Len: 60},  // nowhere
		{Addr: headroom, Len: 1793},      // crosses into the next frame
		{Addr: 0, Len: math.MaxUint32},   // longer than everything
		{Addr: 2048 + headroom, Len: 60}, // good
	} {
		h.descriptorArrives(d)
	}
	var frames int
	for range 2 {
		if err := s.Receive(func(batch []frame.Frame) { frames += len(batch) }); err != nil {
			t.Fatal(err)
		}
	}
	if st, _ := s.Stats(); frames != 1 || st.BadDescriptors != 5 {
		t.Errorf("%d frames, %d bad descriptors", frames, st.BadDescriptors)
	}
}

func TestWake(t *testing.T) {
	s, h := heapSocket(t, 0)
	s.patience = -1 // without a wake-up it sleeps for ever
	fail := func([]frame.Frame) { t.Error("a batch was delivered") }
	for range 100 { // before Receive; twice is as good as once
		s.Wake()
		s.Wake()
		if err := s.Receive(fail); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 { // while it runs, or just before
		done := make(chan error)
		go func() { done <- s.Receive(fail) }()
		s.Wake()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	// Frames come first, and the wake-up is not forgotten.
	s.Wake()
	h.arrive([]byte("frame"))
	var frames int
	if err := s.Receive(func(batch []frame.Frame) { frames += len(batch) }); err != nil || frames != 1 {
		t.Fatalf("%d frames, %v", frames, err)
	}
	if err := s.Receive(fail); err != nil {
		t.Fatal(err)
	}
	// One wake-up is answered once: the next Receive sleeps until it looks
	// after the device, which is when a frame arrives.
	s.patience = pollTimeout
	h.onReceive = func() unix.Errno {
		h.arrive([]byte("frame"))
		return 0
	}
	if err := s.Receive(func(batch []frame.Frame) { frames += len(batch) }); err != nil || frames != 2 {
		t.Fatalf("%d frames, %v", frames, err)
	}
}

func TestCloseEndsReceive(t *testing.T) {
	s, h := heapSocket(t, 0)
	s.patience = -1
	done := make(chan error)
	go func() { done <- s.Receive(func([]frame.Frame) {}) }()
	for s.stats.sleeps.Load() == 0 {
		runtime.Gosched()
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("receive: %v", err)
	}
	if !h.closed {
		t.Error("rings are open")
	}
	bufs := make([][]byte, 1)
	_, statsErr := s.Stats()
	for name, err := range map[string]error{
		"receive": s.Receive(func([]frame.Frame) {}),
		"submit":  s.Submit([]int{60}),
		"flush":   s.Flush(),
		"stats":   statsErr,
	} {
		var e *OpError
		if !errors.Is(err, net.ErrClosed) || !errors.As(err, &e) {
			t.Errorf("%s after close: %v", name, err)
		}
	}
	if s.Reserve(bufs) != 0 || s.Pending() != 0 || s.Close() != nil {
		t.Error("a closed socket does something")
	}
	s.Wake()
}

func TestReceiveAfterTheDeviceIsGone(t *testing.T) {
	for errno, want := range map[unix.Errno]Class{unix.ENXIO: ClassReopen, unix.ENODEV: ClassReopen, unix.EBADF: ClassFatal} {
		s, h := heapSocket(t, 0)
		answers := []unix.Errno{0, unix.ENETDOWN, errno} // poll times out thrice
		h.onReceive = func() unix.Errno {
			e := answers[0]
			answers = answers[1:]
			return e
		}
		err := s.Receive(func([]frame.Frame) {})
		var e *OpError
		if !errors.As(err, &e) || e.Class != want || !errors.Is(err, errno) || len(answers) != 0 {
			t.Errorf("%v: %v after %d answers", errno, err, 3-len(answers))
		}
	}
}

// submit sends one packet of each length, filled with its number.
func submit(t *testing.T, s *Socket, lengths ...int) {
	t.Helper()
	bufs := make([][]byte, len(lengths))
	if n := s.Reserve(bufs); n != len(bufs) {
		t.Fatalf("reserved %d of %d", n, len(bufs))
	}
	for i, b := range bufs {
		if len(b) != s.Info().MaxFrame || cap(b) != len(b) {
			t.Fatalf("buffer of %d bytes, capacity %d", len(b), cap(b))
		}
		for j := range b {
			b[j] = byte(i + 1)
		}
	}
	if err := s.Submit(lengths); err != nil {
		t.Fatal(err)
	}
}

func TestSubmitPadsAndSkips(t *testing.T) {
	s, h := heapSocket(t, math.MaxUint32-1)
	submit(t, s, 1, 0, 59, 60, 61, 2048)
	sent := h.depart(10)
	wantLengths := []int{60, 60, 60, 61, 2048}
	wantBytes := []byte{1, 3, 4, 5, 6}
	kept := []int{1, 59, 60, 61, 2048}
	if len(sent) != len(wantLengths) || s.Pending() != len(sent) {
		t.Fatalf("%d descriptors, %d pending", len(sent), s.Pending())
	}
	for i, d := range sent {
		b := h.shared.frames[d.Addr:][:d.Len]
		if int(d.Len) != wantLengths[i] || d.Options != 0 || d.Addr%2048 != 0 || d.Addr < 8*2048 {
			t.Errorf("descriptor %+v", d)
		}
		want := append(bytes.Repeat(wantBytes[i:i+1], kept[i]), make([]byte, len(b)-kept[i])...)
		if !bytes.Equal(b, want) {
			t.Errorf("frame %d: %x", i, b)
		}
	}
	st, err := s.Stats()
	if err != nil || st.TxFrames != 5 || st.TxBytes != 60*3+61+2048 {
		t.Errorf("%+v, %v", st, err)
	}
}

func TestSubmitRefusesBadLengths(t *testing.T) {
	s, h := heapSocket(t, 0)
	for _, lengths := range [][]int{{60, 2049}, {-1}, {60, 60, 60}, {math.MinInt}, {math.MaxInt}} {
		if n := s.Reserve(make([][]byte, 2)); n != 2 {
			t.Fatalf("%v: reserved %d", lengths, n)
		}
		if err := s.Submit(lengths); !errors.Is(err, unix.EINVAL) {
			t.Errorf("%v: %v", lengths, err)
		}
		if err := s.Submit([]int{60}); !errors.Is(err, unix.EINVAL) {
			t.Errorf("%v: the buffers are still reserved: %v", lengths, err)
		}
		if sent := h.depart(8); len(sent) != 0 || s.Pending() != 0 {
			t.Errorf("%v: %d descriptors", lengths, len(sent))
		}
	}
	if n := s.Reserve(make([][]byte, 20)); n != 8 {
		t.Errorf("%d buffers are left of 8", n)
	}
}

// TestFramesAreNeverLostOrDoubled reserves, submits and completes at random,
// completions in any order, and keeps books.
func TestFramesAreNeverLostOrDoubled(t *testing.T) {
	s, h := heapSocket(t, math.MaxUint32-100)
	random := func() func(int) int {
		seed := uint64(1)
		return func(n int) int {
			seed = seed*6364136223846793005 + 1442695040888963407
			return int(seed>>33) % n
		}
	}()
	var inKernel []uint64
	bufs := make([][]byte, 10)
	for step := range 20000 {
		want := random(10)
		n := s.Reserve(bufs[:want])
		if n != min(want, 8-len(inKernel)) {
			t.Fatalf("step %d: reserved %d of %d with %d in the kernel", step, n, want, len(inKernel))
		}
		if random(8) == 0 {
			continue // and the next Reserve takes them back
		}
		lengths := make([]int, random(n+1))
		for i := range lengths {
			lengths[i] = random(3) * 30
		}
		if err := s.Submit(lengths); err != nil {
			t.Fatal(err)
		}
		for _, d := range h.depart(8) {
			if slices.Contains(inKernel, d.Addr) {
				t.Fatalf("step %d: frame %d is sent twice", step, d.Addr)
			}
			inKernel = append(inKernel, d.Addr)
		}
		if s.Pending() != len(inKernel) {
			t.Fatalf("step %d: %d pending, %d in the kernel", step, s.Pending(), len(inKernel))
		}
		for range random(len(inKernel) + 1) {
			i := random(len(inKernel))
			h.complete(inKernel[i])
			inKernel = slices.Delete(inKernel, i, i+1)
		}
		if err := s.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if st, _ := s.Stats(); st.BadDescriptors != 0 || st.TxCompleted+uint64(len(inKernel)) != st.TxFrames {
		t.Errorf("%+v", st)
	}
}

func TestCompletionsOfOthersAreIgnored(t *testing.T) {
	s, h := heapSocket(t, 0)
	submit(t, s, 60)
	address := h.depart(1)[0].Addr
	for _, a := range []uint64{0, 7 * 2048, 16 * 2048, math.MaxUint64, address, address} {
		h.complete(a)
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	st, _ := s.Stats()
	if s.Pending() != 0 || st.TxCompleted != 1 || st.BadDescriptors != 5 {
		t.Errorf("%d pending, %+v", s.Pending(), st)
	}
	if n := s.Reserve(make([][]byte, 20)); n != 8 {
		t.Errorf("%d frames are free", n)
	}
}
