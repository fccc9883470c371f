package ftpclient

import (
	"context"
	"errors"
	"fmt"
)

// abort ends a transfer that the server has not finished, and brings the
// control connection back into order. closeData must end the data connection.
// The error wraps ErrConnUnusable. ctx may be done; it only carries values.
//
// RFC 959, Section 4.1.3: there are two replies, 426 to the transfer and 226
// or 225 to ABOR. Some servers give only one of them, and one that is not
// transferring any more may have given both 226s. PWD is sent to find the end:
// no other command is answered by 257.
func (c *Conn) abort(ctx context.Context, closeData func()) error {
	if c.cfg.AbortTimeout < 0 {
		closeData()
		return unusableBecause(c.fail(errNoAbort))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.cfg.AbortTimeout)
	defer cancel()
	err := c.abortCommand(ctx, "ABOR")
	closeData()
	if err != nil {
		return unusableBecause(c.fail(err))
	}
	if _, err := c.abortReply(ctx); err != nil {
		return unusableBecause(c.fail(err))
	}
	if err := c.abortCommand(ctx, "PWD"); err != nil {
		return unusableBecause(c.fail(err))
	}
	// To ABOR, if the first was to the transfer, and to PWD. Those to NOOPs come
	// before that.
	mostReplies := 2 + c.noops
	c.noops = 0
	for range mostReplies {
		last, err := c.abortReply(ctx)
		if err != nil {
			return unusableBecause(c.fail(err))
		}
		if last.Code == 257 {
			break
		}
	}
	return nil
}

var errNoAbort = errors.New("transfer broken off without ABOR")

func (c *Conn) abortCommand(ctx context.Context, line string) error {
	c.traceCommand(line)
	return c.ctl.write(ctx, c.cfg.AbortTimeout, line)
}

// abortReply returns the next reply that is not preliminary.
func (c *Conn) abortReply(ctx context.Context) (Reply, error) {
	for {
		reply, err := c.wait(ctx, StepReply)
		switch {
		case ctx.Err() != nil && err != nil:
			return Reply{}, fmt.Errorf("no reply to ABOR within %v", c.cfg.AbortTimeout)
		case err != nil:
			return Reply{}, err
		case reply.Code == codeClosing:
			return Reply{}, reply.refuse("ABOR")
		case !reply.preliminary():
			return reply, nil
		}
	}
}
