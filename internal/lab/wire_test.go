package lab_test

import (
	"encoding/binary"
	"net"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// seen is what went out of an interface.
type seen struct {
	frames     int
	longest    int // bytes, Ethernet header included
	unfinished int // frames whose checksum was left to the device
}

// watch counts TCP frames that leave the host's interface, until the returned
// function is called. Frames are seen there after segmentation, where the
// kernel does it.
func watch(t *testing.T, h *lab.Host) func() seen {
	t.Helper()
	return watchIn(t, h.Name, h.Interface, true)
}

// watchIn counts TCP frames that leave any interface of a namespace, or those
// that reach it.
func watchIn(t *testing.T, namespace, name string, outgoing bool) func() seen {
	t.Helper()
	const all = unix.ETH_P_ALL>>8 | unix.ETH_P_ALL<<8&0xff00 // network byte order
	fd := -1
	err := lab.DoIn(namespace, func() error {
		i, err := net.InterfaceByName(name)
		if err != nil {
			return err
		}
		if fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, all); err != nil {
			return err
		}
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 64<<20); err != nil {
			return err
		}
		if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1); err != nil {
			return err
		}
		return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: i.Index})
	})
	if err != nil {
		t.Fatal(err)
	}
	return func() seen {
		defer unix.Close(fd)
		var s seen
		buf, oob := make([]byte, 1<<17), make([]byte, 256)
		for {
			n, oobn, _, from, err := unix.Recvmsg(fd, buf, oob, 0)
			if err == unix.EAGAIN {
				return s
			}
			if err != nil {
				t.Fatal(err)
			}
			if from.(*unix.SockaddrLinklayer).Pkttype == unix.PACKET_OUTGOING != outgoing || n < 34 || buf[23] != unix.IPPROTO_TCP {
				continue
			}
			s.frames++
			s.longest = max(s.longest, n)
			msgs, err := unix.ParseSocketControlMessage(oob[:oobn])
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range msgs {
				// struct tpacket_auxdata begins with tp_status.
				if m.Header.Type == unix.PACKET_AUXDATA &&
					binary.NativeEndian.Uint32(m.Data)&unix.TP_STATUS_CSUMNOTREADY != 0 {
					s.unfinished++
				}
			}
		}
	}
}

func TestLinkIsWireTrue(t *testing.T) {
	l := lab.ForTest(t, lab.Config{})
	result := watch(t, l.Client)
	move(t, l, l.Server.IPv4.Addr(), 4<<20)
	if s := result(); s.frames < 4<<20/1500 || s.longest != 1514 || s.unfinished != 0 {
		t.Errorf("4 MiB went in %d frames, the longest of %d bytes, %d with an unfinished checksum; want over %d, 1514, 0",
			s.frames, s.longest, s.unfinished, 4<<20/1500)
	}
}

// TestOffloadIsKept shows what the lab turns off, and that the test above
// would see it.
func TestOffloadIsKept(t *testing.T) {
	l := lab.ForTest(t, lab.Config{Offload: true})
	result := watch(t, l.Client)
	move(t, l, l.Server.IPv4.Addr(), 4<<20)
	if s := result(); s.longest <= 1514 || s.unfinished == 0 {
		t.Errorf("the longest frame has %d bytes, %d have an unfinished checksum; want offload of both", s.longest, s.unfinished)
	}
}

func TestQueues(t *testing.T) {
	l := lab.ForTest(t, lab.Config{Queues: 2})
	for _, h := range []*lab.Host{l.Client, l.Server} {
		if n := queues(t, h); n != 2 {
			t.Errorf("%s has %d queues, want 2", h.Name, n)
		}
	}
}

func queues(t *testing.T, h *lab.Host) int {
	t.Helper()
	n := 0
	err := h.Do(func() error {
		i, err := net.InterfaceByName(h.Interface)
		if err != nil {
			return err
		}
		n, err = lab.NumRxQueues(i.Index)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
