package stack_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/stack"
	"github.com/seed-54eb6215/xftp/stack/stacktest"
)

// Where the time is over before ARP and the like have given up, the error says that
// nobody has answered them, but only if that is so.
func TestDialNobodyInTime(t *testing.T) {
	router := netip.MustParseAddr("10.1.0.78")
	for _, tt := range []struct{ name, address, says string }{
		{"on the link", "10.1.0.77:21", "10.1.0.77 has not answered ARP"},
		{"on the link over IPv6", "[fd00:1::77]:21", "fd00:1::77 has not answered neighbour discovery"},
		{"behind a router", "192.0.2.1:21", "10.1.0.78 has not answered ARP"},
		{"answers, and takes nothing", "10.1.0.2:21", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wire := stacktest.NewWire(stacktest.Options{})
			a := newStack(t, stack.Config{Addresses: []netip.Prefix{addrA4, addrA6}, Gateways: []netip.Addr{router}}, wire.A)
			p := &pair{wire: wire, a: a, b: newStack(t, stack.Config{Addresses: []netip.Prefix{addrB4, addrB6}}, wire.B)}
			p.connect(t, addrB4) // its link address is known after that
			wire.SetDown(true)
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			_, err := a.DialContext(ctx, "tcp", tt.address)
			var late net.Error
			if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &late) || !late.Timeout() {
				t.Errorf("%v", err)
			}
			if unreachable := errors.Is(err, syscall.EHOSTUNREACH); unreachable != (tt.says != "") || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v, want %q", err, tt.says)
			}
		})
	}
}
