package xdp

import (
	"math"
	"testing"
)

// aRing returns the two ends of one ring.
func aRing(size int, index uint32) (*producerRing[uint64], *consumerRing[uint64]) {
	producer, consumer := index, index
	h := header{&producer, &consumer, new(uint32)}
	slots := make([]uint64, size)
	return &producerRing[uint64]{h, slots, index}, &consumerRing[uint64]{h, slots, index}
}

func TestRingWraps(t *testing.T) {
	for _, index := range []uint32{0, 5, math.MaxUint32 - 3, math.MaxUint32} {
		p, c := aRing(8, index)
		var put, took uint64
		// Every fill level from empty to full, at every position.
		for step := range 200 {
			for range step%8 + 1 {
				p.put(put)
				put++
			}
			if c.available() != 0 {
				t.Fatalf("index %d: entries are visible before publish", index)
			}
			p.publish()
			if n := c.available(); n != step%8+1 || p.waiting() != n {
				t.Fatalf("index %d, step %d: %d available, %d waiting", index, step, n, p.waiting())
			}
			for range step%8 + 1 {
				if v := c.take(); v != took {
					t.Fatalf("index %d: took %d, want %d", index, v, took)
				}
				took++
			}
			if p.waiting() != step%8+1 {
				t.Fatalf("index %d: slots are free before release", index)
			}
			c.release()
			if c.available() != 0 || p.waiting() != 0 {
				t.Fatalf("index %d, step %d: ring is not empty", index, step)
			}
		}
	}
}

func TestNeedWakeup(t *testing.T) {
	p, _ := aRing(8, 0)
	for _, c := range []struct {
		flags uint32
		want  bool
	}{{0, false}, {1, true}, {2, false}, {3, true}} {
		*p.flags = c.flags
		if p.needWakeup() != c.want {
			t.Errorf("flags %d: %v", c.flags, p.needWakeup())
		}
	}
}

// FuzzRingIndices sets the indices to anything: a count never exceeds the
// ring, and nothing panics.
func FuzzRingIndices(f *testing.F) {
	f.Add(uint32(0), uint32(0), uint32(0))
	f.Add(uint32(3), uint32(math.MaxUint32), uint32(7))
	f.Fuzz(func(t *testing.T, producer, consumer, next uint32) {
		p, c := aRing(8, 0)
		*p.producer, *p.consumer = producer, consumer
		p.next, c.next = next, next
		if n := p.waiting(); n < 0 || n > 8 {
			t.Errorf("%d waiting", n)
		}
		n := c.available()
		if n < 0 || n > 8 {
			t.Errorf("%d available", n)
		}
		for range n {
			c.take()
		}
		p.put(1)
	})
}

// BenchmarkRing passes 64 entries at a time.
func BenchmarkRing(b *testing.B) {
	p, c := aRing(256, 0)
	for b.Loop() {
		for i := range uint64(64) {
			p.put(i)
		}
		p.publish()
		for range c.available() {
			c.take()
		}
		c.release()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/entry")
}
