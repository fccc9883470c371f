package ftptest

import (
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// A wire is what the two ends of a buffered connection share.
type wire struct {
	mu      sync.Mutex
	changed *sync.Cond
	network *Network
}

// A stream is one end of a connection that buffers. It is as one of TCP where that
// matters to a protocol: half of it can be closed, and a close that leaves bytes
// unread is a reset, by which the peer loses what it has not read.
type stream struct {
	wire          *wire
	peer          *stream
	local, remote netip.AddrPort
	limit         int // bytes that may wait for the peer to read them

	// Guarded by wire.mu.
	arrived []byte // and not read yet
	ended   bool   // the peer writes no more
	shut    bool   // this end writes no more
	closed  bool
	broken  bool // by a reset
	abrupt  bool // Close is a reset
	readBy  alarm
	writeBy alarm
}

// An alarm is a deadline.
type alarm struct {
	at    time.Time
	timer *time.Timer
}

func (a *alarm) passed() bool { return !a.at.IsZero() && !time.Now().Before(a.at) }

// set moves the deadline; the caller holds w.mu.
func (a *alarm) set(w *wire, at time.Time) {
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
	a.at = at
	if !at.IsZero() {
		a.timer = time.AfterFunc(time.Until(at), func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.changed.Broadcast()
		})
	}
	w.changed.Broadcast()
}

// streams returns the two ends of a connection that holds up to limit bytes in
// each direction.
func streams(n *Network, a, b netip.AddrPort, limit int) (x, y *stream) {
	w := &wire{network: n}
	w.changed = sync.NewCond(&w.mu)
	x = &stream{wire: w, local: a, remote: b, limit: limit}
	y = &stream{wire: w, local: b, remote: a, limit: limit, peer: x}
	x.peer = y
	return x, y
}

func (s *stream) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(s.local) }
func (s *stream) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(s.remote) }

func (s *stream) fault(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: s.LocalAddr(), Addr: s.RemoteAddr(), Err: err}
}

func (s *stream) Read(p []byte) (int, error) {
	s.wire.mu.Lock()
	defer s.wire.mu.Unlock()
	for {
		switch {
		case s.closed:
			return 0, s.fault("read", net.ErrClosed)
		case s.readBy.passed():
			return 0, s.fault("read", os.ErrDeadlineExceeded)
		case len(p) == 0:
			return 0, nil
		case len(s.arrived) > 0:
			n := copy(p, s.arrived)
			s.arrived = s.arrived[n:]
			s.wire.changed.Broadcast()
			return n, nil
		case s.broken:
			return 0, s.fault("read", syscall.ECONNRESET)
		case s.ended:
			return 0, io.EOF
		}
		s.wire.changed.Wait()
	}
}

func (s *stream) Write(p []byte) (n int, err error) {
	s.wire.mu.Lock()
	defer s.wire.mu.Unlock()
	for {
		switch {
		case s.closed:
			return n, s.fault("write", net.ErrClosed)
		case s.writeBy.passed():
			return n, s.fault("write", os.ErrDeadlineExceeded)
		case s.broken:
			return n, s.fault("write", syscall.ECONNRESET)
		case s.shut:
			return n, s.fault("write", syscall.EPIPE)
		case n == len(p):
			return n, nil
		case s.peer.closed: // what comes there now is answered by a reset
			s.reset()
			return n, s.fault("write", syscall.ECONNRESET)
		}
		if room := s.limit - len(s.peer.arrived); room > 0 {
			m := min(room, len(p)-n)
			s.peer.arrived = append(s.peer.arrived, p[n:n+m]...)
			n += m
			s.wire.changed.Broadcast()
			continue
		}
		s.wire.changed.Wait()
	}
}

// reset breaks this end; the caller holds wire.mu.
func (s *stream) reset() {
	s.broken = true
	s.wire.network.resets.Add(1)
	s.wire.changed.Broadcast()
}

// CloseWrite ends what this end writes. Reads go on.
func (s *stream) CloseWrite() error {
	s.wire.mu.Lock()
	defer s.wire.mu.Unlock()
	if s.closed {
		return s.fault("close", net.ErrClosed)
	}
	s.shut, s.peer.ended = true, true
	s.wire.changed.Broadcast()
	return nil
}

func (s *stream) Close() error {
	s.wire.mu.Lock()
	defer s.wire.mu.Unlock()
	if s.closed {
		return s.fault("close", net.ErrClosed)
	}
	s.closed = true
	if (s.abrupt || len(s.arrived) > 0) && !s.peer.closed && !s.broken {
		s.peer.arrived = nil
		s.peer.reset()
	}
	s.peer.ended = true
	s.readBy.set(s.wire, time.Time{})
	s.writeBy.set(s.wire, time.Time{})
	return nil
}

// SetLinger makes Close a reset if sec is 0.
func (s *stream) SetLinger(sec int) error {
	s.wire.mu.Lock()
	defer s.wire.mu.Unlock()
	s.abrupt = sec == 0
	return nil
}

// Unacknowledged returns how many bytes the peer has not read.
func (s *stream) Unacknowledged() int {
	s.wire.mu.Lock()
	defer s.wire.mu.Unlock()
	return len(s.peer.arrived)
}

func (s *stream) SetDeadline(t time.Time) error      { return s.setDeadlines(t, &s.readBy, &s.writeBy) }
func (s *stream) SetReadDeadline(t time.Time) error  { return s.setDeadlines(t, &s.readBy) }
func (s *stream) SetWriteDeadline(t time.Time) error { return s.setDeadlines(t, &s.writeBy) }

func (s *stream) setDeadlines(t time.Time, alarms ...*alarm) error {
	s.wire.mu.Lock()
	defer s.wire.mu.Unlock()
	if s.closed {
		return s.fault("set", net.ErrClosed)
	}
	for _, a := range alarms {
		a.set(s.wire, t)
	}
	return nil
}
