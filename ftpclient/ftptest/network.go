package ftptest

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
)

// A Network joins hosts in memory. Its connections are those of [net.Pipe]: a
// Write waits for its Read, and deadlines work. Closing one after SetLinger(0)
// is a reset, which the other end sees as ECONNRESET. The zero Network is ready
// for use.
type Network struct {
	// Buffer, if positive, is how many bytes a connection holds in each
	// direction, so that a Write waits only when they are full. Its connections
	// also have a CloseWrite, and one that is closed with bytes left to read is
	// reset, as one of TCP is. TLS needs this: both sides may write first.
	Buffer int

	resets    atomic.Int64
	mu        sync.Mutex
	listeners map[netip.AddrPort]*listener
	port      uint16 // last one given out
}

// Host returns a host of the network with this address. It panics if addr is
// not an IP address.
func (n *Network) Host(addr string) *Host {
	return &Host{network: n, addr: netip.MustParseAddr(addr)}
}

// A Host dials and listens from its address.
type Host struct {
	network *Network
	addr    netip.Addr
}

// next returns a port that was not given out before.
func (n *Network) next() uint16 {
	n.port++
	return 1023 + n.port
}

// Listen listens on address, whose port may be 0.
func (h *Host) Listen(_ context.Context, _, address string) (net.Listener, error) {
	addr, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	n := h.network
	n.mu.Lock()
	defer n.mu.Unlock()
	if addr.Port() == 0 {
		addr = netip.AddrPortFrom(addr.Addr(), n.next())
	}
	if n.listeners[addr] != nil {
		return nil, syscall.EADDRINUSE
	}
	l := &listener{network: n, addr: addr, incoming: make(chan net.Conn, backlog), closed: make(chan struct{})}
	if n.listeners == nil {
		n.listeners = make(map[netip.AddrPort]*listener)
	}
	n.listeners[addr] = l
	return l, nil
}

// backlog is how many connections may wait for Accept.
const backlog = 8

// DialContext connects to a listener, which need not accept yet. Where nobody
// listens it returns ECONNREFUSED.
func (h *Host) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	addr, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	n := h.network
	n.mu.Lock()
	defer n.mu.Unlock()
	ours, theirs := n.connect(netip.AddrPortFrom(h.addr, n.next()), addr)
	if l := n.listeners[addr]; l != nil {
		select {
		case l.incoming <- theirs:
			return ours, nil
		default: // the backlog is full
		}
	}
	return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(addr), Err: syscall.ECONNREFUSED}
}

// connect returns the two ends of a new connection.
func (n *Network) connect(a, b netip.AddrPort) (ours, theirs net.Conn) {
	if n.Buffer > 0 {
		return streams(n, a, b, n.Buffer)
	}
	return pipe(a, b)
}

// Resets returns how many of the connections that buffer have been reset.
func (n *Network) Resets() int { return int(n.resets.Load()) }

type listener struct {
	network  *Network
	addr     netip.AddrPort
	incoming chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.incoming:
		return c, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.Addr(), Err: net.ErrClosed}
	}
}

func (l *listener) Close() error {
	l.once.Do(func() {
		l.network.mu.Lock()
		defer l.network.mu.Unlock()
		delete(l.network.listeners, l.addr)
		close(l.closed)
		for len(l.incoming) > 0 {
			_ = (<-l.incoming).Close() // nobody will accept it
		}
	})
	return nil
}

func (l *listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.addr) }

// Listeners returns how many listeners are open.
func (n *Network) Listeners() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.listeners)
}

// A conn is one end of a net.Pipe that has addresses and can be reset.
type conn struct {
	net.Conn
	local, remote netip.AddrPort
	abrupt        atomic.Bool // Close is a reset
	peer          *conn
	wasReset      atomic.Bool
}

func pipe(a, b netip.AddrPort) (x, y *conn) {
	p, q := net.Pipe()
	x = &conn{Conn: p, local: a, remote: b}
	y = &conn{Conn: q, local: b, remote: a, peer: x}
	x.peer = y
	return x, y
}

func (c *conn) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(c.local) }
func (c *conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

// SetLinger makes Close a reset if sec is 0.
func (c *conn) SetLinger(sec int) error {
	c.abrupt.Store(sec == 0)
	return nil
}

func (c *conn) Close() error {
	if c.abrupt.Load() {
		c.peer.wasReset.Store(true)
	}
	return c.Conn.Close()
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	return n, c.fault("read", err)
}

func (c *conn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	return n, c.fault("write", err)
}

// fault turns the end of the pipe into a reset where it was one.
func (c *conn) fault(op string, err error) error {
	if c.wasReset.Load() && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe)) {
		return &net.OpError{Op: op, Net: "tcp", Err: syscall.ECONNRESET}
	}
	return err
}
