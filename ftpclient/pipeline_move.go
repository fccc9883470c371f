package ftpclient

import (
	"context"
	"errors"
	"io"
	"net"
)

// download does the first flight, from the replies to its commands on.
func (p *pipeline) download(ctx context.Context, f *flight) error {
	defer f.data.close()
	var refusal error
	if err := p.typeReply(ctx, f, &refusal); err != nil {
		return err
	}
	if err := p.sizeReply(ctx, f); err != nil {
		return err
	}
	if err := p.timeReply(ctx, f); err != nil {
		return err
	}
	f.tell(Attributes{Size: f.result.Size, ModTime: f.modified})
	if f.result.Size >= 0 {
		f.expect(f.result.Size - f.offset)
	}
	if err := p.begin(ctx, f, &refusal); err != nil {
		return err
	}
	if refusal != nil {
		return p.refuse(ctx, f, p.otherList(f, refusal))
	}
	t := f.transfer
	if n, ok := announced(t.first, f.path); ok && f.result.Size < 0 && f.offset == 0 && !f.list && p.c.sent == Binary {
		f.expect(n)
	}
	f.vague = f.expected < 0 && p.untried(f)
	var w io.Writer
	t.open = func() (err error) {
		w, err = f.openWriter()
		return err
	}
	t.copy = func(data net.Conn) (int64, error) {
		f.meter.add(0) // a file that is short is near its end
		move := p.c.fetch
		if f.list {
			move = p.c.download
		}
		n, err := move(w, data, &f.meter)
		f.expected = n
		_ = p.feed(ctx) // what breaks here is seen when a reply is due
		return n, err
	}
	err := p.c.move(ctx, t, &f.data.dataEnd)
	f.result.Bytes = t.moved
	if err == nil && f.list && t.unclosed {
		return unclosed(t)
	}
	if f.list {
		f.truncated = truncated(t.last)
	}
	if err != nil || f.list {
		return err
	}
	return p.received(f)
}

// otherList makes a refusal of MLSD a reason to try LIST.
func (p *pipeline) otherList(f *flight, refusal error) error {
	var refused *ReplyError
	if f.verb != "MLSD" || !errors.As(refusal, &refused) || !unimplemented[refused.Code] || errors.Is(refusal, errDetour) {
		return refusal
	}
	p.c.refused["MLSD"] = true
	return detour(refusal)
}

// upload does the first flight. Before that it may send the commands that name
// the file, with those that rename the one before.
func (p *pipeline) upload(ctx context.Context, f *flight) error {
	defer f.data.close()
	if p.renamed {
		if err := p.renameReplies(ctx); err != nil {
			return err
		}
	}
	var refusal error
	if err := p.typeReply(ctx, f, &refusal); err != nil {
		return err
	}
	if f.transfer == nil {
		if err := p.answered(ctx, f.data, &refusal); err != nil {
			return err
		}
		lines := p.renameCommands()
		if refusal == nil {
			lines = append(lines, p.transferCommands(f)...)
		}
		if p.ahead > 0 {
			more, err := p.openNext(ctx)
			if err != nil {
				return err
			}
			lines = append(lines, more...)
		}
		if len(lines) > 0 {
			if err := p.c.write(ctx, lines...); err != nil {
				return err
			}
		}
		if err := p.renameReplies(ctx); err != nil {
			return err
		}
	}
	if f.transfer == nil {
		return refusal
	}
	p.c.ahead.Store(f.asked != "" || p.next != nil)
	err := p.store(ctx, f, refusal)
	if p.c.unusable() != nil || ctx.Err() != nil {
		return err
	}
	if p.c.swallowed {
		return errors.Join(err, p.c.fail(errSwallowed))
	}
	if err == nil && p.ahead == 0 {
		lines := p.sizeCommand(f)
		more, err := p.openNext(ctx)
		if err != nil {
			return err
		}
		if lines = append(lines, more...); len(lines) > 0 {
			if err := p.c.write(ctx, lines...); err != nil {
				return err
			}
		}
	}
	if sizeErr := p.sizeReply(ctx, f); sizeErr != nil {
		return sizeErr
	}
	if err != nil {
		return err
	}
	return p.stored(f)
}

// store sends the bytes.
func (p *pipeline) store(ctx context.Context, f *flight, refusal error) error {
	if err := p.begin(ctx, f, &refusal); err != nil {
		return err
	}
	if refusal != nil {
		return p.refuse(ctx, f, refusal)
	}
	t := f.transfer
	var r io.Reader
	t.open = func() (err error) {
		if r, err = f.openReader(); err == nil {
			f.again = rereader(r)
		}
		return err
	}
	t.copy = func(data net.Conn) (int64, error) { return p.c.deliver(data, r, &f.meter) }
	err := p.c.move(ctx, t, &f.data.dataEnd)
	f.result.Bytes = t.moved
	return err
}

// renameCommands returns the commands that give the last upload its name, and the
// one that asks whether it has got it.
func (p *pipeline) renameCommands() []string {
	f := p.renaming
	if f == nil {
		return nil
	}
	f.stored, f.begun.result = true, f.result
	lines := []string{"RNFR " + f.path, "RNTO " + f.rename}
	if f.named = ""; f.result.Size >= 0 {
		f.named = p.c.sizeVerb()
	}
	if f.named != "" {
		lines = append(lines, f.named+" "+f.rename)
	}
	return lines
}

// renameReplies takes the replies to them. The error means that the Conn is
// lost.
func (p *pipeline) renameReplies(ctx context.Context) error {
	f := p.renaming
	if f == nil {
		return nil
	}
	var refusal error
	for i, line := range []string{"RNFR " + f.path, "RNTO " + f.rename} {
		reply, err := p.reply(ctx, line[:len("RNFR")])
		if err != nil {
			return err
		}
		if reply.class() != 3-i {
			note(&refusal, reply.refuse(line))
		}
	}
	if f.named != "" {
		reply, err := p.reply(ctx, f.named)
		if err != nil {
			return err
		}
		size, unseen := sizeIn(reply, f.named, f.rename)
		if refusal == nil && unseen != nil {
			p.renaming, p.renamed = nil, false
			f.unseen = unseen
			p.doubts = append(p.doubts, f)
			return nil
		}
		note(&refusal, renamed(&f.result, size))
	}
	p.renaming, p.renamed = nil, false
	p.settle(f, refusal)
	return nil
}
