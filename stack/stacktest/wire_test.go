package stacktest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-54eb6215/xftp/frame"
	"github.com/seed-54eb6215/xftp/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// numbered returns a frame that carries n.
func numbered(n int) []byte {
	b := make([]byte, 64)
	binary.BigEndian.PutUint32(b[20:], uint32(n))
	binary.BigEndian.PutUint32(b[40:], uint32(n)) // a frame with a flaw is none
	return b
}

func send(t testing.TB, e *End, frames ...[]byte) {
	t.Helper()
	for _, f := range frames {
		var bufs [1][]byte
		if e.Reserve(bufs[:]) != 1 {
			t.Fatal("no transmit buffer")
		}
		copy(bufs[0], f)
		if err := e.Submit([]int{len(f)}); err != nil {
			t.Fatal(err)
		}
	}
}

// receive returns the frames of one call of Receive.
func receive(t testing.TB, e *End) [][]byte {
	t.Helper()
	var got [][]byte
	err := e.Receive(func(frames []frame.Frame) {
		joined := []byte(nil)
		for _, f := range frames {
			if joined = append(joined, f.B...); !f.More {
				got = append(got, joined)
				joined = nil
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// fate sends count frames over a wire and returns what arrives.
func fate(t testing.TB, imp Impairment, count int) [][]byte {
	w := NewWire(Options{AtoB: imp})
	var got [][]byte
	for i := range count {
		send(t, w.A, numbered(i))
		w.B.Wake()
		got = append(got, receive(t, w.B)...)
	}
	return got
}

func TestImpairment(t *testing.T) {
	const n = 20000
	all := Impairment{Seed: 1, Loss: 0.1, Duplicate: 0.1, Reorder: 0.1, Corrupt: 0.1}
	for _, tt := range []struct {
		name                          string
		imp                           Impairment
		lost, twice, late, unreadable bool
	}{
		{"none", Impairment{}, false, false, false, false},
		{"loss", Impairment{Loss: 0.1}, true, false, false, false},
		{"duplicates", Impairment{Duplicate: 0.1}, false, true, false, false},
		{"reordering", Impairment{Reorder: 0.1}, false, false, true, false},
		{"corruption", Impairment{Corrupt: 0.1}, false, false, false, true},
		{"all", all, true, true, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			seen := map[int]int{}
			var twice, late, corrupt int
			last := -1
			for _, f := range fate(t, tt.imp, n) {
				i := int(binary.BigEndian.Uint32(f[20:]))
				if !bytes.Equal(f, numbered(i)) || i >= n {
					corrupt++
					continue
				}
				if seen[i]++; seen[i] == 2 {
					twice++
				}
				if i < last {
					late++
				}
				last = max(last, i)
			}
			lost := n - len(seen) - corrupt
			for _, c := range []struct {
				name string
				got  int
				want bool
			}{{"lost", lost, tt.lost}, {"twice", twice, tt.twice}, {"late", late, tt.late}, {"corrupt", corrupt, tt.unreadable}} {
				low, high := 0, 0
				if c.want { // around one in ten
					low, high = n/14, n/6
				}
				if c.got < low || c.got > high {
					t.Errorf("%d frames %s of %d, want %d to %d", c.got, c.name, n, low, high)
				}
			}
		})
	}
	hash := func(seed uint64) string {
		h := sha256.New()
		imp := all
		imp.Seed = seed
		for _, f := range fate(t, imp, 2000) {
			h.Write(f)
		}
		return fmt.Sprintf("%x", h.Sum(nil))
	}
	if a, b := hash(7), hash(7); a != b {
		t.Error("the same seed does not give the same fate")
	}
	if hash(7) == hash(8) {
		t.Error("another seed gives the same fate")
	}
}

func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWire(Options{AtoB: Impairment{Delay: time.Second}})
		start := time.Now()
		for i := range 3 {
			send(t, w.A, numbered(i))
			time.Sleep(100 * time.Millisecond)
		}
		for i := range 3 {
			got := receive(t, w.B)
			if len(got) != 1 || !bytes.Equal(got[0], numbered(i)) {
				t.Fatalf("received %d frames, want frame %d alone", len(got), i)
			}
			if at, want := time.Since(start), time.Second+time.Duration(i)*100*time.Millisecond; at != want {
				t.Errorf("frame %d arrived after %v, want %v", i, at, want)
			}
		}
	})
}

func TestWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWire(Options{})
		w.A.Wake()
		if got := receive(t, w.A); len(got) != 0 { // before
			t.Error("frames from nowhere")
		}
		done := make(chan error)
		go func() { done <- w.A.Receive(func([]frame.Frame) { t.Error("a batch from nowhere") }) }()
		synctest.Wait()
		select {
		case <-done:
			t.Fatal("Receive did not wait")
		default:
		}
		w.A.Wake()
		if err := <-done; err != nil {
			t.Error(err)
		}
		go func() { done <- w.A.Receive(nil) }()
		synctest.Wait()
		for range 2 {
			if err := w.A.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Receive while closed: %v", err)
		}
		if err := w.A.Receive(nil); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Receive after Close: %v", err)
		}
		send(t, w.B, numbered(1)) // to nobody
	})
}

func TestSetDown(t *testing.T) {
	w := NewWire(Options{})
	w.SetDown(true)
	send(t, w.A, numbered(1))
	w.SetDown(false)
	send(t, w.A, numbered(2))
	if got := receive(t, w.B); len(got) != 1 || !bytes.Equal(got[0], numbered(2)) {
		t.Errorf("received %x, want frame 2 alone", got)
	}
}

func TestOverflow(t *testing.T) {
	w := NewWire(Options{Buffers: 4})
	for round := range 3 {
		for i := range 6 {
			send(t, w.A, numbered(i))
		}
		if got := receive(t, w.B); len(got) != 4 {
			t.Errorf("received %d frames, want the 4 there is room for", len(got))
		}
		if got, want := w.B.Overflows(), uint64(2*(round+1)); got != want {
			t.Errorf("%d overflows, want %d", got, want)
		}
	}
}

func TestParts(t *testing.T) {
	w := NewWire(Options{Parts: 25})
	long := bytes.Repeat([]byte("0123456789"), 100)
	send(t, w.A, numbered(1), long, long[:25], long[:26])
	got := receive(t, w.B)
	if len(got) != 4 || !bytes.Equal(got[1], long) || len(got[2]) != 25 || len(got[3]) != 26 {
		t.Errorf("received %d frames, or other ones than were sent", len(got))
	}
}

func TestBuffers(t *testing.T) {
	w := NewWire(Options{Buffers: 3})
	bufs := make([][]byte, 5)
	for range 3 {
		if n := w.A.Reserve(bufs); n != 3 {
			t.Fatalf("%d buffers, want 3", n)
		}
		if len(bufs[0]) != w.A.Info().MaxFrame {
			t.Errorf("buffers of %d bytes, want %d", len(bufs[0]), w.A.Info().MaxFrame)
		}
		copy(bufs[1], numbered(1))
		if err := w.A.Submit([]int{0, 64}); err != nil {
			t.Fatal(err)
		}
		if got := receive(t, w.B); len(got) != 1 || !bytes.Equal(got[0], numbered(1)) {
			t.Errorf("received %d frames, want the one with a length", len(got))
		}
	}
	if w.A.Reserve(bufs[:1]); w.A.Submit([]int{1, 1}) == nil {
		t.Error("more submitted than was reserved")
	}
	if w.A.Reserve(bufs[:1]); w.A.Submit([]int{5000}) == nil {
		t.Error("a frame longer than a buffer was submitted")
	}
	if w.A.Info().MAC == w.B.Info().MAC {
		t.Error("both ends have one hardware address")
	}
}

// TestOverwritten shows that who keeps a frame keeps rubbish.
func TestOverwritten(t *testing.T) {
	w := NewWire(Options{})
	send(t, w.A, numbered(1))
	var kept []byte
	if err := w.B.Receive(func(f []frame.Frame) { kept = f[0].B }); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(kept, numbered(1)) {
		t.Error("a frame is valid after Receive")
	}
}
