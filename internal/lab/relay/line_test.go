package relay

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"
)

func TestDelay(t *testing.T) {
	p := testPipe(1, Impairment{Delay: 10 * time.Millisecond})
	if p.next() != never {
		t.Errorf("an empty pipe has something to do at %v", p.next())
	}
	for i := range 3 {
		p.test(numbered(i), time.Duration(i)*time.Millisecond)
	}
	for i := range 3 {
		at := time.Duration(10+i) * time.Millisecond
		if p.next() != at {
			t.Errorf("frame %d is due at %v, want %v", i, p.next(), at)
		}
		if early := leaving(p, at-1); len(early) != 0 {
			t.Errorf("frame %d left early", i)
		}
		if got := leaving(p, at); len(got) != 1 || !bytes.Equal(got[0], numbered(i)) {
			t.Errorf("%d frames at %v, want frame %d", len(got), at, i)
		}
	}
	// A shorter delay does not let a frame overtake.
	p.test(numbered(7), 20*time.Millisecond)
	p.set(1, Impairment{})
	p.test(numbered(8), 21*time.Millisecond)
	if got := leaving(p, 29*time.Millisecond); len(got) != 0 {
		t.Errorf("%d frames left early", len(got))
	}
	if got := leaving(p, 30*time.Millisecond); len(got) != 2 || !bytes.Equal(got[0], numbered(7)) {
		t.Errorf("%d frames, want 7 and 8", len(got))
	}
}

// Three frames overtake, or the held one goes on after a while.
func TestReorder(t *testing.T) {
	p := testPipe(1, Impairment{Reorder: 1, Delay: time.Second})
	p.test(numbered(0), 0)
	p.set(1, Impairment{Delay: time.Second})
	for i := 1; i < 5; i++ {
		p.test(numbered(i), 0)
	}
	var order []uint32
	for _, f := range leaving(p, time.Second) {
		order = append(order, binary.BigEndian.Uint32(f[20:]))
	}
	if want := []uint32{1, 2, 3, 0, 4}; len(order) != 5 || [5]uint32(order) != [5]uint32(want) {
		t.Errorf("order %v, want %v", order, want)
	}

	p = testPipe(1, Impairment{Reorder: 1})
	p.test(numbered(0), time.Second)
	p.test(numbered(1), time.Second+1)
	if p.next() != time.Second+holdLongest {
		t.Errorf("something to do at %v, want %v", p.next(), time.Second+holdLongest)
	}
	if got := leaving(p, time.Second+holdLongest-1); len(got) != 0 {
		t.Error("a held frame left early, and nothing overtook it")
	}
	if got := leaving(p, time.Second+holdLongest); len(got) != 1 || !bytes.Equal(got[0], numbered(0)) {
		t.Errorf("%d frames left, want frame 0", len(got))
	}
	if got := leaving(p, time.Minute); len(got) != 1 || !bytes.Equal(got[0], numbered(1)) || len(p.held) != 0 {
		t.Errorf("%d frames left, want frame 1", len(got))
	}
}

// 64 bytes at 512 kbit/s take a millisecond.
func TestRate(t *testing.T) {
	p := testPipe(1, Impairment{Rate: 512_000, Queue: 10 * testFrame, Delay: 5 * time.Millisecond})
	for i := range 15 {
		p.test(numbered(i), 0)
	}
	if p.n.Overflowed != 5 {
		t.Errorf("%d frames overflowed, want 5 of 15: %+v", p.n.Overflowed, p.n)
	}
	if len(p.pool.free) != 1 { // the one that each of the five used
		t.Errorf("%d buffers came back, want 1", len(p.pool.free))
	}
	for i := range 10 {
		at := time.Duration(i+6) * time.Millisecond
		if p.next() != at {
			t.Errorf("frame %d is due at %v, want %v", i, p.next(), at)
		}
		if got := leaving(p, at); len(got) != 1 || !bytes.Equal(got[0], numbered(i)) {
			t.Errorf("%d frames at %v, want frame %d", len(got), at, i)
		}
	}
	// Room is again where the bottleneck has worked the queue off, and an idle
	// bottleneck does not save up.
	p.test(numbered(20), 100*time.Millisecond)
	if p.next() != 106*time.Millisecond || p.n.Overflowed != 5 {
		t.Errorf("due at %v, want 106ms: %+v", p.next(), p.n)
	}
}

func TestQueueBytes(t *testing.T) {
	for _, tt := range []struct {
		imp  Impairment
		want int
	}{
		{Impairment{}, 0},
		{Impairment{Queue: 5}, 0},
		{Impairment{Rate: 1e9, Queue: 5}, 5},
		{Impairment{Rate: 1e9, Delay: 10 * time.Millisecond}, 2_500_000},
		{Impairment{Rate: 1e6, Delay: 10 * time.Millisecond}, 64 * 1514},
		{Impairment{Rate: 1e6}, 64 * 1514},
	} {
		if got := tt.imp.QueueBytes(1514); got != tt.want {
			t.Errorf("%+v: %d bytes, want %d", tt.imp, got, tt.want)
		}
	}
}

// What is in flight is bounded, and all buffers come back.
func TestLineIsBounded(t *testing.T) {
	p := testPipe(1, Impairment{Seed: 1, Delay: time.Second, Duplicate: 0.1, Reorder: 0.1})
	p.longest = 1000
	for i := range 3000 {
		p.test(numbered(i), 0)
	}
	if p.line.len() != 1000 || p.n.Overflowed != 3000+p.n.Duplicated-1000-uint64(len(p.held)) {
		t.Errorf("%d frames in flight, want 1000: %+v", p.line.len(), p.n)
	}
	left := len(leaving(p, time.Hour))
	if held := len(p.held); left < 1000 || held != 0 {
		t.Errorf("%d frames left, %d are held", left, held)
	}
	used := len(p.pool.free)
	for i := range 500 {
		p.test(numbered(i), time.Hour)
	}
	leaving(p, 2*time.Hour)
	if len(p.pool.free) != used {
		t.Errorf("%d buffers are free, before there were %d", len(p.pool.free), used)
	}
}

// A queue grows with what is in it, wherever that begins.
func TestFIFO(t *testing.T) {
	var f fifo
	in, out := 0, 0
	for _, step := range []struct{ push, pop int }{{50, 30}, {40, 0}, {100, 120}, {500, 540}} {
		for range step.push {
			f.push(pending{due: time.Duration(in)})
			in++
		}
		for range step.pop {
			if got := f.pop().due; got != time.Duration(out) {
				t.Fatalf("%d came out, want %d", got, out)
			}
			out++
		}
		if f.len() != in-out {
			t.Errorf("length %d, want %d", f.len(), in-out)
		}
	}
}
