package ftpclient

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
)

// A pipeline does jobs on one Conn, sending the commands of the next one
// before the one under way has ended.
//
// A server handles its commands one after the other, and its replies come in
// the order of the commands. What makes this safe is that each reply is
// accounted for, also those to commands that were in vain: after a refusal the
// rest of the flight's replies are taken as they come. Where they cannot be
// right, the Conn is given up.
type pipeline struct {
	client  *Client
	c       *Conn
	backlog *backlog
	claim   *bool // on a job of the backlog
	ahead   int   // flights behind the one under way
	single  bool  // each command waits for the reply to the one before

	flights  []*flight // whose commands were sent, oldest first
	doubts   []*flight // that ended well, and are not known to be whole; nothing is begun before they are
	next     *opening  // of the data connection after those, for uploads
	renaming *flight   // an upload that is yet to get its name
	renamed  bool      // the commands for that were sent, before all in flights
}

// A flight is a job whose commands were sent, or some of them.
type flight struct {
	*job
	typed, rested bool   // TYPE, REST
	asked         string // how for the size: SIZE, MLST, or not at all
	named         string // the same after it got its name
	timed         bool   // MDTM
	early         bool   // they were sent while another flight was under way
	heard         bool   // a reply to one of them has come
	ready         bool   // all of them are answered but the one that moves data
	vague         bool   // its size is not known, and is to be asked for when it has ended
	data          *opening
	bytes         int   // of commands
	expected      int64 // bytes to move, or -1

	transfer *transfer // nil until the command that moves data was sent
	again    func(w io.Writer, n int64) error
	meter    meter
	result   Result
	doubt    error // what is known against it, if it is in doubt
	unseen   error // what the server says of it under its new name
}

func newPipeline(client *Client, c *Conn, b *backlog) *pipeline {
	p := &pipeline{client: client, c: c, backlog: b}
	p.single = client.cfg.Ahead < 0 || client.cfg.Verify == VerifyHash || quirksOf(c.greeting).lockstep
	if !p.single {
		p.ahead = client.site.ahead(c, client.ahead())
	}
	return p
}

// mostDetours is how many of the things learned about a server one job can be
// tried again for.
const mostDetours = 3

// errDetour is in the errors of jobs that are to be tried another way.
var errDetour = errors.New("to be tried another way")

// run does jobs until there are none waiting, somebody else needs the Conn, or
// it is lost.
func (p *pipeline) run(ctx context.Context) {
	defer p.close()
	for {
		if err := p.feed(ctx); err != nil {
			p.lost(ctx, err)
			return
		}
		if len(p.flights) == 0 && len(p.doubts) > 0 {
			if err := p.resolve(ctx); err != nil {
				p.lost(ctx, err)
				return
			}
			continue
		}
		if len(p.flights) == 0 {
			break
		}
		f := p.flights[0]
		p.c.ahead.Store(len(p.flights) > 1)
		var err error
		switch {
		case p.stepwise(f.job):
			err = p.lockstep(ctx, f)
		case f.verb == "STOR":
			err = p.upload(ctx, f)
		default:
			err = p.download(ctx, f)
		}
		if err != nil && (p.c.unusable() != nil || ctx.Err() != nil) {
			p.lost(ctx, err)
			return
		}
		p.flights = p.flights[1:]
		if p.renaming != f && !slices.Contains(p.doubts, f) {
			p.settle(f, err)
		}
		if p.c.swallowed {
			p.swallowed()
			return
		}
	}
	p.finish(ctx)
}

// finish takes the replies that are left when there are no more jobs.
func (p *pipeline) finish(ctx context.Context) {
	if err := p.resolve(ctx); err != nil {
		p.lost(ctx, err)
	}
}

// quiesce takes the replies that are left when there are no flights, so that a
// command can wait for its own.
func (p *pipeline) quiesce(ctx context.Context) error {
	if p.next != nil {
		var refusal error // is kept in next, for the file that may come
		if err := p.answered(ctx, p.next, &refusal); err != nil {
			return err
		}
	}
	if p.renaming == nil {
		return nil
	}
	if err := p.c.write(ctx, p.renameCommands()...); err != nil {
		return err
	}
	return p.renameReplies(ctx)
}

// swallowed gives back what the server has not taken, for a connection on which
// nothing is sent ahead.
func (p *pipeline) swallowed() {
	p.client.site.swallow()
	_ = p.c.fail(errSwallowed)
	jobs := make([]*job, len(p.flights))
	for i, f := range p.flights {
		jobs[i] = f.job
	}
	p.backlog.giveBack(jobs...)
}

var errSwallowed = errors.New("the server has lost commands that were sent during a transfer")

// settle ends a flight, or gives its job back if it is to go another way.
func (p *pipeline) settle(f *flight, err error) {
	if errors.Is(err, errDetour) && f.detours < mostDetours && !f.opened {
		f.detours++
		p.client.site.learn(p.c)
		p.backlog.giveBack(f.job)
		return
	}
	if unexpected(err) {
		p.c.strayed = true
	}
	if err != nil && p.again(f, err) {
		return
	}
	p.backlog.end(f.job, f.result, err)
}

// lost ends the first flight, which the Conn was lost in, or puts it aside for
// another try, and gives those behind it back. If the first was not begun, the
// fault is that of the Conn, and it is given back too, once.
func (p *pipeline) lost(ctx context.Context, err error) {
	p.client.site.learn(p.c)
	if p.c.swallowed || p.unheard(err) {
		p.client.site.swallow()
	}
	if p.c.unusable() == nil {
		_ = p.c.fail(err) // replies are outstanding
	}
	if ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		err = errors.Join(ctx.Err(), err)
	}
	if p.renaming != nil {
		p.fell(ctx, p.renaming, err)
		p.renaming = nil
	}
	for _, f := range p.doubts {
		p.fell(ctx, f, cmp.Or(f.doubt, err))
	}
	p.doubts = nil
	var back []*job
	for i, f := range p.flights {
		switch {
		case ctx.Err() != nil && i > 0:
			p.backlog.end(f.job, f.result, ctx.Err())
		case ctx.Err() != nil:
			p.backlog.end(f.job, f.result, err)
		case i > 0:
			back = append(back, f.job)
		case errors.Is(err, errDetour) && f.detours < mostDetours && !f.opened:
			f.detours++
			back = append(back, f.job)
		case !f.swept && !f.opened && (f.transfer == nil || f.transfer.first.Code == 0):
			f.swept = true
			back = append(back, f.job)
		default:
			p.fell(ctx, f, err)
		}
	}
	p.backlog.giveBack(back...)
}

// unheard reports whether the server has said nothing to what was sent during a
// transfer, where err is why the Conn was lost.
func (p *pipeline) unheard(err error) bool {
	var late *TimeoutError
	return len(p.flights) > 0 && p.flights[0].early && !p.flights[0].heard && errors.As(err, &late) && late.Step == StepReply
}

// fell ends a flight whose Conn was lost because of err, or puts it aside for
// another try.
func (p *pipeline) fell(ctx context.Context, f *flight, err error) {
	if ctx.Err() == nil && p.again(f, err) {
		return
	}
	p.backlog.end(f.job, f.result, err)
}

// close releases what was prepared and not used.
func (p *pipeline) close() {
	p.c.ahead.Store(false)
	for _, f := range p.flights {
		f.data.close()
	}
	p.next.close()
}
