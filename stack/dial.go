package stack

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// DialContext connects to address, a host and a port joined as by
// [net.JoinHostPort], over network "tcp", "tcp4" or "tcp6". It is a drop-in
// for [net.Dialer.DialContext]; the connection it returns is a [*Conn].
//
// A host name is looked up in the hosts file and then asked of the name
// servers, over this stack. Its addresses are tried in turn, each with its
// share of the time that ctx leaves. Cancelling ctx unblocks the call and has
// no effect once it has returned. If the time is over while nobody has answered for
// the address on the link, the error is that of ctx and EHOSTUNREACH, too.
func (s *Stack) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := s.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (s *Stack) dial(ctx context.Context, network, address string) (*Conn, error) {
	fail := func(err error) (*Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return fail(net.UnknownNetworkError(network))
	}
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return fail(err)
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return fail(&net.AddrError{Err: "invalid port", Addr: address})
	}
	addrs, err := s.resolve(ctx, network, host)
	if err != nil {
		return fail(err)
	}
	var first error
	for i, a := range addrs {
		ctx, cancel := shareOf(ctx, len(addrs)-i)
		c, err := s.connect(ctx, netip.AddrPortFrom(a, uint16(port)))
		cancel()
		if err == nil {
			return c, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

// shareOf divides the time that ctx leaves by n.
func shareOf(ctx context.Context, n int) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok || n == 1 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(deadline)/time.Duration(n))
}

// connect makes a connection to one address.
func (s *Stack) connect(ctx context.Context, remote netip.AddrPort) (*Conn, error) {
	addr := net.TCPAddrFromAddrPort(remote)
	fail := func(err error) (*Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: addr, Err: err}
	}
	if err := s.lostError(); err != nil {
		return fail(err)
	}
	if err := ctx.Err(); err != nil {
		return fail(err)
	}
	wq := new(waiter.Queue)
	ep, terr := s.s.NewEndpoint(tcp.ProtocolNumber, protocolOf(remote.Addr()), wq)
	if terr != nil {
		return fail(errorOf(terr))
	}
	c := newConn(s, ep, wq)
	abandon := func(err error) (*Conn, error) {
		c.release()
		ep.Abort()
		return fail(err)
	}
	s.paths.prepare(remote.Addr())
	start := time.Now()
	to := tcpip.FullAddress{NIC: nicID, Addr: addressOf(remote.Addr()), Port: remote.Port()}
	terr = ep.Connect(to)
	if _, started := terr.(*tcpip.ErrConnectStarted); started {
		select {
		case <-c.writable:
		case <-ctx.Done():
			return abandon(s.lateError(remote.Addr(), ctx.Err()))
		case <-s.lost:
			return abandon(s.lostErr)
		}
		terr = ep.LastError()
	}
	if terr != nil {
		return abandon(errorOf(terr))
	}
	s.paths.learn(remote.Addr(), time.Since(start))
	c.established()
	return c, nil
}

// dialUDP returns a UDP connection, for questions to name servers.
func (s *Stack) dialUDP(remote netip.AddrPort) (net.Conn, error) {
	if err := s.lostError(); err != nil {
		return nil, err
	}
	to := tcpip.FullAddress{NIC: nicID, Addr: addressOf(remote.Addr()), Port: remote.Port()}
	c, err := gonet.DialUDP(s.s, nil, &to, protocolOf(remote.Addr()))
	if err != nil {
		return nil, err
	}
	return c, nil
}

var errNoAddress = errors.New("no address of the wanted family")
