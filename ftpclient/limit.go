package ftpclient

import (
	"io"
	"time"

	"golang.org/x/time/rate"
)

// A Limiter holds the data connections that share it to a number of bytes per
// second: all of them together, in both directions, lists too. Commands and
// replies are not counted, nor is what TLS adds. It is shared by putting it into
// the [Config] of several Clients or Conns. Its methods may be called by several
// goroutines at once.
//
// It holds back this side. The server of a download may still send as fast as
// the network takes it, until the buffers between here and there are full.
type Limiter struct{ tokens *rate.Limiter }

const (
	// What moves at a time is what the rate has for a turn, so that it moves
	// evenly, and so that each connection gets some of it.
	turn = time.Second / 20

	minTurn = 1400     // bytes; less would be mostly headers
	maxTurn = 64 << 10 // more would not be faster
)

// NewLimiter returns a Limiter of that many bytes per second. If that is not
// positive, there is no limit until [Limiter.SetRate] sets one.
func NewLimiter(bytesPerSecond int64) *Limiter {
	l := &Limiter{rate.NewLimiter(rate.Inf, maxTurn)}
	l.SetRate(bytesPerSecond)
	return l
}

// SetRate sets the bytes per second of what moves from now on; a piece that
// waits for its turn waits as long as the rate before has it. If bytesPerSecond
// is not positive, there is no limit.
func (l *Limiter) SetRate(bytesPerSecond int64) {
	limit := rate.Limit(bytesPerSecond)
	if bytesPerSecond <= 0 {
		limit = rate.Inf
	}
	l.tokens.SetLimit(limit)
	l.tokens.SetBurst(int(min(max(float64(limit)*turn.Seconds(), minTurn), 1<<30)))
}

// most returns the number of bytes that move at a time.
func (l *Limiter) most() int { return min(l.tokens.Burst(), maxTurn) }

// wait returns when n bytes may move, or when hurry is closed.
func (l *Limiter) wait(n int, hurry <-chan struct{}) {
	for n > 0 {
		now := time.Now()
		piece := min(n, l.most())
		due := l.tokens.ReserveN(now, piece)
		if !due.OK() {
			continue // the rate has just become less than that
		}
		n -= piece
		delay := due.DelayFrom(now)
		if delay <= 0 {
			continue
		}
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-hurry:
			timer.Stop()
			return
		}
	}
}

// A pacedReader reads no faster than its Limiter lets it.
type pacedReader struct {
	r io.Reader
	l *Limiter
	m *meter
}

func (pr *pacedReader) Read(p []byte) (int, error) {
	n, err := pr.r.Read(p[:min(len(p), pr.l.most())])
	if n > 0 {
		pr.m.enter() // nobody is to blame for the wait
		pr.l.wait(n, pr.m.hurry)
		pr.m.leave()
	}
	return n, err
}
