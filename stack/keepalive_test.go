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
		cfg := func(p netip.Prefix) stack.Config {
			return stack.Config{Addresses: []netip.Prefix{p}, KeepAlive: 10 * time.Millisecond}
		}
		p := &pair{wire: wire, a: newStack(t, cfg(addrA4), wire.A), b: newStack(t, cfg(addrB4), wire.B)}
		waits, accepted := p.connect(t, addrB4)
		if !dialled {
			waits = accepted
		}
		wire.SetDown(true)
		waits.SetDeadline(time.Now().Add(time.Minute)) // rather than for ever
		if _, err := waits.Read(make([]byte, 1)); !errors.Is(err, syscall.ETIMEDOUT) {
			t.Errorf("dialled %v: read %v", dialled, err)
		}
		if _, err := waits.Write([]byte{1}); !errors.Is(err, syscall.ETIMEDOUT) {
			t.Errorf("dialled %v: write %v", dialled, err)
		}
	}
}
