package relay

import (
	"math"
	"math/rand/v2"
	"time"
)

const (
	// HeaderLen is the length of an Ethernet header, in bytes.
	HeaderLen = 14

	// overtake is how many frames overtake one that is reordered.
	overtake = 3

	// holdLongest is how long a reordered frame waits for others to overtake
	// it. It goes on then: nobody might send any more.
	holdLongest = 10 * time.Millisecond

	// inFlight limits the bytes that the frames of a direction occupy.
	inFlight = 64 << 20
)

// never is a time that does not come.
const never = time.Duration(math.MaxInt64)

// A pipe is one direction. Its times are from any fixed origin. It owns the
// frames between enter and leave.
type pipe struct {
	imp     Impairment
	rng     *rand.Rand
	queue   int // bytes that may wait for the bottleneck
	longest int // frames in the line at most
	pool    *pool

	held []held        // reordered frames, the oldest first
	line fifo          // the others: none overtakes another, whatever set does to Delay
	busy time.Duration // until when the bottleneck has work

	n Counters
}

// held is a frame that others overtake.
type held struct {
	b     []byte
	after int // frames that still overtake it
	until time.Duration
}

// newPipe returns the pipe of a direction, 1 or 2. Each has a generator of its
// own.
func newPipe(p *pool, direction uint64, imp Impairment) *pipe {
	q := &pipe{pool: p, longest: inFlight / p.size}
	q.set(direction, imp)
	return q
}

// set replaces what happens to the frames that enter from now on.
func (p *pipe) set(direction uint64, imp Impairment) {
	p.imp = imp
	p.rng = rand.New(rand.NewPCG(imp.Seed, direction))
	p.queue = imp.QueueBytes(p.pool.size)
}

// enter takes a frame of the pool that arrived at a time.
func (p *pipe) enter(b []byte, at time.Duration) {
	p.n.Received++
	// The numbers are drawn for every frame, so that the fate of one does not
	// shift the fates of those that follow.
	lose, duplicate, reorder, corrupt := p.rng.Float64(), p.rng.Float64(), p.rng.Float64(), p.rng.Float64()
	bit := p.rng.Uint64()

	if lose < p.imp.Loss {
		p.n.Lost++
		p.pool.put(b)
		p.pass(at)
		return
	}
	if corrupt < p.imp.Corrupt && len(b) > HeaderLen {
		at := bit % uint64(8*(len(b)-HeaderLen))
		b[HeaderLen+at/8] ^= 1 << (at % 8)
		p.n.Corrupted++
	}
	if duplicate < p.imp.Duplicate {
		p.n.Duplicated++
		second := p.pool.get()
		p.hold(second[:copy(second, b)], at, reorder < p.imp.Reorder)
	}
	p.hold(b, at, reorder < p.imp.Reorder)
	p.pass(at)
}

// hold puts a frame on the line, or among those that are overtaken.
func (p *pipe) hold(b []byte, at time.Duration, reorder bool) {
	if !reorder {
		p.push(b, at)
		return
	}
	p.n.Reordered++
	p.held = append(p.held, held{b, overtake, at + holdLongest})
}

// pass lets one more frame overtake the held ones.
func (p *pipe) pass(at time.Duration) {
	kept := p.held[:0]
	for _, h := range p.held {
		if h.after--; h.after < 0 {
			p.push(h.b, at)
			continue
		}
		kept = append(kept, h)
	}
	p.held = kept
}

// push puts a frame on the line, unless there is no room.
func (p *pipe) push(b []byte, at time.Duration) {
	if p.imp.Rate > 0 {
		start := max(p.busy, at)
		waiting := (start - at).Seconds() * float64(p.imp.Rate) / 8
		if waiting+float64(len(b)) > float64(p.queue) {
			p.n.Overflowed++
			p.pool.put(b)
			return
		}
		at = start + time.Duration(int64(len(b))*8*int64(time.Second)/p.imp.Rate)
		p.busy = at
	}
	if p.line.len() >= p.longest {
		p.n.Overflowed++
		p.pool.put(b)
		return
	}
	p.line.push(pending{b, at + p.imp.Delay})
}

// due moves frames that are due at a time into bufs and returns their number.
// They stay in the line until leave.
func (p *pipe) due(bufs [][]byte, now time.Duration) int {
	for len(p.held) > 0 && p.held[0].until <= now {
		p.push(p.held[0].b, now)
		p.held = append(p.held[:0], p.held[1:]...)
	}
	n := 0
	for n < len(bufs) && n < p.line.len() && p.line.at(n).due <= now {
		bufs[n] = p.line.at(n).b
		n++
	}
	return n
}

// leave ends the way of the first n frames of the line.
func (p *pipe) leave(n int) {
	for range n {
		p.pool.put(p.line.pop().b)
	}
}

// next returns when there is something to do without a new frame.
func (p *pipe) next() time.Duration {
	at := never
	if p.line.len() > 0 {
		at = p.line.at(0).due
	}
	if len(p.held) > 0 {
		at = min(at, p.held[0].until)
	}
	return at
}
