package xdp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Attributes of a link message that golang.org/x/sys/unix does not name
// (linux/if_link.h).
const (
	iflaXDPAttached = 2 // in IFLA_XDP: how a program is attached
	iflaXDPProgID   = 4 // its id; absent if there are several

	xdpAttachedNone    = 0
	xdpAttachedDriver  = 1
	xdpAttachedGeneric = 2
	xdpAttachedOffload = 3
	xdpAttachedMulti   = 4

	iflaXDPDriverProgID  = 5
	iflaXDPGenericProgID = 6
	iflaXDPOffloadProgID = 7
)

// linkFacts is what the kernel says about an interface.
type linkFacts struct {
	name     string
	mac      [6]byte
	mtu      int
	attached uint8 // xdpAttachedNone, ...
	programs map[uint8]uint32
}

// readLink asks the kernel of the calling thread's network namespace about an
// interface (rtnetlink(7), RTM_GETLINK).
func readLink(ifindex int) (linkFacts, error) {
	var request struct {
		header unix.NlMsghdr
		link   unix.IfInfomsg
	}
	request.header = unix.NlMsghdr{
		Len:   uint32(unsafe.Sizeof(request)),
		Type:  unix.RTM_GETLINK,
		Flags: unix.NLM_F_REQUEST,
	}
	request.link.Index = int32(ifindex)
	b := unsafe.Slice((*byte)(unsafe.Pointer(&request)), unsafe.Sizeof(request))
	reply, err := askKernel(unix.NETLINK_ROUTE, b)
	if err != nil {
		return linkFacts{}, fmt.Errorf("ask for link %d: %w", ifindex, err)
	}
	facts, err := parseLink(reply)
	if err != nil {
		return linkFacts{}, fmt.Errorf("ask for link %d: %w", ifindex, err)
	}
	return facts, nil
}

// askKernel sends a message to a netlink family (netlink(7)), in the network
// namespace of the calling thread, and returns the first answer.
func askKernel(family int, message []byte) ([]byte, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, family)
	if err != nil {
		return nil, fmt.Errorf("open netlink socket: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.Sendto(fd, message, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, err
	}
	answer := make([]byte, 1<<16)
	n, _, err := unix.Recvfrom(fd, answer, 0)
	if err != nil {
		return nil, err
	}
	return answer[:n], nil
}

// firstMessage returns the type and the data of the first message in an
// answer, or the error that it tells of.
func firstMessage(b []byte) (kind uint16, data []byte, err error) {
	messages, err := syscall.ParseNetlinkMessage(b)
	if err != nil || len(messages) == 0 {
		return 0, nil, errors.New("malformed netlink message")
	}
	m := messages[0]
	if m.Header.Type == unix.NLMSG_ERROR && len(m.Data) >= 4 {
		if errno := -int32(binary.NativeEndian.Uint32(m.Data)); errno > 0 {
			return 0, nil, unix.Errno(errno)
		}
	}
	return m.Header.Type, m.Data, nil
}

// parseLink reads an answer to RTM_GETLINK: one link message, or an error.
func parseLink(b []byte) (linkFacts, error) {
	kind, data, err := firstMessage(b)
	if err != nil {
		return linkFacts{}, err
	}
	if kind != unix.RTM_NEWLINK || len(data) < unix.SizeofIfInfomsg {
		return linkFacts{}, errors.New("unexpected netlink message")
	}
	facts := linkFacts{programs: map[uint8]uint32{}}
	for kind, value := range attributes(data[unix.SizeofIfInfomsg:]) {
		switch kind {
		case unix.IFLA_IFNAME:
			facts.name = unix.ByteSliceToString(value)
		case unix.IFLA_ADDRESS:
			if len(value) == len(facts.mac) {
				copy(facts.mac[:], value)
			}
		case unix.IFLA_MTU:
			facts.mtu = int(uint32Value(value))
		case unix.IFLA_XDP:
			facts.parseXDP(value)
		}
	}
	return facts, nil
}

// parseXDP reads the attributes inside IFLA_XDP.
func (f *linkFacts) parseXDP(b []byte) {
	var single uint32
	for kind, value := range attributes(b) {
		switch kind {
		case iflaXDPAttached:
			if len(value) > 0 {
				f.attached = value[0]
			}
		case iflaXDPProgID:
			single = uint32Value(value)
		case iflaXDPDriverProgID:
			f.programs[xdpAttachedDriver] = uint32Value(value)
		case iflaXDPGenericProgID:
			f.programs[xdpAttachedGeneric] = uint32Value(value)
		case iflaXDPOffloadProgID:
			f.programs[xdpAttachedOffload] = uint32Value(value)
		}
	}
	if single != 0 && len(f.programs) == 0 {
		f.programs[f.attached] = single
	}
}

func uint32Value(b []byte) uint32 {
	if len(b) < 4 {
		return 0
	}
	return binary.NativeEndian.Uint32(b)
}

// attributes yields the type and the value of each netlink attribute in b, and
// stops at the first one that is malformed (netlink(7)).
func attributes(b []byte) func(yield func(uint16, []byte) bool) {
	const header, flags = unix.SizeofRtAttr, unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER
	return func(yield func(uint16, []byte) bool) {
		for len(b) >= header {
			length := int(binary.NativeEndian.Uint16(b))
			if length < header || length > len(b) {
				return
			}
			if !yield(binary.NativeEndian.Uint16(b[2:])&^flags, b[header:length]) {
				return
			}
			b = b[min((length+3)&^3, len(b)):]
		}
	}
}
