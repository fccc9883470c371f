package ftpclient

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"
)

// A pool holds the control connections of a [Client].
type pool struct {
	client *Client
	ctx    context.Context // ends with the pool
	cancel context.CancelFunc

	mu      sync.Mutex
	closed  bool
	idle    []idleConn // the one used last is last
	busy    map[*Conn]bool
	opening int
	limit   int             // connections, as many as the caller allows
	waiting [2][]chan *Conn // by priority; each gets a connection, or nil to look again
	room    room
	outage  outage
}

type idleConn struct {
	conn  *Conn
	since time.Time
}

// A priority says who gets the next connection.
type priority int

const (
	urgent  priority = iota // whoever waits for one answer
	patient                 // one of several workers on the same work
	beside                  // whoever holds one already, and would wait for himself: he gets errNoRoom instead
)

// errNoRoom is the end of a wait that would have been for a connection which others,
// or the same, have.
var errNoRoom = errors.New("no further connection can be had")

// stale is how long a connection may be idle before it is tried with NOOP: a
// server that dropped it may have been unable to say so.
const stale = 15 * time.Second

func (p *pool) init(c *Client) {
	p.client = c
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.busy = make(map[*Conn]bool)
	p.limit = c.cfg.MaxConns
	if p.limit <= 0 {
		p.limit = math.MaxInt
	}
	c.site.entry = make(chan struct{}, 1)
	c.site.without = make(map[string]bool)
}

// open returns how many connections there are. The caller holds mu.
func (p *pool) open() int { return len(p.idle) + len(p.busy) + p.opening }

// get returns a connection. It opens one if none is idle, or waits if there are
// as many as there can be. If no further one can be opened, it waits too. If
// there is none at all, it tries again where that may help, and returns a
// *ConnectError in the end. Whoever is beside never waits for others.
func (p *pool) get(ctx context.Context, prio priority) (*Conn, error) {
	p.mu.Lock()
	if p.opening == 0 && len(p.waiting[urgent]) == 0 && len(p.waiting[patient]) == 0 {
		p.outage.failed = 0 // nobody has to wait for what he has not seen
	}
	before := p.outage.rounds
	for { // with mu locked
		var wait time.Duration
		switch n := len(p.idle); {
		case p.closed:
			p.mu.Unlock()
			return nil, ErrClosed
		case ctx.Err() != nil:
			p.mu.Unlock()
			return nil, ctx.Err()
		case n > 0:
			next := p.idle[n-1]
			p.idle = p.idle[:n-1]
			p.busy[next.conn] = true
			p.mu.Unlock()
			if p.alive(ctx, next) {
				return next.conn, nil
			}
			p.put(next.conn)
			p.mu.Lock()
			continue
		case p.outage.failed > 0 && p.outage.rounds-before > p.client.retries():
			err := p.unreachable(before, p.outage.err)
			p.mu.Unlock()
			return nil, err
		case p.mayOpen(&wait):
			round := p.outage.rounds
			p.opening++
			p.mu.Unlock()
			conn, err := p.connect(ctx)
			p.mu.Lock()
			p.opening--
			if p.opened(ctx, conn, &err, round, before) {
				p.mu.Unlock()
				return conn, err
			}
			continue
		}
		if prio == beside {
			p.mu.Unlock()
			return nil, errNoRoom
		}
		turn := make(chan *Conn, 1)
		p.waiting[prio] = append(p.waiting[prio], turn)
		p.mu.Unlock()
		if conn := p.await(ctx, prio, turn, wait); conn != nil {
			return conn, nil
		}
		p.mu.Lock()
	}
}

// alive reports whether an idle connection still works.
func (p *pool) alive(ctx context.Context, idle idleConn) bool {
	if !idle.conn.Usable() {
		return false
	}
	if time.Since(idle.since) < stale {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, aliveTime)
	defer cancel()
	return idle.conn.Noop(ctx) == nil
}

// aliveTime is how long a connection may take to show that it works. A new one
// is not worth more of a wait.
const aliveTime = 5 * time.Second

// await waits until it is this one's turn. It returns nil if it is time to look
// again, which it is after wait if that is positive.
func (p *pool) await(ctx context.Context, prio priority, turn chan *Conn, wait time.Duration) *Conn {
	var over <-chan time.Time
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case conn := <-turn:
		return conn
	case <-over:
	case <-ctx.Done():
	case <-p.ctx.Done():
	}
	p.mu.Lock()
	i := slices.Index(p.waiting[prio], turn)
	if i >= 0 {
		p.waiting[prio] = slices.Delete(p.waiting[prio], i, i+1)
		p.mu.Unlock()
		return nil
	}
	p.mu.Unlock()
	if conn := <-turn; conn != nil {
		p.put(conn)
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wake(nil) // let another one look
	return nil
}

// wake gives conn to the first of those who wait, or lets him look again if
// conn is nil. It returns false if nobody waits. The caller holds mu.
func (p *pool) wake(conn *Conn) bool {
	for prio := range p.waiting {
		if waiting := p.waiting[prio]; len(waiting) > 0 {
			waiting[0] <- conn
			p.waiting[prio] = waiting[1:]
			return true
		}
	}
	return false
}

// wakeAll lets all who wait look again. The caller holds mu.
func (p *pool) wakeAll() {
	for p.wake(nil) {
	}
}

// wanted reports whether somebody waits who should not wait for long.
func (p *pool) wanted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waiting[urgent]) > 0
}

// put takes a connection back, or closes it if it is of no more use.
func (p *pool) put(conn *Conn) {
	good := conn.Usable() && !conn.strayed && conn.owed == 0
	if good {
		p.client.site.learn(conn)
		conn.want = p.client.url.Type
	}
	p.mu.Lock()
	good = good && !p.closed
	if good && p.wake(conn) {
		p.mu.Unlock()
		return
	}
	delete(p.busy, conn)
	if good {
		p.idle = append(p.idle, idleConn{conn, time.Now()})
	} else {
		p.dropped(conn)
		p.wake(nil)
	}
	p.mu.Unlock()
	if !good {
		_ = conn.Close() // why it is of no use is known
	}
}

// close ends the pool and returns its connections.
func (p *pool) close() (idle, busy []*Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.cancel()
	for _, i := range p.idle {
		idle = append(idle, i.conn)
	}
	for conn := range p.busy {
		busy = append(busy, conn)
	}
	p.idle, p.busy = nil, make(map[*Conn]bool)
	return idle, busy
}
