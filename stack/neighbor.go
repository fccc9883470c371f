package stack

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	gstack "gvisor.dev/gvisor/pkg/tcpip/stack"
)

// A neighborError says that the time for a connection was over before the next host
// on the way had told its link address. With more time the error would have been
// EHOSTUNREACH alone.
type neighborError struct {
	hop      netip.Addr
	deadline error
}

func (e *neighborError) Error() string {
	return fmt.Sprintf("%v: %s has not answered %s so far", syscall.EHOSTUNREACH, e.hop, discoveryOf(e.hop))
}

// Unwrap returns both things that are so.
func (e *neighborError) Unwrap() []error { return []error{e.deadline, syscall.EHOSTUNREACH} }

// Timeout and Temporary make it a [net.Error] as that of the deadline is.
func (e *neighborError) Timeout() bool   { return true }
func (e *neighborError) Temporary() bool { return true }

func discoveryOf(a netip.Addr) string {
	if a.Is4() {
		return "ARP"
	}
	return "neighbour discovery"
}

// lateError returns the error of a connection to remote that err, of a context, has
// ended: err, or a [*neighborError].
func (s *Stack) lateError(remote netip.Addr, err error) error {
	hop := s.nextHop(remote)
	if !errors.Is(err, context.DeadlineExceeded) || !hop.IsValid() {
		return err
	}
	entries, _ := s.s.Neighbors(nicID, protocolOf(hop)) // its error is that there are none
	for _, e := range entries {
		if e.Addr == addressOf(hop) && e.State == gstack.Incomplete {
			return &neighborError{hop, err}
		}
	}
	return err
}

// nextHop returns the host on the link that frames for remote go to, or none.
func (s *Stack) nextHop(remote netip.Addr) netip.Addr {
	for _, p := range s.cfg.Addresses {
		if p.Contains(remote) {
			return remote
		}
	}
	for _, g := range s.cfg.Gateways {
		if g.Is4() == remote.Is4() {
			return g
		}
	}
	return netip.Addr{}
}
