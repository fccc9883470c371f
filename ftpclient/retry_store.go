package ftpclient

import (
	"context"
	"fmt"
	"io"
)

// storeRest sends what the server does not hold, or all of it.
func (p *pipeline) storeRest(ctx context.Context, f *flight) error {
	if f.rename != "" {
		if err := p.c.checkName("RNTO", f.rename); err != nil {
			return err
		}
	}
	offset, err := p.kept(ctx, f)
	if err != nil {
		return err
	}
	err = p.storeFrom(ctx, f, offset)
	if offset > f.offset && (refusedFor(err, "REST") || refusedFor(err, "STOR")) {
		f.anew = true
		err = p.storeFrom(ctx, f, f.offset)
	}
	if err == nil {
		err = f.checked()
	}
	if err != nil || f.rename == "" {
		return err
	}
	f.stored, f.begun.result = true, f.result
	return p.c.renameStored(ctx, f.path, f.rename, &f.result)
}

// kept returns how much of the file of an upload the server has of the tries
// before. What it holds beyond what they sent is not theirs.
func (p *pipeline) kept(ctx context.Context, f *flight) (int64, error) {
	c := p.c
	if f.anew || f.given == 0 || f.seeker == nil || c.want != Binary {
		return f.offset, nil
	}
	if err := c.setType(ctx, c.want); err != nil {
		return 0, err
	}
	size, err := c.toldSize(ctx, f.path, &Result{})
	if err != nil {
		return 0, err
	}
	if size <= f.offset || size > f.offset+f.given {
		return f.offset, nil
	}
	return size, nil
}

// storeFrom sends the file of an upload from offset on.
func (p *pipeline) storeFrom(ctx context.Context, f *flight, offset int64) error {
	moved := offset - f.offset
	opts := &TransferOptions{Offset: offset, Before: f.before, Progress: f.progressFrom(moved)}
	if f.seeker != nil && moved > 0 {
		opts.Before = func() (io.Reader, error) { return f.sentBefore(moved) }
	}
	open := func() (io.Reader, error) {
		r, err := f.openReader()
		if err == nil && f.seeker != nil {
			_, err = f.seeker.Seek(f.start+moved, io.SeekStart)
		}
		return r, err
	}
	err := p.c.stor(ctx, "STOR", f.path, open, opts, &f.digest, &f.result)
	f.result.Bytes += moved
	return err
}

// sentBefore opens the remote file up to the first moved bytes of the reader.
func (f *flight) sentBefore(moved int64) (io.Reader, error) {
	var readers []io.Reader
	if f.offset > 0 {
		if f.before == nil {
			return nil, errBefore
		}
		r, err := f.before()
		if err != nil {
			return nil, err
		}
		readers = append(readers, io.LimitReader(r, f.offset))
	}
	if _, err := f.seeker.Seek(f.start, io.SeekStart); err != nil {
		return nil, err
	}
	return io.MultiReader(append(readers, io.LimitReader(f.begun.reader, moved))...), nil
}

// renameAgain gives an upload its name, unless that was done and only the reply
// was lost.
func (p *pipeline) renameAgain(ctx context.Context, f *flight) error {
	f.result = f.begun.result
	err := p.c.renameStored(ctx, f.path, f.rename, &f.result)
	if !refusedFor(err, "RNFR") || f.result.Size < 0 {
		return err
	}
	size, sizeErr := p.c.toldSize(ctx, f.rename, &Result{})
	switch {
	case sizeErr != nil:
		return sizeErr
	case size != f.result.Size:
		return fmt.Errorf("%w (%w)", err, f.cause)
	default:
		return nil
	}
}
