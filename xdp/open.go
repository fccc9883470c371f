package xdp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// headroom is where in its frame the kernel puts a received packet
	// (XDP_PACKET_HEADROOM in linux/bpf.h).
	headroom = 256

	// linkHeader is the largest Ethernet header: one with a VLAN tag.
	linkHeader = 18

	// minFrame is the shortest Ethernet frame in bytes, without its check
	// sequence. Shorter ones are padded.
	minFrame = 60

	// bindPatience is how long a busy queue is tried again. The kernel gives
	// a queue free some 30 ms after its last owner is gone.
	bindPatience = time.Second
	bindInterval = 10 * time.Millisecond
)

// SocketConfig says how to open a [Socket]. The zero value is a good choice.
type SocketConfig struct {
	// Mode is how to bind. ModeAuto tries zero-copy, then copy. ModeGeneric
	// is ModeCopy on an interface whose program is attached in generic mode;
	// the program decides that, not the socket.
	Mode Mode

	// FrameSize is the size of a frame's memory in bytes: 2048 or 4096. The
	// largest packet with its Ethernet header is 256 bytes smaller. If zero,
	// the smallest that holds the interface's MTU.
	FrameSize int

	// RxFrames is how many frames are for receiving, a power of two. If
	// zero, 4096: four milliseconds at 12 Gb/s and 1500 bytes, which is how
	// long the process may be off its CPU without a loss; 1024 where so much
	// memory may not be locked.
	RxFrames int

	// TxFrames is how many frames are for sending, a power of two. If zero,
	// 1024.
	TxFrames int

	// Batch is the largest number of frames that Receive delivers at once.
	// If zero, a quarter of RxFrames: what waits is taken at once, so that
	// several connections at a time are coalesced and acknowledged as well as
	// one, and enough is left for what arrives meanwhile.
	Batch int

	// Spin is how many times Receive looks for frames, some two microseconds
	// apart and letting other goroutines run in between, before it blocks in
	// poll(2). If zero, 300. If negative, Receive does not, nor does it nap
	// while frames stream in.
	Spin int

	// Queues is how many queues the interface has. If zero, it is read with
	// [Queues]. With a program attached, pass [Program.Queues]: binding a
	// queue beyond what there was before may crash the kernel.
	Queues int
}

// withDefaults fills in what is zero and checks the rest.
func (c SocketConfig) withDefaults(mtu int) (SocketConfig, error) {
	if c.FrameSize == 0 {
		c.FrameSize = 2048
		if mtu+linkHeader > c.FrameSize-headroom {
			c.FrameSize = 4096
		}
	}
	for _, d := range []struct {
		field *int
		value int
	}{{&c.RxFrames, 4096}, {&c.TxFrames, 1024}, {&c.Spin, 300}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if c.Batch == 0 {
		c.Batch = max(1, c.RxFrames/4)
	}
	const most = 1 << 16
	switch {
	case int(c.Mode) >= len(modeNames):
		return c, fmt.Errorf("mode %v: %w", c.Mode, unix.EINVAL)
	case c.FrameSize != 2048 && c.FrameSize != 4096:
		return c, fmt.Errorf("frame size %d is neither 2048 nor 4096: %w", c.FrameSize, unix.EINVAL)
	case c.RxFrames < 1 || c.RxFrames > most || c.RxFrames&(c.RxFrames-1) != 0:
		return c, fmt.Errorf("%d receive frames are not a power of two up to %d: %w", c.RxFrames, most, unix.EINVAL)
	case c.TxFrames < 1 || c.TxFrames > most || c.TxFrames&(c.TxFrames-1) != 0:
		return c, fmt.Errorf("%d transmit frames are not a power of two up to %d: %w", c.TxFrames, most, unix.EINVAL)
	case c.Batch < 1:
		return c, fmt.Errorf("batch of %d frames: %w", c.Batch, unix.EINVAL)
	case mtu+linkHeader > c.FrameSize-headroom:
		return c, fmt.Errorf("MTU %d does not fit a frame of %d bytes; the largest that fits is %d: %w",
			mtu, c.FrameSize, c.FrameSize-headroom-linkHeader, unix.EMSGSIZE)
	}
	return c, nil
}

// Open binds a new socket to a queue of an interface in the calling thread's
// network namespace. Attach the program first: some drivers refuse the bind
// without one. The fill ring is full when Open returns, so that the socket can
// be registered at once.
//
// A queue that is busy is tried again for up to one second, or until ctx is
// done. Errors are *[OpError] and wrap the kernel's errno: EBUSY if the queue
// is taken, EPERM without CAP_NET_RAW, EOPNOTSUPP if the driver cannot do the
// mode, ENETDOWN (ClassLink) if it cannot while the interface is down, ENOBUFS if
// too little memory may be locked, EMSGSIZE if the MTU is too large.
func Open(ctx context.Context, ifindex, queue int, cfg SocketConfig) (*Socket, error) {
	facts, err := readLink(ifindex)
	if err != nil {
		return nil, opError("open", err)
	}
	asked := cfg
	cfg, err = cfg.withDefaults(facts.mtu)
	if err != nil {
		return nil, opError("open", err)
	}
	if cfg.Queues == 0 {
		if cfg.Queues, err = Queues(ifindex); err != nil {
			return nil, err
		}
	}
	if queue < 0 || queue >= cfg.Queues {
		return nil, opError("open", fmt.Errorf("queue %d: the interface has %d: %w", queue, cfg.Queues, unix.EINVAL))
	}
	generic := facts.attached == xdpAttachedGeneric
	r, err := bind(ctx, ifindex, queue, cfg, generic)
	if asked.RxFrames == 0 && errors.Is(err, unix.ENOBUFS) {
		// The usual limit is 8 MiB (RLIMIT_MEMLOCK, getrlimit(2)), and holds for
		// who is not root.
		cfg.RxFrames = 1024
		cfg.Batch = min(cfg.Batch, cfg.RxFrames/4)
		r, err = bind(ctx, ifindex, queue, cfg, generic)
	}
	if err != nil {
		return nil, err
	}
	s, err := newSocket(r, cfg)
	if err != nil {
		r.close()
		return nil, err
	}
	s.ifindex = ifindex
	s.info.MAC, s.info.MTU, s.info.Queue = facts.mac, facts.mtu, queue
	s.mode, err = readMode(r.fd, generic)
	if err != nil {
		s.Close()
		return nil, err
	}
	raiseBudgets(r.fd, cfg)
	return s, nil
}

// bind opens the rings in the mode that is asked for, and tells the kernel
// which one that is: left to itself it falls back in silence.
func bind(ctx context.Context, ifindex, queue int, cfg SocketConfig, generic bool) (*asavieRings, error) {
	g := geometry{frameSize: cfg.FrameSize, rxFrames: cfg.RxFrames, txFrames: cfg.TxFrames}
	var tryZeroCopy, tryCopy bool
	switch cfg.Mode {
	case ModeAuto:
		// Each try registers memory and, when refused, waits for a grace
		// period of RCU: 10 ms in all.
		declared, err := zeroCopyDeclared(ifindex)
		tryZeroCopy, tryCopy = !generic && (declared || err != nil), true
	case ModeZeroCopy:
		tryZeroCopy = true
	default:
		tryCopy = true
	}
	if tryZeroCopy {
		r, err := bindPatiently(ctx, ifindex, queue, g, unix.XDP_ZEROCOPY)
		if err == nil || !tryCopy || !zeroCopyRefused(err) {
			return r, err
		}
	}
	return bindPatiently(ctx, ifindex, queue, g, unix.XDP_COPY)
}

// zeroCopyRefused says that copy mode is worth a try. Drivers give several
// reasons for not doing zero-copy; the others would stop copy mode, too.
func zeroCopyRefused(err error) bool {
	for _, errno := range []error{unix.EBUSY, unix.ENETDOWN, unix.ENODEV, unix.EPERM, unix.ENOBUFS} {
		if errors.Is(err, errno) {
			return false
		}
	}
	var e *OpError
	return errors.As(err, &e) && e.Op == "bind"
}

// bindPatiently tries again while the queue is busy.
func bindPatiently(ctx context.Context, ifindex, queue int, g geometry, flags uint16) (*asavieRings, error) {
	deadline := time.Now().Add(bindPatience)
	for {
		r, err := openAsavie(ifindex, queue, g, flags|unix.XDP_USE_NEED_WAKEUP)
		if err == nil || !errors.Is(err, unix.EBUSY) || time.Now().After(deadline) {
			return r, err
		}
		timer := time.NewTimer(bindInterval)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, &OpError{Op: "wait for a busy queue", Class: ClassRetry, Err: fmt.Errorf("%w (%w)", context.Cause(ctx), err)}
		}
	}
}

// readMode asks the kernel which mode a socket got.
func readMode(fd int, generic bool) (Mode, error) {
	flags, err := unix.GetsockoptInt(fd, unix.SOL_XDP, unix.XDP_OPTIONS)
	switch {
	case err != nil:
		return 0, opError("read mode", err)
	case flags&unix.XDP_OPTIONS_ZEROCOPY != 0:
		return ModeZeroCopy, nil
	case generic:
		return ModeGeneric, nil
	}
	return ModeCopy, nil
}

// raiseBudgets lifts two limits on how much one call sends in copy mode: 32
// frames unless told otherwise (Linux 6.17), and the send buffer. Where the
// kernel refuses, sending takes more calls.
func raiseBudgets(fd int, cfg SocketConfig) {
	_ = unix.SetsockoptInt(fd, unix.SOL_XDP, unix.XDP_MAX_TX_SKB_BUDGET, cfg.TxFrames)
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, cfg.TxFrames*2*cfg.FrameSize)
}
