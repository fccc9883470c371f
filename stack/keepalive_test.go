package stack_test

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/stack"
	"github.com/seed-54eb6215/xftp/stack/stacktest"
)

// TestKeepAlive shows that a connection that only waits ends when its peer has
// vanished, whichever side opened it.
func TestKeepAlive(t *testing.T) {
	for _, dialled := range []bool{true, false} {
		wire := stacktest.NewWire(stacktest.Options{})
		// The one that waits asks; the other would end the connection, too.
		cfg := func(p netip.Prefix, asks bool) stack.Config {
			c := stack.Config{Addresses: []netip.Prefix{p}, KeepAlive: -1, Linger: time.Millisecond}
			if asks {
				c.KeepAlive = 10 * time.Millisecond
			}
			return c
		}
		p := &pair{wire: wire, a: newStack(t, cfg(addrA4, dialled), wire.A), b: newStack(t, cfg(addrB4, !dialled), wire.B)}
		waits, accepted := p.connect(t, addrB4)
		if !dialled {
			waits = accepted
		}
		wire.SetDown(true)
		waits.SetDeadline(time.Now().Add(5 * time.Minute)) // rather than for ever
		if _, err := waits.Read(make([]byte, 1)); !errors.Is(err, syscall.ETIMEDOUT) {
			t.Errorf("dialled %v: read %v", dialled, err)
		}
		if _, err := waits.Write([]byte{1}); !errors.Is(err, syscall.ETIMEDOUT) {
			t.Errorf("dialled %v: write %v", dialled, err)
		}
	}
}
