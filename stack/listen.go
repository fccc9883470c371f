package stack

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"sync"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// backlog is the number of connections that may wait for Accept.
const backlog = 16

// Listen announces the stack on address, one of its own literal addresses and
// a port, joined as by [net.JoinHostPort]; port 0 picks a free one, and an
// empty host stands for every address of the family, IPv4 unless network says
// "tcp6". It is a drop-in for [net.ListenConfig.Listen]. It does not block.
//
// Accept of the returned listener blocks until a peer has connected, or the
// listener or the stack is closed; it returns [*Conn]s.
func (s *Stack) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	fail := func(err error) (net.Listener, error) {
		return nil, &net.OpError{Op: "listen", Net: network, Err: err}
	}
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return fail(net.UnknownNetworkError(network))
	}
	if err := ctx.Err(); err != nil {
		return fail(err)
	}
	if err := s.lostError(); err != nil {
		return fail(err)
	}
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return fail(err)
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return fail(&net.AddrError{Err: "invalid port", Addr: address})
	}
	// Without the NIC: with it, the stack takes any IPv4 address for its own.
	local := tcpip.FullAddress{Port: uint16(port)}
	addr := netip.IPv4Unspecified()
	if network == "tcp6" {
		addr = netip.IPv6Unspecified()
	}
	if host != "" {
		if addr, err = netip.ParseAddr(host); err != nil {
			return fail(err)
		}
	}
	if is4 := addr.Unmap().Is4(); network == "tcp4" && !is4 || network == "tcp6" && is4 {
		return fail(&net.AddrError{Err: errNoAddress.Error(), Addr: address})
	}
	if !addr.IsUnspecified() {
		local.Addr = addressOf(addr)
	}
	wq := new(waiter.Queue)
	ep, terr := s.s.NewEndpoint(tcp.ProtocolNumber, protocolOf(addr), wq)
	if terr != nil {
		return fail(errorOf(terr))
	}
	ep.SocketOptions().SetV6Only(true)
	if terr = ep.Bind(local); terr == nil {
		terr = ep.Listen(backlog)
	}
	if terr != nil {
		ep.Close()
		return fail(errorOf(terr))
	}
	l := &listener{stack: s, ep: ep, closed: make(chan struct{}), addr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, uint16(port)))}
	if a, terr := ep.GetLocalAddress(); terr == nil {
		l.addr.Port = int(a.Port)
	}
	l.entry, l.acceptable = waiter.NewChannelEntry(waiter.ReadableEvents)
	wq.EventRegister(&l.entry)
	l.wq = wq
	return l, nil
}

type listener struct {
	stack      *Stack
	ep         tcpip.Endpoint
	wq         *waiter.Queue
	entry      waiter.Entry
	acceptable chan struct{}
	addr       *net.TCPAddr
	closed     chan struct{}
	closeOnce  sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	for {
		ep, wq, err := l.ep.Accept(nil)
		switch err.(type) {
		case nil:
			c := newConn(l.stack, ep, wq)
			c.established()
			return c, nil
		case *tcpip.ErrWouldBlock:
		default:
			select {
			case <-l.closed:
				return nil, l.opError(net.ErrClosed)
			case <-l.stack.lost:
				return nil, l.opError(l.stack.lostErr)
			default:
				return nil, l.opError(errorOf(err))
			}
		}
		select {
		case <-l.acceptable:
		case <-l.closed:
			return nil, l.opError(net.ErrClosed)
		case <-l.stack.lost:
			return nil, l.opError(l.stack.lostErr)
		}
	}
}

// Close unblocks Accept. Connections that wait for it are reset.
func (l *listener) Close() error {
	l.closeOnce.Do(func() {
		close(l.closed)
		l.wq.EventUnregister(&l.entry)
		l.ep.Close()
	})
	return nil
}

func (l *listener) Addr() net.Addr { return l.addr }

func (l *listener) opError(err error) error {
	return &net.OpError{Op: "accept", Net: "tcp", Addr: l.addr, Err: err}
}
