package ftpclient

import "time"

const (
	// gainEvery is how often the rate of a transfer is looked at that chooses its
	// number of connections itself.
	gainEvery = 500 * time.Millisecond

	// gainSettles is how long a connection that was added is let be before the
	// rate counts, for its login and the slow start of its TCP, and gainWindow how
	// long the rate is measured then.
	gainSettles = time.Second
	gainWindow  = time.Second

	// gainWorth is by how much the rate has to grow for one more connection.
	gainWorth = 1.1

	// gainMost is the most connections that are ever chosen: servers count those
	// of an address.
	gainMost = 8
)

// A gain decides whether one more connection pays, by the rate with it and the rate
// without. It has no clock of its own. The zero gain begins with one connection.
type gain struct {
	conns   int     // that there are to be, or 0 before the first sample
	rate    float64 // bytes a second with one connection less, or 0
	begun   time.Time
	counted int64 // bytes at the time when the window began
	open    bool  // a window has begun
	over    bool  // there will be no more
}

// sample notes that so many bytes have moved by now, over so many connections that
// are under way, and whether the server has refused one. It returns true if there
// is to be one more.
func (g *gain) sample(now time.Time, bytes int64, running int, refused bool) bool {
	switch {
	case g.over:
		return false
	case refused:
		g.over = true
		return false
	case g.conns == 0:
		g.conns, g.begun = 1, now
		return false
	case !g.open && now.Sub(g.begun) < gainSettles, g.open && now.Sub(g.begun) < gainWindow:
		return false
	case !g.open:
		g.open, g.begun, g.counted = true, now, bytes
		return false
	}
	rate := float64(bytes-g.counted) / now.Sub(g.begun).Seconds()
	if running < g.conns || rate <= 0 || rate < g.rate*gainWorth || g.conns == gainMost {
		g.over = true // the last one has not even begun, or it does not pay
		return false
	}
	g.rate, g.open, g.begun = rate, false, now
	g.conns++
	return true
}
