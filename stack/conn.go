package stack

import (
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// A Conn is a TCP connection of a [Stack]. It is a [net.Conn] with half-close,
// and an [io.WriterTo] and [io.ReaderFrom] that use the buffers of the stack.
//
// Reads, writes and closes may be called by different goroutines at once.
// Reads block until data arrive, the peer closes, the read deadline passes,
// the Conn or the Stack is closed, or the device is lost; writes, until the
// send buffer has room, and otherwise likewise. Errors are [*net.OpError]s
// around the errno of a kernel socket in the same case ([syscall.ECONNRESET]
// and so on), [os.ErrDeadlineExceeded], [net.ErrClosed], or the error of the
// device that was lost.
type Conn struct {
	stack         *Stack
	ep            tcpip.Endpoint
	wq            *waiter.Queue
	local, remote *net.TCPAddr
	piece         int // bytes that are handed to the stack at a time, to be one packet

	readable, writable chan struct{} // hold a token when it pays to look again
	readEntry          waiter.Entry
	writeEntry         waiter.Entry
	readDeadline       deadline
	writeDeadline      deadline

	readMu  sync.Mutex // serialises readers
	writeMu sync.Mutex // serialises writers

	broken    atomic.Pointer[error] // why the connection broke, once a call was told
	closed    chan struct{}
	closeOnce sync.Once
	read      atomic.Uint64
	written   atomic.Uint64
}

var (
	_ net.Conn      = (*Conn)(nil)
	_ io.WriterTo   = (*Conn)(nil)
	_ io.ReaderFrom = (*Conn)(nil)
)

// newConn returns a Conn on ep, which is connected or connecting.
func newConn(s *Stack, ep tcpip.Endpoint, wq *waiter.Queue) *Conn {
	c := &Conn{
		stack:         s,
		ep:            ep,
		wq:            wq,
		readDeadline:  newDeadline(),
		writeDeadline: newDeadline(),
		closed:        make(chan struct{}),
		piece:         copyBuffer,
	}
	const failed = waiter.EventErr | waiter.EventHUp
	c.readEntry, c.readable = waiter.NewChannelEntry(waiter.ReadableEvents | failed)
	c.writeEntry, c.writable = waiter.NewChannelEntry(waiter.WritableEvents | failed)
	wq.EventRegister(&c.readEntry)
	wq.EventRegister(&c.writeEntry)
	return c
}

// established fills in the addresses of a connection that has been made.
func (c *Conn) established() {
	if a, err := c.ep.GetLocalAddress(); err == nil {
		c.local = tcpAddr(a)
	}
	if a, err := c.ep.GetRemoteAddress(); err == nil {
		c.remote = tcpAddr(a)
		ip := header.IPv4MinimumSize
		if a.Addr.Len() == header.IPv6AddressSize {
			ip = header.IPv6MinimumSize
		}
		c.piece = min(packetPayload(int(c.stack.link.mtu), ip), copyBuffer)
	}
	setKeepAlive(c.ep, c.stack.cfg.KeepAlive)
}

// LocalAddr returns the stack's end of the connection.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns the peer's end of the connection.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines; see [net.Conn].
func (c *Conn) SetDeadline(t time.Time) error {
	return c.setDeadline(t, &c.readDeadline, &c.writeDeadline)
}

// SetReadDeadline sets the time at which pending and future reads fail with
// [os.ErrDeadlineExceeded]; the zero time means never.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.setDeadline(t, &c.readDeadline) }

// SetWriteDeadline does the same for writes.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.setDeadline(t, &c.writeDeadline) }

func (c *Conn) setDeadline(t time.Time, deadlines ...*deadline) error {
	select {
	case <-c.closed:
		return c.opError("set", net.ErrClosed)
	default:
	}
	for _, d := range deadlines {
		d.set(t)
	}
	return nil
}

// CloseWrite sends what has been written and then a FIN. Reads go on.
func (c *Conn) CloseWrite() error {
	select {
	case <-c.closed:
		return c.opError("close", net.ErrClosed)
	default:
	}
	if err := c.ep.Shutdown(tcpip.ShutdownWrite); err != nil {
		return c.opError("close", errorOf(err))
	}
	return nil
}

// Close ends the connection. What was written is still delivered, in the
// background, as long as the Stack is open; [Stack.Close] waits for it. Data
// that were received and not read make it a reset instead, as with a kernel
// socket: read to the end of file first. Pending calls return an error that
// wraps [net.ErrClosed]. Further calls do nothing.
func (c *Conn) Close() error {
	c.closeOnce.Do(func() {
		close(c.closed)
		c.release()
		c.stack.remember(c)
		c.ep.Close()
	})
	return nil
}

// SetLinger sets what Close does with data that have not been acknowledged: if
// sec is negative, the default, they are still delivered; if it is 0, they are
// dropped and the connection is reset. A positive number, which means a time
// to package net, is taken as the default.
func (c *Conn) SetLinger(sec int) error {
	c.ep.SocketOptions().SetLinger(tcpip.LingerOption{Enabled: sec == 0})
	return nil
}

// release takes c off the notification queue of its endpoint.
func (c *Conn) release() {
	c.wq.EventUnregister(&c.readEntry)
	c.wq.EventUnregister(&c.writeEntry)
	c.readDeadline.stop()
	c.writeDeadline.stop()
}

// delivered says whether a closed connection has nothing left to send: the
// peer has acknowledged the FIN, or the connection is gone.
func (c *Conn) delivered() bool {
	switch tcp.EndpointState(c.ep.State()) {
	case tcp.StateEstablished, tcp.StateCloseWait, tcp.StateFinWait1, tcp.StateClosing, tcp.StateLastAck:
		return false
	}
	return true
}

// await blocks until ready holds a token, or until there is another reason to
// return, which it returns.
func (c *Conn) await(ready <-chan struct{}, d *deadline) error {
	select {
	case <-ready:
		return nil
	case <-d.wait():
		return os.ErrDeadlineExceeded
	case <-c.closed:
		return net.ErrClosed
	case <-c.stack.lost:
		return c.stack.lostErr
	}
}

// check returns the reason not to begin an operation, if there is one.
func (c *Conn) check(d *deadline) error {
	select {
	case <-c.closed:
		return net.ErrClosed
	case <-c.stack.lost:
		return c.stack.lostErr
	case <-d.wait():
		return os.ErrDeadlineExceeded
	default:
		return nil
	}
}

// failure returns the error of an operation that the endpoint refused with
// err. The endpoint tells the reason why a connection broke to one call and no
// other: those that come later would take a reset for the end of the stream.
// Here all are told. It returns nil if err is an orderly end.
func (c *Conn) failure(err tcpip.Error, d *deadline) error {
	// A Conn that is closed while it is in use is an endpoint in the wrong
	// state; its user knows the cause by another name.
	if err := c.check(d); err != nil {
		return err
	}
	var orderly bool
	switch err.(type) {
	case *tcpip.ErrClosedForReceive, *tcpip.ErrClosedForSend:
		orderly = true
	}
	broken := tcp.EndpointState(c.ep.State()) == tcp.StateError
	switch {
	case !broken && orderly:
		return nil
	case !broken:
		return errorOf(err)
	}
	reason := error(syscall.ECONNRESET)
	if !orderly {
		reason = errorOf(err)
	}
	c.broken.CompareAndSwap(nil, &reason)
	return *c.broken.Load()
}

func (c *Conn) opError(op string, err error) error {
	e := &net.OpError{Op: op, Net: "tcp", Err: err}
	if c.local != nil {
		e.Source = c.local
	}
	if c.remote != nil {
		e.Addr = c.remote
	}
	return e
}

func tcpAddr(a tcpip.FullAddress) *net.TCPAddr {
	addr, _ := netip.AddrFromSlice(a.Addr.AsSlice())
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, a.Port))
}
