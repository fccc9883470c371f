package relay

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/frame"
	"github.com/seed-54eb6215/xftp/stack/stacktest"
)

const testFrame = 64

// numbered returns a frame that carries n.
func numbered(n int) []byte {
	b := make([]byte, testFrame)
	binary.BigEndian.PutUint32(b[20:], uint32(n))
	binary.BigEndian.PutUint32(b[40:], uint32(n)) // a frame with a flaw is none
	return b
}

func testPipe(direction uint64, imp Impairment) *pipe {
	return newPipe(&pool{size: testFrame}, direction, imp)
}

// test lets a copy of b enter.
func (p *pipe) test(b []byte, at time.Duration) {
	own := p.pool.get()
	p.enter(own[:copy(own, b)], at)
}

// leaving returns copies of the frames that leave at a time.
func leaving(p *pipe, at time.Duration) [][]byte {
	var all [][]byte
	for bufs := make([][]byte, 7); ; {
		n := p.due(bufs, at)
		if n == 0 {
			return all
		}
		for _, b := range bufs[:n] {
			all = append(all, bytes.Clone(b))
		}
		p.leave(n)
	}
}

// fate sends count frames through a pipe, one at a time, and returns what
// leaves.
func fate(p *pipe, count int) [][]byte {
	var got [][]byte
	for i := range count {
		p.test(numbered(i), 0)
		got = append(got, leaving(p, 0)...)
	}
	return got
}

func hash(frames [][]byte) [32]byte {
	h := sha256.New()
	for _, f := range frames {
		h.Write(f)
	}
	return [32]byte(h.Sum(nil))
}

var impairments = map[string]Impairment{
	"none":       {},
	"loss":       {Seed: 3, Loss: 0.1},
	"duplicates": {Seed: 3, Duplicate: 0.1},
	"reordering": {Seed: 3, Reorder: 0.1},
	"corruption": {Seed: 3, Corrupt: 0.1},
	"all":        {Seed: 9, Loss: 0.1, Duplicate: 0.1, Reorder: 0.1, Corrupt: 0.1},
	"rare":       {Seed: 1, Loss: 0.001, Duplicate: 0.002, Reorder: 0.003, Corrupt: 0.004},
	"everything": {Seed: 1, Duplicate: 1, Reorder: 1, Corrupt: 1},
}

// The same seed means the same here and on the wire in memory, in both
// directions.
func TestSameAsStacktest(t *testing.T) {
	const count = 5000
	for name, imp := range impairments {
		t.Run(name, func(t *testing.T) {
			same := stacktest.Impairment{Seed: imp.Seed, Loss: imp.Loss, Duplicate: imp.Duplicate, Reorder: imp.Reorder, Corrupt: imp.Corrupt}
			w := stacktest.NewWire(stacktest.Options{AtoB: same, BtoA: same})
			var sums [2][32]byte
			for i, ends := range [2][2]*stacktest.End{{w.A, w.B}, {w.B, w.A}} {
				var want [][]byte
				for n := range count {
					want = append(want, overWire(t, ends[0], ends[1], numbered(n))...)
				}
				sums[i] = hash(want)
				got := fate(testPipe(uint64(i+1), imp), count)
				if len(got) != len(want) || hash(got) != sums[i] {
					t.Errorf("direction %d: %d frames, on the wire in memory %d; or other ones", i+1, len(got), len(want))
				}
			}
			if differ := imp != (Impairment{}); differ != (sums[0] != sums[1]) {
				t.Errorf("the directions differ: %v", !differ)
			}
		})
	}
}

func overWire(t *testing.T, from, to *stacktest.End, b []byte) [][]byte {
	t.Helper()
	var bufs [1][]byte
	if from.Reserve(bufs[:]) != 1 {
		t.Fatal("no transmit buffer")
	}
	if err := from.Submit([]int{copy(bufs[0], b)}); err != nil {
		t.Fatal(err)
	}
	to.Wake()
	var got [][]byte
	if err := to.Receive(func(frames []frame.Frame) {
		for _, f := range frames {
			got = append(got, bytes.Clone(f.B))
		}
	}); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestSeed(t *testing.T) {
	imp := impairments["all"]
	first := hash(fate(testPipe(1, imp), 2000))
	if hash(fate(testPipe(1, imp), 2000)) != first {
		t.Error("the same seed does not give the same fate")
	}
	p := testPipe(1, Impairment{Seed: 1, Loss: 0.5})
	fate(p, 100)
	p.set(1, imp)
	if hash(fate(p, 2000)) != first {
		t.Error("set does not start the generator anew")
	}
	imp.Seed++
	if hash(fate(testPipe(1, imp), 2000)) == first {
		t.Error("another seed gives the same fate")
	}
}

// How often something happens is within four standard deviations of what was
// asked for, and counted.
func TestRates(t *testing.T) {
	const count = 100_000
	for name, imp := range impairments {
		p := testPipe(1, imp)
		got := fate(p, count)
		var readable, twice, late int
		seen := make(map[int]int)
		last := -1
		for _, f := range got {
			i := int(binary.BigEndian.Uint32(f[20:]))
			if i >= count || !bytes.Equal(f, numbered(i)) {
				continue
			}
			readable++
			if seen[i]++; seen[i] == 2 {
				twice++
			}
			if i < last {
				late++
			}
			last = max(last, i)
		}
		arrived := float64(count) * (1 - imp.Loss)
		for _, c := range []struct {
			name  string
			count uint64
			of, p float64
		}{
			{"lost", p.n.Lost, count, imp.Loss},
			{"corrupted", p.n.Corrupted, arrived, imp.Corrupt},
			{"duplicated", p.n.Duplicated, arrived, imp.Duplicate},
			{"reordered", p.n.Reordered, arrived + float64(p.n.Duplicated), imp.Reorder},
		} {
			// Copies of one frame share their fate, hence the 8 and not 4.
			if off := math.Abs(float64(c.count) - c.of*c.p); off > 8*math.Sqrt(c.of*c.p*(1-c.p)) {
				t.Errorf("%s: %d of %.0f %s, want about %.0f", name, c.count, c.of, c.name, c.of*c.p)
			}
		}
		held := uint64(len(p.held))
		if want := p.n.Received + p.n.Duplicated - p.n.Lost - held; p.n.Received != count || uint64(len(got)) != want {
			t.Errorf("%s: %d frames left, want %d: %+v", name, len(got), want, p.n)
		}
		if imp.Reorder == 0 && late != 0 || imp.Reorder > 0 && imp.Corrupt < 1 && late == 0 {
			t.Errorf("%s: %d frames are late", name, late)
		}
		if imp.Corrupt == 1 && readable != 0 || imp.Corrupt == 0 && readable != len(got) {
			t.Errorf("%s: %d of %d frames can be read", name, readable, len(got))
		}
		if imp.Corrupt == 0 && uint64(twice) != p.n.Duplicated {
			t.Errorf("%s: %d frames came twice, %d are counted", name, twice, p.n.Duplicated)
		}
	}
}

// The header of Ethernet stays, and one bit of the rest is flipped.
func TestCorruptBit(t *testing.T) {
	flipped := make(map[int]bool)
	for seed := range uint64(3000) {
		got := fate(testPipe(1, Impairment{Seed: seed, Corrupt: 1}), 1)
		for i, b := range got[0] {
			if x := b ^ numbered(0)[i]; x != 0 {
				if i < HeaderLen || x&(x-1) != 0 {
					t.Fatalf("byte %d: bits %08b", i, x)
				}
				flipped[i] = true
			}
		}
	}
	if want := testFrame - HeaderLen; len(flipped) != want {
		t.Errorf("flipped in %d bytes, want all %d behind the header", len(flipped), want)
	}
}

func TestCheck(t *testing.T) {
	good := []Impairment{
		{}, {Loss: 1, Duplicate: 1, Reorder: 1, Corrupt: 1}, {Delay: time.Minute}, {Rate: 1000}, {Rate: 1e12, Queue: 1},
	}
	bad := []Impairment{
		{Loss: -0.1}, {Loss: 1.1}, {Duplicate: 2}, {Reorder: math.NaN()}, {Corrupt: math.Inf(1)},
		{Delay: -1}, {Delay: time.Minute + 1}, {Rate: 999}, {Rate: -1}, {Rate: 2e12}, {Queue: -1},
	}
	for _, imp := range good {
		if err := imp.Check(); err != nil {
			t.Errorf("%+v: %v", imp, err)
		}
	}
	for _, imp := range bad {
		if imp.Check() == nil {
			t.Errorf("%+v: no error", imp)
		}
	}
}

// A frame costs no allocation.
func TestNoAllocations(t *testing.T) {
	p := testPipe(1, Impairment{Seed: 1, Loss: 0.01, Duplicate: 0.01, Reorder: 0.01, Corrupt: 0.01, Delay: time.Millisecond, Rate: 1e9})
	bufs := make([][]byte, 64)
	at := time.Duration(0)
	b := numbered(1)
	work := func() {
		for range 1000 {
			p.test(b, at)
			at += time.Microsecond
			p.leave(p.due(bufs, at))
		}
	}
	work()
	work()
	if n := testing.AllocsPerRun(20, work); n > 0 {
		t.Errorf("%v allocations for a thousand frames", n)
	}
}
