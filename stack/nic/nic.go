package nic

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"github.com/seed-54eb6215/xftp/stack"
	"github.com/seed-54eb6215/xftp/xdp"
)

// Config says which interface to use, and as whom. Interface and Addresses are
// required.
type Config struct {
	// Interface is the name of the interface in the network namespace of the
	// thread that calls Open.
	Interface string

	// Queue is the queue of the interface to use. Frames of the stack's that
	// the NIC puts on another queue go to the kernel and are lost to it.
	Queue int

	// Addresses are the stack's own, each with the length of its subnet's
	// prefix. The interface's subnet must route them to this link, and no
	// host on it, this one included, may have them.
	Addresses []netip.Prefix

	// Gateways are the next hops beyond the subnets of Addresses, at most one
	// of each family.
	Gateways []netip.Addr

	// Nameservers are asked for names; nil means those of /etc/resolv.conf
	// that are not on this host itself.
	Nameservers []netip.AddrPort

	// Mode is how frames come into the process. The zero value takes the best
	// that the driver offers: zero-copy, else copy, else generic.
	Mode xdp.Mode
}

// A NIC is a stack on one queue of a network interface. It dials and listens
// as its embedded [stack.Stack] does.
type NIC struct {
	*stack.Stack

	program *xdp.Program
	socket  *xdp.Socket
	driver  string

	closeOnce sync.Once
	closeErr  error
}

// SetupError is the error of [Open]: the network path could not be set up.
type SetupError struct {
	Step  string // what was done: "find interface", "attach program", ...
	Iface string // name of the interface
	Err   error
}

func (e *SetupError) Error() string { return fmt.Sprintf("%s: %s: %v", e.Iface, e.Step, e.Err) }

// Unwrap returns e.Err.
func (e *SetupError) Unwrap() error { return e.Err }

// Errors that Open wraps, besides those of package xdp.
var (
	ErrNoInterface  = errors.New("no such interface")
	ErrLinkDown     = errors.New("the link is down")
	ErrNoCarrier    = errors.New("the link has no carrier")
	ErrUnsupported  = errors.New("kind of interface that has no queues of its own")
	ErrAddressInUse = errors.New("address belongs to this host")
)

// Open sets up a stack on a queue of an interface in the network namespace of
// the calling thread, and returns it with frames flowing. Cancelling ctx ends
// the wait for a busy queue or a link that is coming up; it has no effect once
// Open has returned.
//
// Every error is a [*SetupError]. It wraps one of the errors above,
// [*xdp.IncumbentError] if another program is attached to the interface, or an
// errno: EPERM without privilege, EBUSY if the queue is taken, EINVAL if there
// is no such queue, EOPNOTSUPP if the driver cannot do the mode.
func Open(ctx context.Context, cfg Config) (*NIC, error) {
	n := new(NIC)
	if step, err := n.open(ctx, cfg); err != nil {
		if cerr := n.Close(); cerr != nil {
			err = errors.Join(err, cerr)
		}
		return nil, &SetupError{Step: step, Iface: cfg.Interface, Err: err}
	}
	return n, nil
}

// open does the work of Open, in the order that loses no frame: by the time
// the filter is switched on, the fill ring is full and the stack receives. It
// returns the name of the step that went wrong.
func (n *NIC) open(ctx context.Context, cfg Config) (step string, err error) {
	host, err := lookUp(cfg.Interface)
	if err != nil {
		return "find interface", err
	}
	n.driver = host.driver
	if err := checkAddresses(cfg.Addresses); err != nil {
		return "check address", err
	}
	if cfg.Queue < 0 || cfg.Queue >= host.queues {
		return "choose queue", &xdp.OpError{Op: "queue", Err: &QueueError{Queue: cfg.Queue, Queues: host.queues}}
	}

	n.program, err = xdp.LoadProgram(host.index, xdp.ProgramConfig{
		Generic:    cfg.Mode == xdp.ModeGeneric,
		NativeOnly: cfg.Mode == xdp.ModeZeroCopy || cfg.Mode == xdp.ModeCopy,
		Queues:     host.queues,
	})
	if err != nil {
		return "attach program", err
	}
	// Some drivers restart the link when a program is attached, others when a
	// socket is bound in zero-copy mode.
	if err := awaitCarrier(ctx, host.index); err != nil {
		return "wait for the link", err
	}
	n.socket, err = xdp.Open(ctx, host.index, cfg.Queue, xdp.SocketConfig{Mode: cfg.Mode, Queues: host.queues})
	if err != nil {
		return "open socket", err
	}
	if err := awaitCarrier(ctx, host.index); err != nil {
		return "wait for the link", err
	}
	if err := n.program.Register(cfg.Queue, n.socket); err != nil {
		return "register socket", err
	}
	nameservers, search := cfg.Nameservers, []string(nil)
	if nameservers == nil {
		nameservers, search = hostNameservers(resolvConf)
	}
	n.Stack, err = stack.New(stack.Config{
		Addresses:   cfg.Addresses,
		Gateways:    cfg.Gateways,
		Nameservers: nameservers,
		Search:      search,
	}, &queue{Socket: n.socket, program: n.program})
	if err != nil {
		n.socket, n.program = nil, nil // closed by stack.New
		return "start stack", err
	}
	for _, p := range cfg.Addresses {
		if err := n.program.Allow(xdp.Match{Addr: p.Addr()}); err != nil {
			return "set filter", err
		}
	}
	if err := n.program.Enable(true); err != nil {
		return "set filter", err
	}
	return "", nil
}

// QueueError says that the interface has no such queue.
type QueueError struct {
	Queue  int // that was asked for
	Queues int // that there are, numbered from 0
}

func (e *QueueError) Error() string {
	if e.Queues == 1 {
		return fmt.Sprintf("there is no queue %d, only queue 0", e.Queue)
	}
	return fmt.Sprintf("there is no queue %d, only 0 to %d", e.Queue, e.Queues-1)
}

// Mode returns how frames come into the process; it is never xdp.ModeAuto.
func (n *NIC) Mode() xdp.Mode { return n.socket.Mode() }

// Driver returns the name of the interface's driver, "" if it has none.
func (n *NIC) Driver() string { return n.driver }

// Stats counts what happened since Open at each level: what the interface
// received, what the socket moved, and what the stack made of it.
type Stats struct {
	Program xdp.ProgramCounters
	Socket  xdp.Stats
	Stack   stack.Stats
}

// Stats returns the counters as they are now. An error means that some could
// not be read, as after Close; the others are valid.
func (n *NIC) Stats() (Stats, error) {
	st := Stats{Stack: n.Stack.Stats()}
	var perr, serr error
	st.Program, perr = n.program.Counters()
	st.Socket, serr = n.socket.Stats()
	return st, errors.Join(perr, serr)
}

// Close ends the stack as [stack.Stack.Close] does, closes the socket and
// detaches the program. Further calls return what the first returned.
func (n *NIC) Close() error {
	n.closeOnce.Do(func() {
		var errs []error
		switch {
		case n.Stack != nil:
			errs = append(errs, n.Stack.Close()) // closes the queue
		case n.socket != nil:
			errs = append(errs, (&queue{n.socket, n.program}).Close())
		case n.program != nil:
			errs = append(errs, n.program.Close())
		}
		n.closeErr = errors.Join(errs...)
	})
	return n.closeErr
}

// A queue is the stack's device: the socket, and the program that sends it its
// frames.
type queue struct {
	*xdp.Socket
	program *xdp.Program
}

// Close closes both at the same time. Each waits for a grace period of RCU in
// the kernel, some 10 ms.
func (q *queue) Close() error {
	detached := make(chan error, 1)
	go func() { detached <- q.program.Close() }()
	err := q.Socket.Close()
	return errors.Join(err, <-detached)
}
