package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"
)

// A transfer is one command that moves data, and what became of it.
type transfer struct {
	verb, path string
	offset     int64 // for REST
	upload     bool
	meter      *meter
	open       func() error // called before copy, may be nil
	copy       func(data net.Conn) (int64, error)
	abandon    func(ctx context.Context, closeData func()) error // nil is Conn.abort

	moved    int64 // bytes
	first    Reply // to the command
	early    bool  // the last reply came before the end of the data
	unclosed bool  // a protected data connection ended without close_notify
	last     Reply // the positive one that ended it
}

// errUnclosed is the error of reading a protected data connection whose stream
// ends without close_notify (RFC 8446, Section 6.1): whether that is the end of the
// file is for its size to say.
var errUnclosed = fmt.Errorf("no close_notify: %w", io.ErrUnexpectedEOF)

// run carries a transfer out: nil means that the data connection ended cleanly
// and that the server's last reply was positive.
func (c *Conn) run(ctx context.Context, t *transfer) error {
	data, err := c.openData(ctx)
	if err != nil {
		return err
	}
	defer data.close()
	if err := c.restart(ctx, t.offset); err != nil {
		return err
	}
	if err := c.send(ctx, t.verb, t.path); err != nil {
		return err
	}
	if t.first, err = c.wait(ctx, StepReply); err != nil {
		return c.broken(ctx, t, data, &watch{}, err)
	}
	return c.move(ctx, t, data)
}

// move carries a transfer out after the first reply to its command.
func (c *Conn) move(ctx context.Context, t *transfer, data *dataEnd) error {
	var final *Reply
	switch t.first.class() {
	case 1:
	case 2:
		// Without a preliminary reply; some servers do so for an empty list.
		final = &t.first
	default:
		return t.first.refuse(commandLine(t.verb, t.path))
	}
	c.restDirty = false

	if data.ln != nil {
		w, err := c.guard(ctx, StepAccept, &meter{}, final, func(time.Duration) { data.unlisten() }, func() (err error) {
			data.conn, err = c.accept(data.ln)
			return err
		})
		data.unlisten()
		if err != nil || w.interrupted() {
			return c.broken(ctx, t, data, w, err)
		}
		final = w.reply
	}
	interrupt := func(wait time.Duration) {
		deadline := past
		if wait > 0 {
			deadline = time.Now().Add(wait)
		}
		_ = data.conn.SetDeadline(deadline) // fails on a closed connection only
	}
	if c.tls != nil {
		var secured *secureData
		w, err := c.guard(ctx, StepTLS, &meter{}, final, interrupt, func() (err error) {
			secured, err = c.protectData(data.conn)
			return err
		})
		if err != nil || w.interrupted() {
			return c.broken(ctx, t, data, w, err)
		}
		data.conn, final = secured, w.reply
	}
	if t.open != nil {
		if err := t.open(); err != nil {
			return c.broken(ctx, t, data, &watch{c: c, reply: final}, &localError{err})
		}
	}
	w, err := c.guard(ctx, StepData, t.meter, final, interrupt, func() (err error) {
		t.moved, err = t.copy(data.conn)
		return err
	})
	t.early = w.reply != nil
	if t.unclosed = !t.upload && errors.Is(err, errUnclosed); t.unclosed {
		err = nil
	}
	if err == nil && !w.interrupted() {
		w, err = c.finish(ctx, t, data, w, interrupt)
	}
	if err != nil || w.interrupted() {
		return c.broken(ctx, t, data, w, err)
	}
	wait := data.drain(t.upload)
	err = c.conclude(ctx, t, data, w.reply)
	wait(err != nil)
	return err
}

// conclude waits for the last reply to a transfer whose data has ended cleanly,
// unless it has come already.
func (c *Conn) conclude(ctx context.Context, t *transfer, data *dataEnd, final *Reply) error {
	if t.upload {
		c.draining = data.conn
		defer func() { c.draining = nil }()
	}
	if final == nil {
		reply, err := c.final(ctx)
		if err != nil {
			return &TransferError{Bytes: t.moved, Err: err}
		}
		final = &reply
	}
	reply, err := c.reckon(ctx, *final)
	if err != nil {
		return &TransferError{Bytes: t.moved, Err: err}
	}
	return c.ended(t, reply)
}

// ended judges the last reply to a transfer whose data has ended cleanly.
func (c *Conn) ended(t *transfer, reply Reply) error {
	switch {
	case reply.class() != 2:
		return &TransferError{Bytes: t.moved, Reply: reply.refuse(commandLine(t.verb, t.path))}
	case !answers(reply, t.verb):
		return &TransferError{Bytes: t.moved, Err: c.fail(misplaced(reply, t.verb))}
	default:
		t.last = reply
		return nil
	}
}

// restart sends REST if the next transfer does not begin at the beginning, or
// if the server may still hold an offset that no transfer has used. It must
// come directly before the transfer (RFC 3659, Section 5.3).
func (c *Conn) restart(ctx context.Context, offset int64) error {
	if offset == 0 && !c.restDirty {
		return nil
	}
	c.restDirty = true
	_, err := c.expect(ctx, 3, "REST", strconv.FormatInt(offset, 10))
	var refusal *ReplyError
	if offset == 0 && errors.As(err, &refusal) && refusal.Code != codeClosing {
		return nil // it holds none
	}
	return err
}

// broken cleans up after a transfer whose command was sent and that failed or
// was interrupted in a step; err is the error of the step. It keeps the root
// of the matter and what the server says of it.
func (c *Conn) broken(ctx context.Context, t *transfer, data *dataEnd, w *watch, err error) error {
	var local *localError
	ours := errors.As(err, &local)
	root := err
	switch {
	case w.cause != nil:
		root = w.cause
	case ours:
		root = local.err
	case w.interrupted() && (errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed)):
		root = nil // all there is to say is in the reply
	}
	failure := &TransferError{Bytes: t.moved, Err: root, local: ours}
	command := commandLine(t.verb, t.path)
	switch {
	case w.reply != nil || c.unusable() != nil:
		data.reset()
		if w.reply != nil && w.reply.class() != 2 {
			failure.Reply = w.reply.refuse(command)
		}
	case w.cause != nil || ours || ctx.Err() != nil:
		abandon := t.abandon
		if abandon == nil {
			abandon = c.abort
		}
		failure.Reply = abandon(ctx, data.reset)
	default:
		// The network's fault. The server has noticed, or will.
		data.reset()
		reply, err := c.final(ctx)
		switch {
		case err != nil:
			failure.Reply = err
		case reply.class() != 2:
			failure.Reply = reply.refuse(command)
		}
	}
	if c.unusable() == nil {
		_, _ = c.reckon(ctx, Reply{}) // the Conn says what became of it
	}
	return failure
}
