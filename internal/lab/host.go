package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// ErrClosed is returned by what is asked of a host whose lab is closed.
var ErrClosed = errors.New("lab: closed")

// Host is one of the two hosts of a lab: a network namespace with one
// interface. Its methods may be called from any goroutine.
type Host struct {
	Name      string           // name of the namespace, as in: ip netns exec NAME
	Interface string           // name of the interface, the same on both hosts
	Index     int              // index of the interface in the namespace
	MAC       net.HardwareAddr // hardware address of the interface

	// Addresses of the interface, which the namespace's kernel answers to.
	IPv4, IPv6 netip.Prefix

	// Addresses of the same subnets that nobody has: xftp may take them for
	// a stack of its own on this host's interface.
	OwnIPv4, OwnIPv6 netip.Prefix

	lab     *Lab
	ns      *namespace
	starter *starter

	mu       sync.Mutex
	closed   bool
	children []*os.Process
	servers  []*Server
}

// newHost makes a host without a link. Role is client, server or relay.
func newHost(l *Lab, role string) (*Host, error) {
	ns, err := newNamespace(l.prefix + "-" + role)
	if err != nil {
		return nil, err
	}
	h := &Host{Name: ns.name, Interface: "eth0", lab: l, ns: ns}
	if h.starter, err = newStarter(ns); err != nil {
		return nil, errors.Join(err, ns.remove())
	}
	return h, nil
}

// setAddresses gives the host the addresses that go with a number.
func (h *Host) setAddresses(number byte) {
	h.IPv4, h.IPv6 = hostAddr4(number), hostAddr6(number)
	h.OwnIPv4, h.OwnIPv6 = hostAddr4(100+number), hostAddr6(100+number)
}

// Do runs fn on a thread of its own in the host's namespace and returns its
// error. Sockets that fn opens belong to the namespace for good; goroutines
// that fn starts do not run in it. The thread ends with fn: a child process
// that is to outlive fn has to be started by Start. A panic in fn, or the end
// of it by testing's FailNow, is passed on to the caller.
func (h *Host) Do(fn func() error) error {
	h.mu.Lock()
	closed := h.closed
	h.mu.Unlock()
	if closed {
		return ErrClosed
	}
	return h.ns.do(fn)
}

// Start starts cmd in the host's namespace. The caller waits for it, as
// after cmd.Start. The child gets SIGKILL when this process dies, by whatever
// cause, and when the lab is closed; SysProcAttr is kept otherwise. Children
// of the child are its own affair.
func (h *Host) Start(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	h.mu.Lock() // held while it starts: close must not miss a child
	defer h.mu.Unlock()
	if h.closed {
		return ErrClosed
	}
	if err := h.starter.run(cmd.Start); err != nil {
		return err
	}
	h.children = append(h.children, cmd.Process)
	return nil
}

// DialContext connects from a kernel socket of the host, as *net.Dialer
// does. The host in address is an IP address: names are not looked up here.
func (h *Host) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if err := requireIP(address); err != nil {
		return nil, err
	}
	var conn net.Conn
	err := h.Do(func() (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// Listen listens on a kernel socket of the host, as *net.ListenConfig does.
// The host in address is empty or an IP address.
func (h *Host) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	if err := requireIP(address); err != nil {
		return nil, err
	}
	var ln net.Listener
	err := h.Do(func() (err error) {
		ln, err = new(net.ListenConfig).Listen(ctx, network, address)
		return err
	})
	return ln, err
}

// requireIP refuses names: net resolves them in goroutines of its own, which
// would ask from outside the namespace.
func requireIP(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if host == "" {
		return nil
	}
	_, err = netip.ParseAddr(host)
	return err
}

// close ends the host's processes and removes its namespace.
func (h *Host) close() error {
	h.mu.Lock()
	h.closed = true
	servers, children := h.servers, h.children
	h.servers, h.children = nil, nil
	h.mu.Unlock()

	var errs []error
	for _, s := range servers {
		errs = append(errs, s.Stop())
	}
	for _, p := range children {
		if err := p.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			errs = append(errs, fmt.Errorf("end process %d: %w", p.Pid, err))
		}
	}
	h.starter.stop()
	// The link goes at once; the namespace may take the kernel a while.
	errs = append(errs, h.ns.do(h.removeLink), h.ns.remove())
	return errors.Join(errs...)
}
