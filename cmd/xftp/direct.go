package main

import (
	"context"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// runDirect downloads to a device, a FIFO or standard output.
func (d *download) runDirect(ctx context.Context, bar *fileBar) error {
	if d.out.onStdout {
		return d.fetch(ctx, d.out.stdout, 0, nil, bar)
	}
	f, err := d.target.openDirect(ctx)
	if err != nil {
		return err
	}
	// A FIFO whose reader sleeps must not keep us from ending.
	release := context.AfterFunc(ctx, func() { f.Close() })
	defer func() { release(); f.Close() }()
	info, err := f.Stat()
	inSegments := d.o.segments != 1 && d.Type == ftpclient.Binary && d.o.verify != "hash" // for which it is read back
	if inSegments && err == nil && isNull(info) {
		return d.nowhere(ctx, f, bar)
	}
	return d.fetch(ctx, f, 0, nil, bar)
}
