package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// reply returns the next reply, which is to verb, and the last to it unless it
// begins a transfer.
func (p *pipeline) reply(ctx context.Context, verb string) (Reply, error) {
	reply, err := p.c.wait(ctx, StepReply)
	switch {
	case err != nil:
		return Reply{}, err
	case reply.Code == codeClosing:
		return Reply{}, reply.refuse(verb)
	case !answers(reply, verb):
		return Reply{}, p.c.fail(misplaced(reply, verb))
	}
	if len(p.flights) > 0 {
		p.flights[0].heard = true
	}
	return reply, nil
}

// misplaced is the error of a reply that is not one to verb.
func misplaced(reply Reply, verb string) error {
	return &ProtocolError{
		Problem: "a reply to another command than " + verb,
		Line:    shorten(fmt.Sprintf("%03d %s", reply.Code, reply.Lines[0])),
	}
}

// granted holds the codes that grant these commands, and that no other command
// which a pipeline sends is granted by (RFC 959, Section 5.4; RFC 2428, Section
// 3; RFC 3659, Sections 4.2, 5.3 and 7.2). That of MLST grants RNTO and others,
// too.
var granted = map[string]int{"SIZE": 213, "MDTM": 213, "MLST": 250, "PASV": 227, "EPSV": 229, "REST": 350, "RNFR": 350}

// moves holds the commands that move data: theirs are the preliminary replies.
var moves = map[string]bool{"RETR": true, "STOR": true, "MLSD": true, "LIST": true}

// answers reports whether reply can be one to verb.
func answers(reply Reply, verb string) bool {
	code, own := granted[verb]
	switch {
	case reply.preliminary():
		return moves[verb]
	case reply.class() > 3:
		return true
	case own:
		return reply.Code == code
	default:
		return !slices.Contains([]int{213, 227, 229, 350}, reply.Code)
	}
}

// typeReply takes the reply to TYPE, if that was sent with f.
func (p *pipeline) typeReply(ctx context.Context, f *flight, refusal *error) error {
	if !f.typed {
		return nil
	}
	reply, err := p.reply(ctx, "TYPE")
	if err != nil {
		return err
	}
	if reply.class() != 2 {
		note(refusal, reply.refuse("TYPE "+string(rune(p.c.want))))
		return nil
	}
	p.c.sent = p.c.want
	return nil
}

// sizeReply takes the reply to the question for the size, if that was sent with
// f. No size is no error.
func (p *pipeline) sizeReply(ctx context.Context, f *flight) error {
	if f.asked == "" {
		return nil
	}
	reply, err := p.reply(ctx, f.asked)
	if err != nil {
		return err
	}
	size, err := sizeIn(reply, f.asked, f.path)
	var refusal *ReplyError
	if errors.As(err, &refusal) {
		p.c.refused[f.asked] = p.c.refused[f.asked] || unimplemented[refusal.Code]
		if f.asked == "SIZE" {
			f.result.Unsized = refusal
		}
	}
	if size >= 0 {
		f.result.Size = size
	}
	return nil
}

// timeReply takes the reply to MDTM, if that was sent with f. No time is no error.
func (p *pipeline) timeReply(ctx context.Context, f *flight) error {
	if !f.timed {
		return nil
	}
	reply, err := p.reply(ctx, "MDTM")
	if err != nil {
		return err
	}
	p.c.refused["MDTM"] = p.c.refused["MDTM"] || unimplemented[reply.Code]
	if at, err := parseModTime(reply); err == nil {
		f.modified = at
	}
	return nil
}

// codeNoData says that there is no data connection (RFC 959, Section 4.2.2).
const codeNoData = 425

// begin makes the data connection of a flight and takes the replies up to the
// first to the command that moves data. A refusal is noted; then that transfer
// is to be ended by refuse. The error means that the Conn is lost.
func (p *pipeline) begin(ctx context.Context, f *flight, refusal *error) error {
	if err := p.answered(ctx, f.data, refusal); err != nil {
		return err
	}
	if f.ready = *refusal == nil && f.verb != "STOR"; f.ready {
		_ = p.feed(ctx) // what breaks here is seen when a reply is due
	}
	if f.data.port == 0 {
		return p.begun(ctx, f, refusal)
	}
	failure := p.reachPassive(ctx, f.data)
	if failure == nil {
		return p.begun(ctx, f, refusal)
	}
	// The server may have refused the transfer and closed its door. If not, it
	// waits at that door, and this Conn waits with it.
	grace, cancel := context.WithTimeout(ctx, min(afterRefusal, p.c.cfg.Timeout))
	defer cancel()
	err := p.begun(grace, f, refusal)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	refused := err == nil && f.transfer.first.class() > 3
	if refused && f.transfer.first.Code != codeNoData {
		return nil
	}
	if f.data.verb == "EPSV" && !p.client.site.reachable() && !p.c.ipv6() {
		p.c.refused["EPSV"] = true
		failure = detour(failure)
	}
	if refused {
		*refusal = failure
		return nil
	}
	return p.c.fail(failure)
}

// begun takes the replies to REST and to the command that moves data.
func (p *pipeline) begun(ctx context.Context, f *flight, refusal *error) error {
	if f.rested {
		reply, err := p.reply(ctx, "REST")
		if err != nil {
			return err
		}
		if reply.class() != 3 && f.offset > 0 {
			note(refusal, reply.refuse(fmt.Sprintf("REST %d", f.offset)))
		}
	}
	first, err := p.reply(ctx, f.verb)
	if err != nil {
		return err
	}
	f.transfer.first = first
	switch first.class() {
	case 1, 2:
		p.c.restDirty = false
	default:
		note(refusal, first.refuse(commandLine(f.verb, f.transfer.path)))
	}
	return nil
}

// refuse ends a transfer that must not be, because of refusal.
func (p *pipeline) refuse(ctx context.Context, f *flight, refusal error) error {
	if f.transfer.first.preliminary() {
		if err := p.abandon(ctx, f.data.reset); err != nil {
			return errors.Join(refusal, err)
		}
	}
	return refusal
}

// abandon ends a transfer that the server has not finished: closeData must end
// the data connection, and the server then says what it thinks of it. There is
// no ABOR: it would stand behind the commands that were sent ahead. The error
// means that the Conn is lost.
func (p *pipeline) abandon(ctx context.Context, closeData func()) error {
	return p.abandonWithin(ctx, closeData, p.c.cfg.AbortTimeout)
}

func (p *pipeline) abandonWithin(ctx context.Context, closeData func(), wait time.Duration) error {
	closeData()
	if ctx.Err() != nil || wait < 0 {
		return unusableBecause(p.c.fail(errNoAbort))
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	reply, err := p.c.final(ctx)
	switch {
	case err == nil && reply.Code != codeClosing:
		return nil
	case err == nil:
		err = reply.refuse("")
	case ctx.Err() != nil:
		err = fmt.Errorf("no reply within %v after the data connection was closed", wait)
	}
	return unusableBecause(p.c.fail(err))
}
