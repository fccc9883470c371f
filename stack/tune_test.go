package stack

import (
	"net/netip"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	gstack "gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// TestKeepAliveOptions shows what Config.KeepAlive means for an endpoint.
func TestKeepAliveOptions(t *testing.T) {
	s := gstack.New(gstack.Options{TransportProtocols: []gstack.TransportProtocolFactory{tcp.NewProtocolCUBIC}})
	t.Cleanup(s.Destroy)
	for every, want := range map[time.Duration]time.Duration{0: 15 * time.Second, time.Minute: time.Minute, -1: 0} {
		cfg, err := Config{Addresses: []netip.Prefix{netip.MustParsePrefix("10.1.0.1/24")}, KeepAlive: every}.withDefaults()
		if err != nil {
			t.Fatal(err)
		}
		ep, terr := s.NewEndpoint(tcp.ProtocolNumber, header.IPv4ProtocolNumber, new(waiter.Queue))
		if terr != nil {
			t.Fatal(terr)
		}
		t.Cleanup(ep.Close)
		ep.SocketOptions().SetKeepAlive(true) // off has to be said
		setKeepAlive(ep, cfg.KeepAlive)
		if on := ep.SocketOptions().GetKeepAlive(); on != (want > 0) {
			t.Errorf("%v: on is %v", every, on)
		}
		if want == 0 {
			continue
		}
		var idle tcpip.KeepaliveIdleOption
		var interval tcpip.KeepaliveIntervalOption
		if err := ep.GetSockOpt(&idle); err != nil || time.Duration(idle) != want {
			t.Errorf("%v: idle %v, %v", every, time.Duration(idle), err)
		}
		if err := ep.GetSockOpt(&interval); err != nil || time.Duration(interval) != want {
			t.Errorf("%v: interval %v, %v", every, time.Duration(interval), err)
		}
		if n, err := ep.GetSockOptInt(tcpip.KeepaliveCountOption); err != nil || n != keepAliveProbes {
			t.Errorf("%v: %d probes, %v", every, n, err)
		}
	}
}
