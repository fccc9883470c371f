package main

import (
	"context"
	"reflect"
	"runtime"
	"strings"
	"unicode"

	"github.com/seed-54eb6215/xftp/stack/nic"
	"github.com/seed-54eb6215/xftp/xdp"
)

// openXDP opens the path over AF_XDP. It must be called on a thread in the
// network namespace that the interface is in.
func openXDP(ctx context.Context, o *options) (*transport, error) {
	mode, err := xdp.ParseMode(o.xdpMode)
	if err != nil {
		return nil, err // cannot be: the flag takes no other words
	}
	oneProcessor()
	n, err := nic.Open(ctx, nic.Config{
		Interface: o.iface,
		Queue:     o.queue,
		Addresses: o.address,
		Gateways:  o.gateway,
		Mode:      mode,
	})
	if err != nil {
		return nil, &setupError{err}
	}
	return &transport{
		dialer:   n,
		listener: n,
		net:      "xdp",
		mode:     n.Mode().String(),
		counters: func() []counter {
			stats, _ := n.Stats() // those that could be read
			return flatten("", reflect.ValueOf(stats))
		},
		close: func() error {
			runtime.GOMAXPROCS(2) // Close waits in two system calls at once
			return n.Close()
		},
	}, nil
}

// oneProcessor makes all goroutines take turns on one thread. Handing a packet
// from one thread to another costs more than handling it: with the receive
// loop, TCP and the file on one thread a transfer is a quarter faster.
func oneProcessor() { runtime.GOMAXPROCS(1) }

// flatten makes counters of the fields of a struct, and of the structs in it:
// Socket.RxFrames becomes socket.rx_frames.
func flatten(prefix string, v reflect.Value) []counter {
	var all []counter
	for i := range v.NumField() {
		name := prefix + snake(v.Type().Field(i).Name)
		switch field := v.Field(i); field.Kind() {
		case reflect.Struct:
			all = append(all, flatten(name+".", field)...)
		case reflect.Uint64:
			all = append(all, counter{name, field.Uint()})
		}
	}
	return all
}

// snake writes a Go name in lower case with underscores.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
