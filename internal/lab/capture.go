package lab

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// A Capture sees the segments of TCP that begin a connection, end it or break it
// off, on their way in and out of a host's interface. It is not for concurrent
// use.
type Capture struct {
	fd int
}

// Segment is what is known of a segment that was captured: it has at least one of
// SYN, FIN and RST.
type Segment struct {
	From, To           netip.AddrPort
	SYN, ACK, FIN, RST bool
}

// String tells the flags, and whence and whither.
func (s Segment) String() string {
	flags := ""
	for _, f := range []struct {
		set  bool
		name string
	}{{s.SYN, "SYN"}, {s.ACK, "ACK"}, {s.FIN, "FIN"}, {s.RST, "RST"}} {
		if f.set {
			flags += f.name + " "
		}
	}
	return fmt.Sprintf("%sfrom %v to %v", flags, s.From, s.To)
}

// Capture begins a capture on the host's interface. The caller must Close it.
func (h *Host) Capture() (*Capture, error) {
	var c *Capture
	err := h.Do(func() (err error) {
		c, err = openCapture(h.Index)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("lab: capture on %s: %w", h.Name, err)
	}
	return c, nil
}

// captureBuffer is for the segments that wait to be read: thousands.
const captureBuffer = 8 << 20

func openCapture(index int) (*Capture, error) {
	// Protocol 0 receives nothing until bind(2).
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	c := &Capture{fd: fd}
	if err := c.prepare(index); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *Capture) prepare(index int) error {
	if err := unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, captureBuffer); err != nil {
		return os.NewSyscallError("setsockopt SO_RCVBUFFORCE", err)
	}
	filter := captureFilter()
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.SetsockoptSockFprog(c.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &program); err != nil {
		return os.NewSyscallError("setsockopt SO_ATTACH_FILTER", err)
	}
	const all = unix.ETH_P_ALL>>8 | unix.ETH_P_ALL<<8&0xff00 // network byte order
	return os.NewSyscallError("bind", unix.Bind(c.fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: index}))
}

// Where a frame has what is looked at: behind an Ethernet header of 14 bytes,
// IPv4 (RFC 791, Section 3.1) or IPv6 without extension headers (RFC 8200,
// Section 3), TCP (RFC 9293, Section 3.1).
const (
	etherLen  = 14
	etherType = 12
	ip4Proto  = etherLen + 9
	ip4Source = etherLen + 12
	ip6Next   = etherLen + 6
	ip6Source = etherLen + 8
	ip6Len    = 40
	tcpFlags  = 13
	flagFIN   = 0x01
	flagSYN   = 0x02
	flagRST   = 0x04
	flagACK   = 0x10
)

// captureFilter lets the kernel copy nothing but the heads of those segments.
func captureFilter() []unix.SockFilter {
	const (
		load16 = unix.BPF_LD | unix.BPF_H | unix.BPF_ABS
		load8  = unix.BPF_LD | unix.BPF_B | unix.BPF_ABS
		loadX8 = unix.BPF_LD | unix.BPF_B | unix.BPF_IND
		ihl    = unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH // X = length of the IPv4 header
		equal  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		anySet = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
		end    = unix.BPF_RET | unix.BPF_K
	)
	return []unix.SockFilter{
		{Code: load16, K: etherType},
		{Code: equal, K: unix.ETH_P_IP, Jf: 5},
		{Code: load8, K: ip4Proto},
		{Code: equal, K: unix.IPPROTO_TCP, Jf: 9},
		{Code: ihl, K: etherLen},
		{Code: loadX8, K: etherLen + tcpFlags},
		{Code: anySet, K: flagFIN | flagSYN | flagRST, Jt: 5, Jf: 6},
		{Code: equal, K: unix.ETH_P_IPV6, Jf: 5},
		{Code: load8, K: ip6Next},
		{Code: equal, K: unix.IPPROTO_TCP, Jf: 3},
		{Code: load8, K: etherLen + ip6Len + tcpFlags},
		{Code: anySet, K: flagFIN | flagSYN | flagRST, Jf: 1},
		{Code: end, K: 256},
		{Code: end, K: 0},
	}
}

// Segments returns those that came since the last call, in their order. It
// does not wait. It is an error if some were lost.
func (c *Capture) Segments() ([]Segment, error) {
	var all []Segment
	frame := make([]byte, 256)
	for {
		n, err := unix.Read(c.fd, frame)
		switch err {
		case nil:
			if s, ok := parseSegment(frame[:n]); ok {
				all = append(all, s)
			}
			continue
		case unix.EINTR:
			continue
		case unix.EAGAIN:
		default:
			return all, fmt.Errorf("lab: capture: %w", os.NewSyscallError("read", err))
		}
		stats, err := unix.GetsockoptTpacketStats(c.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
		if err != nil {
			return all, fmt.Errorf("lab: capture: %w", os.NewSyscallError("getsockopt PACKET_STATISTICS", err))
		}
		if stats.Drops > 0 {
			return all, fmt.Errorf("lab: capture: %d segments were lost", stats.Drops)
		}
		return all, nil
	}
}

// parseSegment reads what the filter let through.
func parseSegment(frame []byte) (Segment, bool) {
	var from, to netip.Addr
	tcp := etherLen
	switch {
	case len(frame) < etherLen+ip6Len:
		return Segment{}, false
	case binary.BigEndian.Uint16(frame[etherType:]) == unix.ETH_P_IP:
		from, to = netip.AddrFrom4([4]byte(frame[ip4Source:])), netip.AddrFrom4([4]byte(frame[ip4Source+4:]))
		tcp += int(frame[etherLen]&0xf) * 4
	default:
		from, to = netip.AddrFrom16([16]byte(frame[ip6Source:])), netip.AddrFrom16([16]byte(frame[ip6Source+16:]))
		tcp += ip6Len
	}
	if len(frame) < tcp+tcpFlags+1 {
		return Segment{}, false
	}
	flags := frame[tcp+tcpFlags]
	return Segment{
		From: netip.AddrPortFrom(from, binary.BigEndian.Uint16(frame[tcp:])),
		To:   netip.AddrPortFrom(to, binary.BigEndian.Uint16(frame[tcp+2:])),
		SYN:  flags&flagSYN != 0, ACK: flags&flagACK != 0, FIN: flags&flagFIN != 0, RST: flags&flagRST != 0,
	}, true
}

// Close ends the capture.
func (c *Capture) Close() error { return os.NewSyscallError("close", unix.Close(c.fd)) }
