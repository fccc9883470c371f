package main

import (
	"context"
	"io"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// runDirect downloads to a device, a FIFO or standard output.
func (d *download) runDirect(ctx context.Context, bar *fileBar) error {
	if err := d.askHash(ctx); err != nil {
		return err
	}
	if d.out.onStdout {
		return d.stream(ctx, d.out.stdout, bar)
	}
	f, err := d.target.openDirect(ctx)
	if err != nil {
		return err
	}
	// A FIFO whose reader sleeps must not keep us from ending.
	release := context.AfterFunc(ctx, func() { f.Close() })
	defer func() { release(); f.Close() }()
	if info, err := f.Stat(); err == nil && isNull(info) && d.o.segments != 1 && d.Type == ftpclient.Binary && !d.o.hashesHere() {
		return d.nowhere(ctx, f, bar)
	}
	return d.stream(ctx, f, bar)
}

// stream downloads to what cannot be read again.
func (d *download) stream(ctx context.Context, w io.Writer, bar *fileBar) error {
	if !d.o.hashesHere() {
		return d.fetch(ctx, w, 0, bar)
	}
	h := d.sum.New()
	err := d.fetch(ctx, io.MultiWriter(w, h), 0, bar)
	if err == nil {
		err = compareHash(d.sum, h)
	}
	if err == nil {
		d.result.Verified = ftpclient.VerifiedHash
	}
	return err
}
