package stack

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/arp"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	gstack "gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

// nicID is the only NIC's, whatever the number of its queues.
const nicID tcpip.NICID = 1

// A Stack is a TCP/IP stack inside the process. Its methods may be called by
// several goroutines at once.
type Stack struct {
	cfg     Config
	s       *gstack.Stack
	link    *linkEndpoint
	paths   paths
	answer  func(netip.AddrPort) time.Duration // of a name server, to come within; questionTimeout, but in tests
	devices []Device
	rx      []*receiver
	tx      []*transmitter

	receivers sync.WaitGroup
	lost      chan struct{} // closed when a device has failed
	lostOnce  sync.Once
	lostErr   error // valid once lost is closed

	mu      sync.Mutex
	closed  bool
	closing []*Conn // closed by their users, perhaps not yet delivered
}

// New returns a running stack on devices, which are queues of one NIC: they
// must agree in hardware address and MTU. One goroutine per device receives
// until Close. The stack owns the devices from the moment New is called, also
// if it fails: Close closes them, and so does New before it returns an error.
func New(cfg Config, devices ...Device) (*Stack, error) {
	s, err := newStack(cfg, devices)
	if err != nil {
		for _, d := range devices {
			d.Close()
		}
		return nil, fmt.Errorf("stack: %w", err)
	}
	return s, nil
}

func newStack(cfg Config, devices []Device) (*Stack, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if len(devices) == 0 {
		return nil, errors.New("no device")
	}
	info := devices[0].Info()
	for _, d := range devices[1:] {
		if i := d.Info(); i.MAC != info.MAC || i.MTU != info.MTU {
			return nil, errors.New("devices are not queues of one NIC")
		}
	}

	s := &Stack{cfg: cfg, devices: devices, lost: make(chan struct{})}
	s.answer = func(netip.AddrPort) time.Duration { return questionTimeout }
	for _, d := range devices {
		s.tx = append(s.tx, newTransmitter(d, s.fail))
	}
	s.link = newLinkEndpoint(info, s.tx)
	s.s = gstack.New(gstack.Options{
		NetworkProtocols:   []gstack.NetworkProtocolFactory{arp.NewProtocol, ipv4.NewProtocol, ipv6.NewProtocol},
		TransportProtocols: []gstack.TransportProtocolFactory{tcp.NewProtocolCUBIC, udp.NewProtocol},
	})
	s.paths.s = s.s
	if err := s.configure(); err != nil {
		s.s.Destroy()
		return nil, err
	}
	for i, d := range devices {
		var steer func(*packet)
		if s.link.flows != nil {
			steer = s.link.flows.learner(i)
		}
		r := newReceiver(d, steer, s.link.deliver)
		r.tx = s.tx[i]
		s.rx = append(s.rx, r)
		s.receivers.Go(func() {
			if err := r.run(); err != nil {
				s.fail(err)
			}
		})
	}
	return s, nil
}

// configure brings up the NIC with its addresses and routes.
func (s *Stack) configure() error {
	if err := setTCPOptions(s.s, s.cfg); err != nil {
		return err
	}
	if err := s.s.CreateNIC(nicID, s.link); err != nil {
		return fmt.Errorf("create NIC: %w", errorOf(err))
	}
	var routes []tcpip.Route
	for _, p := range s.cfg.Addresses {
		addr := tcpip.ProtocolAddress{
			Protocol:          protocolOf(p.Addr()),
			AddressWithPrefix: tcpip.AddressWithPrefix{Address: addressOf(p.Addr()), PrefixLen: p.Bits()},
		}
		if err := s.s.AddProtocolAddress(nicID, addr, gstack.AddressProperties{}); err != nil {
			return fmt.Errorf("add address %s: %w", p, errorOf(err))
		}
		routes = append(routes, tcpip.Route{Destination: addr.AddressWithPrefix.Subnet(), NIC: nicID})
	}
	for _, g := range s.cfg.Gateways {
		destination := header.IPv4EmptySubnet
		if !g.Is4() {
			destination = header.IPv6EmptySubnet
		}
		routes = append(routes, tcpip.Route{Destination: destination, Gateway: addressOf(g), NIC: nicID})
	}
	s.s.SetRouteTable(routes)
	return nil
}

// Addresses returns the stack's own addresses.
func (s *Stack) Addresses() []netip.Prefix { return append([]netip.Prefix(nil), s.cfg.Addresses...) }

// fail records that a device is lost. Whoever waits in a connection of the
// stack then returns err.
func (s *Stack) fail(err error) {
	s.lostOnce.Do(func() {
		s.lostErr = err
		close(s.lost)
	})
}

// lostError returns the reason why a device was lost, or nil.
func (s *Stack) lostError() error {
	select {
	case <-s.lost:
		return s.lostErr
	default:
		return nil
	}
}

// Close ends the stack and closes its devices. It first waits up to
// Config.Linger for connections that their users have closed to deliver what
// was written to them, then resets those still open, whose pending calls
// return an error that wraps [net.ErrClosed]. No goroutine of the stack is left
// when it returns. Further calls do nothing.
func (s *Stack) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	closing := s.closing
	s.closing = nil
	s.mu.Unlock()

	s.linger(closing)
	s.fail(net.ErrClosed)
	for _, r := range s.rx {
		r.stop()
	}
	s.receivers.Wait()
	s.forgetEnded()
	s.s.Destroy() // resets what is open: the devices still send
	for _, t := range s.tx {
		t.close()
	}
	var errs []error
	for _, d := range s.devices {
		errs = append(errs, d.Close())
	}
	return errors.Join(errs...)
}

// forgetEnded drops the connections that both ends have closed, and that wait for
// stray segments (TIME-WAIT). To destroy the stack would reset those too, which
// tells the peer of a transfer that went well that it was broken off.
func (s *Stack) forgetEnded() {
	s.link.mute.Store(true)
	defer s.link.mute.Store(false)
	for _, e := range s.s.RegisteredEndpoints() {
		if ep, ok := e.(*tcp.Endpoint); ok && ep.EndpointState() == tcp.StateTimeWait {
			ep.Abort()
		}
	}
}

// linger waits for conns to deliver what was written to them.
func (s *Stack) linger(conns []*Conn) {
	deadline := time.Now().Add(s.cfg.Linger)
	for _, c := range conns {
		for !c.delivered() && s.lostError() == nil && time.Now().Before(deadline) {
			time.Sleep(time.Millisecond)
		}
	}
}

// remember adds c to the connections whose delivery Close waits for.
func (s *Stack) remember(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.closing[:0]
	for _, k := range s.closing {
		if !k.delivered() {
			kept = append(kept, k)
		}
	}
	clear(s.closing[len(kept):])
	s.closing = append(kept, c)
}

func protocolOf(a netip.Addr) tcpip.NetworkProtocolNumber {
	if a.Is4() || a.Is4In6() {
		return header.IPv4ProtocolNumber
	}
	return header.IPv6ProtocolNumber
}

func addressOf(a netip.Addr) tcpip.Address { return tcpip.AddrFromSlice(a.Unmap().AsSlice()) }
