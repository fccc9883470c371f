package ftpclient

import (
	"context"
	"time"
)

// A watch looks after a step on the data connection while its owner is blocked
// in that step: at the context, at the control connection, and at progress.
type watch struct {
	c         *Conn
	step      Step
	meter     *meter
	interrupt func(wait time.Duration) // makes the step return, not before wait

	every time.Duration // a NOOP is sent, if positive

	// Results, for the owner after the step.
	reply *Reply // the last reply to the transfer command, if it came
	cause error  // why the step was interrupted, unless by reply

	stop, done chan struct{}
}

// guard runs f, a step of a transfer whose last reply so far is final (nil if
// it has not come). If the step is in vain, interrupt is called, which must
// make f return: at once, or within the wait that it is given. The goroutine that
// watches has ended when guard returns.
func (c *Conn) guard(ctx context.Context, step Step, m *meter, final *Reply, interrupt func(wait time.Duration), f func() error) (*watch, error) {
	m.hurry = make(chan struct{})
	w := &watch{
		c: c, step: step, meter: m, interrupt: interrupt, reply: final,
		every: c.beatEvery(step), stop: make(chan struct{}), done: make(chan struct{}),
	}
	go w.run(ctx)
	err := f()
	close(w.stop)
	<-w.done
	return w, err
}

// afterRefusal is how long the data connection is still listened to after the
// server has refused the rest.
const afterRefusal = 500 * time.Millisecond

// run watches until the step is over or in vain.
//
// A reply that refuses the transfer ends the step, because the server may not
// close the data connection, or never open it; but what is on its way may
// still come, and with it the reason. A positive reply does not end it.
func (w *watch) run(ctx context.Context) {
	defer close(w.done)
	const looks = 4 // within one timeout
	tick := time.NewTicker(max(w.c.cfg.Timeout/looks, 1))
	defer tick.Stop()
	var beat <-chan time.Time
	if w.every > 0 {
		beats := time.NewTicker(w.every)
		defer beats.Stop()
		beat = beats.C
	}
	replies := w.c.ctl.replies
	if w.reply != nil {
		replies = nil // whatever comes now is for settle to judge
	}
	seen, still := w.meter.position(), 0
	for {
		select {
		case <-w.stop:
			return
		case <-ctx.Done():
			w.cause = ctx.Err()
		case reply, ok := <-replies:
			reply, err := w.c.took(reply, ok)
			switch {
			case err != nil:
				w.cause = err
			case reply.preliminary() || w.c.beaten(reply) || w.c.swallow(reply):
				if w.c.beatless {
					beat = nil
				}
				continue
			case reply.class() == 2:
				w.reply, replies = &reply, nil
				continue
			default:
				w.reply, replies = &reply, nil
				w.end(min(afterRefusal, w.c.cfg.Timeout))
				continue
			}
		case <-beat:
			if replies == nil {
				continue // it is over, but for the data
			}
			if w.cause = w.c.beat(ctx); w.cause == nil {
				continue
			}
		case <-tick.C:
			if now := w.meter.position(); now != seen || w.meter.local.Load() {
				seen, still = now, 0
				continue
			}
			if still++; still < looks {
				continue
			}
			w.cause = &TimeoutError{Step: w.step, Wait: w.c.cfg.Timeout}
		}
		w.end(0)
		return
	}
}

// end interrupts the step, also where it waits for a Limiter.
func (w *watch) end(wait time.Duration) {
	w.interrupt(wait)
	select {
	case <-w.meter.hurry: // it was interrupted before
	default:
		close(w.meter.hurry)
	}
}

// interrupted reports whether the step was ended by the watch, or should have
// been.
func (w *watch) interrupted() bool {
	return w.cause != nil || w.reply != nil && w.reply.class() != 2
}
