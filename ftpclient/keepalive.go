package ftpclient

import (
	"context"
	"time"
)

// mostNoops is how many NOOPs may be unanswered in one transfer. There is room for
// their replies, and for others, where replies wait.
const mostNoops = maxReplies / 2

// beatEvery returns how often a NOOP is sent during a step, or 0 for never. None
// is sent to servers that lose commands, or answer out of turn.
func (c *Conn) beatEvery(step Step) time.Duration {
	q := quirksOf(c.greeting)
	if step != StepData || c.refused["NOOP"] || q.eager || q.lockstep {
		return 0
	}
	return max(c.cfg.KeepAlive, 0)
}

// beat sends a NOOP, unless other commands are on their way already: those keep
// the connection alive, and its reply would be among theirs. Whoever sends others
// says so first, and waits until it is written.
func (c *Conn) beat(ctx context.Context) error {
	if c.noops >= mostNoops {
		return nil
	}
	const line = "NOOP"
	sent := false
	err := c.ctl.writeIf(ctx, min(c.cfg.KeepAlive, c.cfg.Timeout), func() bool {
		sent = !c.ahead.Load()
		if sent {
			c.traceCommand(line)
		}
		return sent
	}, line)
	if err != nil {
		return c.fail(err)
	}
	if sent {
		c.noops++
		c.beats++
	}
	return nil
}

// beaten reports whether reply, which came after a transfer had begun, is one to
// a NOOP: 200, or the refusal of a command during a transfer. No transfer that
// has begun ends by one of these (RFC 959, Section 5.4).
func (c *Conn) beaten(reply Reply) bool {
	if c.noops == 0 {
		return false
	}
	switch reply.Code {
	case 200:
	case 450, 500, 501, 502, 503:
		c.beatless = true
	default:
		return false
	}
	c.noops--
	return true
}

// reckon waits until all NOOPs of a transfer are answered, and returns its last
// reply. That is final, or what refuses the transfer behind it: a server that
// answers NOOP with 226 has said nothing of the transfer by that, and 200 is not
// what a transfer ends with where NOOPs were sent. It gives the Conn up if an
// answer does not come.
func (c *Conn) reckon(ctx context.Context, final Reply) (Reply, error) {
	defer func() { c.beats = 0 }()
	for c.noops > 0 {
		reply, err := c.wait(ctx, StepReply)
		if err != nil {
			c.refused["NOOP"] = true // what is begun again has to go without
			return final, c.fail(err)
		}
		if reply.preliminary() || c.beaten(reply) {
			continue
		}
		c.noops--
		if final.class() == 2 {
			final = reply
		}
	}
	if c.beatless {
		c.refused["NOOP"] = true
	}
	if c.beats > 0 && final.Code == 200 {
		return final, c.fail(misplaced(final, "NOOP"))
	}
	return final, nil
}
