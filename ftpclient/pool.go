package ftpclient

import (
	"context"
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
	limit   int             // connections, as many as the server seems to allow
	waiting [2][]chan *Conn // by priority; each gets a connection, or nil to look again
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
)

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
// as many as there can be. If no further one can be opened, it waits too; it
// fails only if there is none at all.
func (p *pool) get(ctx context.Context, prio priority) (*Conn, error) {
	for {
		p.mu.Lock()
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
		case p.open() < p.limit:
			p.opening++
			p.mu.Unlock()
			conn, err := p.connect(ctx)
			if err == nil {
				return conn, nil
			}
			if !p.fewer(ctx) {
				return nil, err
			}
		default:
			turn := make(chan *Conn, 1)
			p.waiting[prio] = append(p.waiting[prio], turn)
			p.mu.Unlock()
			if conn := p.await(ctx, prio, turn); conn != nil {
				return conn, nil
			}
		}
	}
}

// alive reports whether an idle connection still works.
func (p *pool) alive(ctx context.Context, idle idleConn) bool {
	if !idle.conn.Usable() {
		return false
	}
	return time.Since(idle.since) < stale || idle.conn.Noop(ctx) == nil
}

// connect opens a connection, which p.opening counts already.
func (p *pool) connect(ctx context.Context) (*Conn, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(p.ctx, func() { cancel(ErrClosed) })
	defer stop()
	conn, err := p.client.connect(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opening--
	switch {
	case err == nil && p.closed:
		_ = conn.Close() // it has done nothing yet
		return nil, ErrClosed
	case err == nil:
		p.client.site.teach(conn)
		p.busy[conn] = true
		return conn, nil
	case p.closed:
		return nil, ErrClosed
	default:
		p.wake(nil)
		return nil, err
	}
}

// fewer makes do with the connections that there are, if there are any.
func (p *pool) fewer(ctx context.Context) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ctx.Err() != nil || p.closed || p.open() == 0 {
		return false
	}
	p.limit = p.open()
	return true
}

// await waits until it is this one's turn. It returns nil if it is time to look
// again.
func (p *pool) await(ctx context.Context, prio priority, turn chan *Conn) *Conn {
	select {
	case conn := <-turn:
		return conn
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
