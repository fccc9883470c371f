package xdp

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"

	"golang.org/x/sys/unix"
)

// maxRanges is how many port ranges fit one address: MAX_RANGES in steer.c.
const maxRanges = len(steerMatch{}.Ranges)

// Match is what a program takes from an interface.
type Match struct {
	// Addr is the destination address. IPv4-mapped IPv6 addresses count as
	// IPv4; zones are not allowed.
	Addr netip.Addr

	// PortLo and PortHi are the first and the last destination port. With
	// both zero the whole address is taken: every IP packet to it, and ARP
	// or neighbour solicitations for it; the kernel must not own the address
	// then. Otherwise only unfragmented TCP to a port in the range is taken,
	// and the address stays the kernel's in every other way.
	PortLo, PortHi uint16
}

// String returns the address, or the address and its ports.
func (m Match) String() string {
	if m.whole() {
		return m.Addr.String()
	}
	return fmt.Sprintf("%v ports %d-%d", m.Addr, m.PortLo, m.PortHi)
}

func (m Match) whole() bool { return m.PortLo == 0 && m.PortHi == 0 }

// key returns the match's address as the filter looks it up, or an error if
// the match can match nothing.
func (m Match) key() (steerAddress, error) {
	switch {
	case !m.Addr.IsValid() || m.Addr.IsUnspecified():
		return steerAddress{}, errors.New("no address")
	case m.Addr.Zone() != "":
		return steerAddress{}, errors.New("address has a zone")
	case m.Addr.IsMulticast():
		return steerAddress{}, errors.New("address is multicast")
	case !m.whole() && (m.PortLo == 0 || m.PortLo > m.PortHi):
		return steerAddress{}, errors.New("port range is empty or has port 0")
	}
	return steerAddress{B: m.Addr.As16()}, nil
}

// add makes e match m as well. It changes nothing if it does already.
func (e *steerMatch) add(m Match) error {
	if m.whole() {
		e.Whole = 1
		return nil
	}
	if e.index(m) >= 0 {
		return nil
	}
	if int(e.Count) == maxRanges {
		return fmt.Errorf("address has %d port ranges already: %w", maxRanges, unix.ENOSPC)
	}
	e.Ranges[e.Count].Lo, e.Ranges[e.Count].Hi = m.PortLo, m.PortHi
	e.Count++
	return nil
}

// remove takes back what add added.
func (e *steerMatch) remove(m Match) error {
	if m.whole() {
		if e.Whole == 0 {
			return fs.ErrNotExist
		}
		e.Whole = 0
		return nil
	}
	i := e.index(m)
	if i < 0 {
		return fs.ErrNotExist
	}
	e.Count--
	e.Ranges[i] = e.Ranges[e.Count]
	e.Ranges[e.Count].Lo, e.Ranges[e.Count].Hi = 0, 0
	return nil
}

func (e *steerMatch) empty() bool { return e.Whole == 0 && e.Count == 0 }

func (e *steerMatch) index(m Match) int {
	for i, r := range e.Ranges[:e.Count] {
		if r.Lo == m.PortLo && r.Hi == m.PortHi {
			return i
		}
	}
	return -1
}
