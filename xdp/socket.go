package xdp

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"

	"github.com/seed-54eb6215/xftp/frame"
	"golang.org/x/sys/unix"
)

// Socket is an AF_XDP socket: it receives the frames that the program of the
// interface sends to it, and sends frames past the kernel's network stack.
//
// One goroutine calls Receive. Reserve, Submit and Flush are never called by
// two goroutines at once, but may be called while Receive runs, and by the
// function that Receive calls. Everything else may be called at any time.
type Socket struct {
	ifindex int
	info    frame.Info
	mode    Mode
	rings   rings
	closed  atomic.Bool
	stats   counters

	// Receive's.
	receiving sync.Mutex // held by Receive; Close waits for it
	spin      int
	nap       func() // nap, but in tests
	batch     []frame.Frame
	taken     []uint64 // addresses of the batch's frames
	polled    [2]unix.PollFd
	patience  int     // longest sleep in milliseconds
	streaming bool    // the last batch was large
	events    [8]byte // what is read from the eventfd, for nobody

	// Reserve's, Submit's and Flush's.
	sending framePool
	pending atomic.Int64

	// Wake's.
	woken atomic.Bool
	life  sync.RWMutex // held by those who use a descriptor; Close takes it to close them
	event int          // eventfd(2) that ends poll(2); -1 when closed
	one   [8]byte      // what is written to it: the number 1, never changed
}

// newSocket makes a socket of rings and fills the fill ring. It owns r unless
// it returns an error.
func newSocket(r rings, cfg SocketConfig) (*Socket, error) {
	event, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, opError("open", err)
	}
	s := &Socket{
		rings: r,
		event: event,
		one:   [8]byte{1},
		info:  frame.Info{MaxFrame: cfg.FrameSize},
		spin:  cfg.Spin,
		nap:   nap,

		patience: pollTimeout,
		batch:    make([]frame.Frame, 0, min(cfg.Batch, cfg.RxFrames)),
		taken:    make([]uint64, 0, min(cfg.Batch, cfg.RxFrames)),
	}
	s.polled[0] = unix.PollFd{Fd: int32(r.descriptor()), Events: unix.POLLIN}
	s.polled[1] = unix.PollFd{Fd: int32(event), Events: unix.POLLIN}
	s.sending.init(cfg.FrameSize, cfg.RxFrames, cfg.TxFrames)
	fill := &r.memory().fill
	for i := range cfg.RxFrames {
		fill.put(uint64(i) * uint64(cfg.FrameSize))
	}
	fill.publish()
	return s, nil
}

// Info returns what the interface was when the socket was opened. Its MaxFrame
// is the size of a transmit buffer; received frames are up to 256 bytes
// smaller, and the MTU is checked to fit both.
func (s *Socket) Info() frame.Info { return s.info }

// Mode returns the mode that the kernel gave the socket: ModeZeroCopy,
// ModeCopy or ModeGeneric.
func (s *Socket) Mode() Mode { return s.mode }

// Wake makes Receive return without a batch: at once, or the next time it
// finds no frame.
func (s *Socket) Wake() {
	if s.woken.Swap(true) {
		return // and whoever set it has written, or is about to
	}
	s.life.RLock()
	defer s.life.RUnlock()
	if s.event >= 0 {
		// It fails only if the counter is full, and then poll returns anyway.
		_, _ = unix.Write(s.event, s.one[:])
	}
}

// Close ends Receive and frees the socket and its memory; the kernel drops it
// from the program's map. Frames that were submitted and not sent yet are
// lost. Close must not be called from the function that Receive calls, nor
// while another goroutine is in Reserve, Submit or Flush. Further calls do
// nothing.
func (s *Socket) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.Wake()
	s.receiving.Lock()
	defer s.receiving.Unlock()
	s.life.Lock()
	defer s.life.Unlock()
	err := errors.Join(s.rings.close(), unix.Close(s.event))
	s.event = -1
	s.pending.Store(0)
	if err != nil {
		return opError("close", err)
	}
	return nil
}

// withDescriptor runs f with the socket's file descriptor, which cannot be
// closed meanwhile.
func (s *Socket) withDescriptor(f func(fd int) error) error {
	s.life.RLock()
	defer s.life.RUnlock()
	if s.closed.Load() {
		return net.ErrClosed
	}
	return f(s.rings.descriptor())
}

func closedError(op string) error { return &OpError{Op: op, Err: net.ErrClosed} }
