package ftpclient

import (
	"context"
	"errors"
	"time"
)

const (
	// firstRegain is how long the pool makes do with fewer connections before it
	// tries one more, and mostRegain what that grows to while the server refuses
	// it.
	firstRegain = 15 * time.Second
	mostRegain  = 5 * time.Minute
)

// A room is how many connections the server seems to allow: fewer at once when
// it refuses one, more one at a time.
type room struct {
	conns   int       // that it allows, or 0 if it has refused none
	probe   time.Time // when one more is tried
	probing bool      // one more is being tried
	refused int       // how many of those the server has refused in a row
}

// shrink leaves room for conns connections, but at least one.
func (r *room) shrink(conns int) {
	if r.probing {
		r.probing = false
		r.refused++
	}
	wait := firstRegain
	for range r.refused {
		wait = min(2*wait, mostRegain)
	}
	r.conns, r.probe = max(conns, 1), time.Now().Add(wait)
}

// grow makes room for one more, to see whether the server allows it.
func (r *room) grow() {
	r.conns++
	r.probe, r.probing = time.Now().Add(firstRegain), true
}

// granted notes that the server has let one in.
func (r *room) granted() {
	if r.probing {
		r.probing, r.refused = false, 0
	}
}

// An outage is what the pool knows of a site that it cannot connect to.
type outage struct {
	failed int       // attempts in a row; those made at the same time count once
	rounds int       // such attempts, ever
	over   time.Time // when it is tried again
	err    error     // of the last
}

// mayOpen reports whether one more connection can be opened now. If not, wait is
// set to when that may be, unless somebody wakes those who wait. The caller holds
// mu.
func (p *pool) mayOpen(wait *time.Duration) bool {
	switch open := p.open(); {
	case open >= p.limit:
		return false
	case p.outage.failed > 0 && p.opening > 0:
		return false // one attempt is enough to see whether the site is back
	case p.outage.failed > 0:
		*wait = time.Until(p.outage.over)
	case p.room.conns == 0 || open < p.room.conns:
		return true
	default:
		*wait = time.Until(p.room.probe)
		if *wait <= 0 {
			p.room.grow()
		}
	}
	return *wait <= 0
}

// full reports whether there is no room for one more connection.
func (p *pool) full() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.room.conns > 0 || p.open() >= p.limit && len(p.idle) == 0
}

// connect opens a connection, which p.opening counts already.
func (p *pool) connect(ctx context.Context) (*Conn, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(p.ctx, func() { cancel(ErrClosed) })
	defer stop()
	return p.client.connect(ctx)
}

// opened notes what became of an attempt to connect, which began in a round of
// the outage; whoever made it has waited since the round before. It returns false
// if he is to look again, and sets err to what he is to know otherwise. The
// caller holds mu.
func (p *pool) opened(ctx context.Context, conn *Conn, err *error, round, before int) bool {
	refused := *err
	established := len(p.idle) + len(p.busy)
	var refusal *ReplyError
	switch {
	case p.closed:
		if refused == nil {
			_ = conn.Close() // it has done nothing yet
		}
		*err = ErrClosed
		return true
	case refused == nil:
		p.client.site.teach(conn)
		p.busy[conn] = true
		if p.outage.failed > 0 {
			p.outage.failed = 0
			p.wakeAll()
		}
		p.room.granted()
		return true
	case ctx.Err() != nil:
		p.wake(nil) // somebody else's may succeed
		return false
	case established > 0, p.opening > 0 && errors.As(refused, &refusal):
		p.room.shrink(p.open())
		p.wake(nil)
		return false
	}
	again := p.worthwhile(refused)
	if round == p.outage.rounds {
		p.outage.rounds++
		if again {
			p.outage.failed++
			p.outage.err = refused
			p.outage.over = time.Now().Add(backoff(p.client.cfg.RetryWait, p.outage.failed))
		}
	}
	p.wakeAll()
	if again && p.outage.rounds-before <= p.client.retries() {
		return false
	}
	*err = p.unreachable(before, refused)
	return true
}

// unreachable is the error of a site that was tried since the round before.
func (p *pool) unreachable(before int, err error) error {
	return &ConnectError{Address: p.client.url.Address(), Tries: max(p.outage.rounds-before, 1), Err: err}
}

// worthwhile reports whether to connect may succeed later. Where nobody has ever
// been let in, a server that does not answer is more likely the wrong one than
// one that is down.
func (p *pool) worthwhile(err error) bool {
	var unanswered *dialError
	return transient(err) && (p.client.site.admitted() || !errors.As(err, &unanswered))
}

// dropped notes that conn, which was open, is of no more use. If that is because
// the server has too many connections, there will be fewer. The caller holds mu.
func (p *pool) dropped(conn *Conn) {
	var refusal *ReplyError
	if errors.As(conn.unusable(), &refusal) && refusal.Code == codeClosing && crowded(refusal) {
		p.room.shrink(p.open())
	}
}
