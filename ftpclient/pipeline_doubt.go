package ftpclient

import (
	"cmp"
	"context"
)

// received judges a download of the first flight by what is known. Where that is
// not enough the flight is in doubt: a question would be answered behind the
// flights whose commands were sent already.
func (p *pipeline) received(f *flight) error {
	err := p.c.compareReceived(f.transfer, &f.result)
	if err != nil && p.c.sizing() || f.result.Verified == VerifiedNone && p.untried(f) {
		f.doubt = err
		p.doubts = append(p.doubts, f)
		return nil
	}
	if err != nil {
		return err
	}
	return p.c.concludeReceived(f.transfer, &f.result)
}

// stored judges an upload of the first flight by what is known. One that is good
// gets its name next, if it is to have another.
func (p *pipeline) stored(f *flight) error {
	err := f.checked()
	if err == nil {
		err = f.sent().compareStored(&f.result)
	}
	if err != nil {
		return err
	}
	if f.result.Verified == VerifiedNone && p.untried(f) {
		p.doubts = append(p.doubts, f)
		return nil
	}
	if err := p.c.concludeStored(f.sent(), &f.result); err != nil {
		return err
	}
	if f.rename != "" {
		p.renaming = f
	}
	return nil
}

// checked asks the caller about an upload that has ended well.
func (j *job) checked() error {
	if j.check == nil {
		return nil
	}
	if err := j.check(); err != nil {
		return &localError{err}
	}
	return nil
}

// sent returns an upload as one that has ended well.
func (f *flight) sent() sent {
	return sent{transfer: f.transfer, before: f.offset, again: f.again}
}

// untried reports whether there is still a way to learn what a file is that has
// told no size so far.
func (p *pipeline) untried(f *flight) bool {
	switch {
	case !p.c.sizing():
		return false
	case f.asked != "MLST" && !p.c.lacks("MLST"):
		return true
	default:
		return f.again != nil && f.offset == 0 && p.c.mayHash()
	}
}

// resolve takes the replies that are left when there are no flights, and decides
// what is in doubt.
func (p *pipeline) resolve(ctx context.Context) error {
	if err := p.quiesce(ctx); err != nil {
		return err
	}
	p.c.ahead.Store(false)
	for len(p.doubts) > 0 {
		f := p.doubts[0]
		err := p.decide(ctx, f)
		p.doubts = p.doubts[1:]
		p.settle(f, err)
		if err := cmp.Or(ctx.Err(), p.c.unusable()); err != nil {
			return err
		}
	}
	return nil
}

// decide asks for what is not known of a flight, each command waiting for its
// reply, and gives an upload its name.
func (p *pipeline) decide(ctx context.Context, f *flight) (err error) {
	if f.unseen != nil {
		return p.c.takenAway(ctx, f.named, f.path, f.unseen, &f.result)
	}
	if f.verb != "STOR" {
		return p.c.checkReceived(ctx, f.transfer, f.asked, &f.digest, &f.result)
	}
	if f.result.Size < 0 && f.asked != "MLST" {
		if f.result.Size, err = p.c.listedSize(ctx, f.path); err != nil {
			return err
		}
	}
	err = p.c.checkStored(ctx, f.sent(), &f.digest, &f.result)
	if err == nil && f.rename != "" {
		err = p.c.renameStored(ctx, f.path, f.rename, &f.result)
	}
	return err
}
