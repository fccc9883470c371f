package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// unimplemented holds the codes that mean that the server does not know a
// command at all (RFC 959, Section 4.2.2; 522 is RFC 2428, Section 3), so that
// it need not be asked again. 501 and 504 may be about the argument.
var unimplemented = map[int]bool{500: true, 502: true, 522: true}

// Command sends a command of the caller's own, such as "SITE CHMOD 644 x", and
// returns the last reply to it. A refusal is returned both as the Reply and as
// a [*ReplyError]. It must not be a command that opens a data connection. It
// returns an [*ArgumentError] if line has a CR, LF or NUL. The cached type and
// features are forgotten, since line may change them.
func (c *Conn) Command(ctx context.Context, line string) (Reply, error) {
	verb, arg, _ := strings.Cut(line, " ")
	c.sent, c.features, c.strayed = 0, nil, true
	if secretVerbs[strings.ToUpper(verb)] {
		c.secret = arg
		defer func() { c.secret = "" }()
	}
	reply, err := c.exchange(ctx, verb, arg)
	if err == nil && reply.class() != 2 && reply.class() != 3 {
		err = reply.refuse(maskCommand(line))
	}
	return reply, operation("command", err)
}

// Noop asks the server for nothing but a reply.
func (c *Conn) Noop(ctx context.Context) error {
	_, err := c.do(ctx, "NOOP", "")
	return operation("noop", err)
}

// operation names the operation that err comes from.
func operation(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("ftpclient: %s: %w", name, err)
}

// do sends a command and expects it to be completed (2yz).
func (c *Conn) do(ctx context.Context, verb, arg string) (Reply, error) {
	return c.expect(ctx, 2, verb, arg)
}

// expect sends a command and expects a reply of class, or else returns a
// *ReplyError.
func (c *Conn) expect(ctx context.Context, class int, verb, arg string) (Reply, error) {
	reply, err := c.exchange(ctx, verb, arg)
	if err != nil {
		return Reply{}, err
	}
	if reply.class() != class {
		return Reply{}, reply.refuse(maskCommand(commandLine(verb, arg)))
	}
	return reply, nil
}

// exchange sends a command and returns the last reply to it, of any class.
func (c *Conn) exchange(ctx context.Context, verb, arg string) (Reply, error) {
	if err := c.send(ctx, verb, arg); err != nil {
		return Reply{}, err
	}
	return c.final(ctx)
}

// final waits for the last reply to a command that was sent. If ctx ends the
// wait, the reply is owed and will be skipped.
func (c *Conn) final(ctx context.Context) (Reply, error) {
	for {
		reply, err := c.wait(ctx, StepReply)
		if err != nil {
			if ctx.Err() != nil && c.unusable() == nil {
				c.owed++
			}
			return Reply{}, err
		}
		if !reply.preliminary() && !c.beaten(reply) && !c.swallow(reply) {
			return reply, nil
		}
	}
}

// send brings the control connection into order and sends a command. Every
// command passes here, and with it every argument.
func (c *Conn) send(ctx context.Context, verb, arg string) error {
	if err := checkArgument(verb, arg); err != nil {
		return err
	}
	if verb := strings.ToUpper(verb); named[verb] {
		if err := c.checkTaken(verb, arg); err != nil {
			return err
		}
	}
	if err := c.settle(ctx); err != nil {
		return err
	}
	return c.write(ctx, commandLine(verb, arg))
}

// write sends lines, whose arguments are known to be good, in one piece.
func (c *Conn) write(ctx context.Context, lines ...string) error {
	if due := c.preface.due; len(due) > 0 {
		c.preface.due, c.preface.pending = nil, c.preface.pending+len(due)
		lines = append(due, lines...)
	}
	for _, line := range lines {
		c.traceCommand(line)
	}
	err := c.ctl.write(ctx, c.cfg.Timeout, c.toWire(strings.Join(lines, "\r\n")))
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return unusableBecause(c.fail(err)) // half a command may have been sent
	}
	if !isTimeout(err) {
		// A server that closes the connection may have said why.
		reply, waitErr := c.wait(ctx, StepReply)
		var violated *TLSError
		switch {
		case waitErr == nil && reply.class() >= 4:
			err = fmt.Errorf("%w: %w", reply.refuse(maskCommand(lines[0])), err)
		case errors.As(waitErr, &violated):
			err = waitErr
		}
	}
	return c.fail(err)
}

// settle skips the replies that are owed and then insists on silence: with a
// reply too many, each command would be judged by the answer to another one.
func (c *Conn) settle(ctx context.Context) error {
	if err := c.unusable(); err != nil {
		return unusableBecause(err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	for c.owed > 0 {
		reply, err := c.wait(ctx, StepReply)
		if err != nil {
			return err
		}
		if !reply.preliminary() {
			c.owed--
		}
	}
	select {
	case reply, ok := <-c.ctl.replies:
		reply, err := c.took(reply, ok)
		switch {
		case err != nil:
			return unusableBecause(err)
		case reply.Code == codeClosing:
			return unusableBecause(reply.refuse(""))
		}
		return unusableBecause(c.fail(&ProtocolError{
			Problem: "a reply that nothing asked for",
			Line:    shorten(fmt.Sprintf("%03d %s", reply.Code, reply.Lines[0])),
		}))
	default:
		return c.openPreface(ctx)
	}
}

// unusableBecause wraps ErrConnUnusable and the reason.
func unusableBecause(err error) error {
	if errors.Is(err, ErrConnUnusable) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrConnUnusable, err)
}

// commandLine joins a verb and its argument, which may be empty.
func commandLine(verb, arg string) string {
	if arg == "" {
		return verb
	}
	return verb + " " + arg
}

// checkArgument refuses what would be more than one command, or none.
func checkArgument(verb, arg string) error {
	if verb == "" || strings.ContainsAny(verb, "\r\n\x00") {
		return &ArgumentError{Command: "command", Problem: "is not a verb"}
	}
	if strings.ContainsAny(arg, "\r\n") {
		return &ArgumentError{Command: verb, Problem: "has a line break in it"}
	}
	if strings.ContainsRune(arg, 0) {
		return &ArgumentError{Command: verb, Problem: "has a NUL in it"}
	}
	return nil
}
