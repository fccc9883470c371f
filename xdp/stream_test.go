package xdp

import (
	"runtime"
	"testing"

	"github.com/seed-54eb6215/xftp/frame"
)

// TestStream shows for which frames Receive naps: for those of a stream, so that
// they come in large batches, and for no others.
func TestStream(t *testing.T) {
	s, h := heapSocketOf(t, SocketConfig{RxFrames: 256, TxFrames: 8, Batch: 128, Spin: 1}, 0)
	arrive := func(n int) {
		for range n {
			h.arrive(make([]byte, 60))
		}
	}
	for i, step := range []struct {
		there  int         // frames that have arrived before Receive
		during map[int]int // that arrive in a nap, by its number
		want   int         // frames in the batch
		naps   int
	}{
		{there: 1, want: 1},
		{there: streamingBatch, want: streamingBatch}, // a stream begins
		{there: 3, during: map[int]int{1: 9}, want: 12, naps: 1},
		{there: gatheredBatch, want: gatheredBatch}, // enough
		{there: 0, during: map[int]int{3: 10, 4: 10}, want: 10, naps: 3},
		{there: 2, during: map[int]int{2: 10}, want: 2, naps: 1}, // a stream ends
		{there: 1, want: 1},
	} {
		naps := 0
		s.nap = func() {
			naps++
			arrive(step.during[naps])
		}
		arrive(step.there)
		got := 0
		if err := s.Receive(func(frames []frame.Frame) { got = len(frames) }); err != nil {
			t.Fatal(err)
		}
		if got != step.want || naps != step.naps {
			t.Errorf("step %d: %d frames after %d naps, want %d after %d", i, got, naps, step.want, step.naps)
		}
	}
}

// TestStreamEnds: a stream that has ended leaves Receive in poll(2), where a wake-up
// finds it. After that there are no naps any more.
func TestStreamEnds(t *testing.T) {
	s, h := heapSocketOf(t, SocketConfig{RxFrames: 256, TxFrames: 8, Batch: 128, Spin: 1}, 0)
	for range gatheredBatch {
		h.arrive(make([]byte, 60))
	}
	naps := 0
	s.nap = func() { naps++ }
	if err := s.Receive(func([]frame.Frame) {}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{maxNaps, 0} {
		naps = 0
		sleeps := s.stats.sleeps.Load()
		done := make(chan error)
		go func() {
			done <- s.Receive(func([]frame.Frame) { t.Error("a batch of nothing") })
		}()
		for s.stats.sleeps.Load() == sleeps {
			runtime.Gosched()
		}
		s.Wake()
		if err := <-done; err != nil || naps != want {
			t.Errorf("call %d: after %d naps %v, want %d and nil", i, naps, err, want)
		}
	}
}

// TestStreamWithoutSpin: who does not want Receive to look again gets what is there
// at once, without a system call.
func TestStreamWithoutSpin(t *testing.T) {
	s, h := heapSocketOf(t, SocketConfig{RxFrames: 256, TxFrames: 8, Batch: 128, Spin: -1}, 0)
	s.nap = func() { t.Error("a nap") }
	for _, n := range []int{streamingBatch, 3} {
		for range n {
			h.arrive(make([]byte, 60))
		}
		got := 0
		if err := s.Receive(func(frames []frame.Frame) { got = len(frames) }); err != nil || got != n {
			t.Errorf("%d frames and %v, want %d and nil", got, err, n)
		}
	}
	if n := s.stats.sleeps.Load(); n != 0 {
		t.Errorf("%d sleeps", n)
	}
}
