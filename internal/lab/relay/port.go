package relay

import (
	"fmt"
	"net"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// batch is how many frames one system call moves.
const batch = 64

// socketBuffer is the memory in which the kernel keeps what the relay has not
// yet taken, in bytes.
const socketBuffer = 32 << 20

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	len uint32
	_   [4]byte
}

// stamp is the control message that brings a receive timestamp, SO_TIMESTAMPNS
// in socket(7).
type stamp struct {
	hdr  unix.Cmsghdr
	time unix.Timespec
}

// A port is an interface whose frames the relay takes, all of them, and on
// which it sends. See packet(7).
type port struct {
	fd int

	// What recvmmsg(2) and sendmmsg(2) are given, made once.
	in, out       [batch]mmsghdr
	inVec, outVec [batch]unix.Iovec
	stamps        [batch]stamp
}

// openPort opens an interface of the thread's namespace.
func openPort(name string) (*port, error) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return nil, err
	}
	// Protocol 0 receives nothing until bind(2).
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	p := &port{fd: fd}
	if err := p.prepare(i.Index); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("interface %s: %w", name, err)
	}
	for i := range batch {
		p.in[i].hdr.Iov, p.in[i].hdr.Iovlen = &p.inVec[i], 1
		p.in[i].hdr.Control = (*byte)(unsafe.Pointer(&p.stamps[i]))
		p.out[i].hdr.Iov, p.out[i].hdr.Iovlen = &p.outVec[i], 1
	}
	return p, nil
}

// prepare sets the socket's options and binds it.
func (p *port) prepare(index int) error {
	for _, o := range []struct {
		name               string
		level, opt, number int
	}{
		{"PACKET_IGNORE_OUTGOING", unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1},
		{"PACKET_QDISC_BYPASS", unix.SOL_PACKET, unix.PACKET_QDISC_BYPASS, 1},
		{"SO_RCVBUFFORCE", unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, socketBuffer},
		{"SO_SNDBUFFORCE", unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, socketBuffer},
		{"SO_TIMESTAMPNS", unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1},
	} {
		if err := unix.SetsockoptInt(p.fd, o.level, o.opt, o.number); err != nil {
			return os.NewSyscallError("setsockopt "+o.name, err)
		}
	}
	// The kernel hands over a frame without its VLAN tag: it would cross as
	// another one. So take none that has one.
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: skfVLANTagPresent},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 0, Jf: 1, K: 0},
		{Code: unix.BPF_RET | unix.BPF_K, K: 1 << 18},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.SetsockoptSockFprog(p.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &program); err != nil {
		return os.NewSyscallError("setsockopt SO_ATTACH_FILTER", err)
	}
	const all = unix.ETH_P_ALL>>8 | unix.ETH_P_ALL<<8&0xff00 // network byte order
	err := unix.Bind(p.fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: index})
	return os.NewSyscallError("bind", err)
}

// skfVLANTagPresent is SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT of linux/filter.h.
const skfVLANTagPresent = 0xfffff000 + 48

// receive takes up to batch frames that are there into bufs, which it shortens
// to their lengths, and says how long after start they arrived. A frame longer
// than its buffer has the length 0.
func (p *port) receive(bufs [][]byte, arrived []time.Duration, start time.Time) (int, error) {
	for i, b := range bufs {
		p.inVec[i].Base = &b[0]
		p.inVec[i].SetLen(len(b))
		p.in[i].hdr.SetControllen(int(unsafe.Sizeof(stamp{})))
	}
	n, err := moveMessages(unix.SYS_RECVMMSG, p.fd, p.in[:len(bufs)])
	if n == 0 || err != nil {
		return 0, err
	}
	now := time.Now() // both clocks at one time, or frames would leave early
	for i := range n {
		bufs[i] = bufs[i][:p.in[i].len]
		if p.in[i].hdr.Flags&unix.MSG_TRUNC != 0 {
			bufs[i] = bufs[i][:0]
		}
		age := time.Duration(0)
		if s := &p.stamps[i]; p.in[i].hdr.Controllen > 0 && s.hdr.Type == unix.SO_TIMESTAMPNS {
			// The wall clock may be set meanwhile, hence the limits.
			age = min(max(time.Duration(now.UnixNano()-s.time.Nano()), 0), 100*time.Millisecond)
		}
		arrived[i] = now.Sub(start) - age
	}
	return n, nil
}

// send sends up to batch frames and returns how many went out. With an error
// it is the next one that did not.
func (p *port) send(bufs [][]byte) (int, error) {
	for i, b := range bufs {
		p.outVec[i].Base = &b[0]
		p.outVec[i].SetLen(len(b))
	}
	return moveMessages(unix.SYS_SENDMMSG, p.fd, p.out[:len(bufs)])
}

// moveMessages calls recvmmsg(2) or sendmmsg(2). No message is no error. The
// calls do not block, so Go's scheduler need not hear of them: it would take
// the processor away in those that are long.
func moveMessages(call uintptr, fd int, messages []mmsghdr) (int, error) {
	n, _, errno := unix.RawSyscall6(call, uintptr(fd), uintptr(unsafe.Pointer(&messages[0])),
		uintptr(len(messages)), unix.MSG_DONTWAIT, 0, 0)
	switch errno {
	case 0:
		return int(n), nil
	case unix.EAGAIN, unix.EINTR:
		return 0, nil
	}
	return 0, errno
}

// overrun returns how many frames the kernel has dropped since the last call,
// because the relay did not take them.
func (p *port) overrun() uint64 {
	s, err := unix.GetsockoptTpacketStats(p.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return 0 // cannot be on a packet socket
	}
	return uint64(s.Drops)
}

func (p *port) close() error { return unix.Close(p.fd) }
