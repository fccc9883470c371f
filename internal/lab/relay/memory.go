package relay

import "time"

// A pool holds frame buffers of one size. The one that was used last is given
// out first: it is in the cache.
type pool struct {
	size int
	free [][]byte
}

// get returns a buffer with its full length.
func (p *pool) get() []byte {
	if n := len(p.free); n > 0 {
		b := p.free[n-1]
		p.free = p.free[:n-1]
		return b
	}
	return make([]byte, p.size)
}

// put takes back a buffer that get returned, or the beginning of it.
func (p *pool) put(b []byte) { p.free = append(p.free, b[:p.size]) }

// pending is a frame and the time at which it leaves.
type pending struct {
	b   []byte
	due time.Duration
}

// A fifo is a queue on a ring that grows.
type fifo struct {
	ring  []pending // its length is 0 or a power of two
	first int
	n     int
}

func (f *fifo) len() int { return f.n }

// at returns the i-th element from the front.
func (f *fifo) at(i int) *pending { return &f.ring[(f.first+i)&(len(f.ring)-1)] }

func (f *fifo) push(p pending) {
	if f.n == len(f.ring) {
		ring := make([]pending, max(64, 2*len(f.ring)))
		for i := range f.n {
			ring[i] = *f.at(i)
		}
		f.ring, f.first = ring, 0
	}
	f.n++
	*f.at(f.n - 1) = p
}

// pop removes the front; there has to be one.
func (f *fifo) pop() pending {
	p := *f.at(0)
	*f.at(0) = pending{}
	f.first = (f.first + 1) & (len(f.ring) - 1)
	f.n--
	return p
}
