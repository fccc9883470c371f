package main

import (
	"context"
	"net"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// A transport carries the connections of one run.
type transport struct {
	dialer   ftpclient.Dialer
	listener ftpclient.Listener
	net      string // "xdp" or "kernel"
	mode     string // how: "zerocopy", "copy", "generic" or "kernel"

	counters func() []counter
	close    func() error
}

// A counter is one line of --stats.
type counter struct {
	name  string
	value uint64
}

// String says what carries the bytes.
func (t *transport) String() string {
	if t.net == "xdp" {
		return "AF_XDP (" + t.mode + ")"
	}
	return "kernel sockets"
}

// checkTransport finds what is missing in o before anything is opened.
func (o *options) checkTransport() error {
	if o.net == "xdp" && (o.iface == "" || len(o.address) == 0) {
		return &usageError{
			text: "AF_XDP needs an interface and an address of its own",
			hint: "give --iface IF and --address CIDR (an unused address on that link), or use --net kernel",
		}
	}
	return nil
}

// openTransport opens the path that o asks for. Its errors are setupErrors.
func openTransport(ctx context.Context, o *options) (*transport, error) {
	if o.net == "xdp" {
		return openXDP(ctx, o)
	}
	return &transport{
		dialer:   &net.Dialer{},
		listener: &net.ListenConfig{},
		net:      "kernel",
		mode:     "kernel",
		counters: func() []counter { return nil },
		close:    func() error { return nil },
	}, nil
}
