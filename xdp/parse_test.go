package xdp

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// attribute is a netlink attribute, padded to 4 bytes.
func attribute(kind uint16, value ...byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(value)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, value...)
	return append(b, make([]byte, -len(b)&3)...)
}

func linkMessage(kind uint16, body []byte) []byte {
	b := binary.NativeEndian.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+len(body)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	return append(append(b, make([]byte, unix.SizeofNlMsghdr-6)...), body...)
}

func word(v uint32) []byte { return binary.NativeEndian.AppendUint32(nil, v) }

func newLink(attributes ...[]byte) []byte {
	return linkMessage(unix.RTM_NEWLINK, append(make([]byte, unix.SizeofIfInfomsg), slices.Concat(attributes...)...))
}

func TestParseLink(t *testing.T) {
	plain := slices.Concat(
		attribute(unix.IFLA_IFNAME, 'e', 't', 'h', '1', 0),
		attribute(unix.IFLA_ADDRESS, 2, 0, 0, 0, 0, 9),
		attribute(unix.IFLA_MTU, word(1500)...))
	xdpAttributes := func(kind uint16, b ...[]byte) []byte {
		return attribute(kind, slices.Concat(b...)...)
	}
	for _, c := range []struct {
		name     string
		xdp      []byte
		attached uint8
		want     *IncumbentError
	}{
		{"none", xdpAttributes(unix.IFLA_XDP, attribute(2, 0)), 0, nil},
		{"not told", nil, 0, nil},
		{"native", xdpAttributes(unix.IFLA_XDP, attribute(2, 1), attribute(4, word(1<<31)...), attribute(5, word(1<<31)...)), 1, &IncumbentError{ID: 1 << 31, Attached: "native"}},
		{"generic, nested flag", xdpAttributes(unix.IFLA_XDP|unix.NLA_F_NESTED, attribute(2, 2), attribute(6, word(1<<31)...)), 2, &IncumbentError{ID: 1 << 31, Attached: "generic"}},
		{"old kernel", xdpAttributes(unix.IFLA_XDP, attribute(2, 2), attribute(4, word(1<<31)...)), 2, &IncumbentError{ID: 1 << 31, Attached: "generic"}},
		{"several", xdpAttributes(unix.IFLA_XDP, attribute(2, 4), attribute(6, word(3)...), attribute(7, word(1<<31)...), attribute(5, word(1<<31+1)...)), 4, &IncumbentError{ID: 1<<31 + 1, Attached: "native"}},
	} {
		facts, err := parseLink(newLink(plain, c.xdp))
		if err != nil || facts.name != "eth1" || facts.mac != [6]byte{2, 0, 0, 0, 0, 9} || facts.mtu != 1500 || facts.attached != c.attached {
			t.Errorf("%s: %+v, %v", c.name, facts, err)
		}
		var e *IncumbentError
		err = facts.incumbent()
		if errors.As(err, &e); (c.want == nil) != (err == nil) || c.want != nil && *e != *c.want {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.want != nil && !errors.Is(err, unix.EBUSY) {
			t.Errorf("%s: is not EBUSY", c.name)
		}
	}
	if _, err := parseLink(linkMessage(unix.NLMSG_ERROR, word(^uint32(unix.ENODEV)+1))); !errors.Is(err, unix.ENODEV) {
		t.Errorf("no such link: %v", err)
	}
	for _, b := range [][]byte{nil, {1}, linkMessage(unix.RTM_NEWLINK, nil), linkMessage(unix.RTM_NEWROUTE, make([]byte, 64)), linkMessage(unix.NLMSG_ERROR, word(0))} {
		if _, err := parseLink(b); err == nil {
			t.Errorf("%x is a link", b)
		}
	}
}

func FuzzParseLink(f *testing.F) {
	f.Add(newLink(attribute(unix.IFLA_XDP, attribute(2, 1)...), attribute(unix.IFLA_MTU, 1, 2)))
	f.Add(linkMessage(unix.NLMSG_ERROR, word(^uint32(unix.ENODEV)+1)))
	f.Fuzz(func(t *testing.T, b []byte) {
		facts, err := parseLink(b)
		if err == nil && facts.programs == nil {
			t.Error("no map")
		}
	})
}

func TestParseMappings(t *testing.T) {
	const text = `7f0c8a000000-7f0c8a002000 rw-s 80000000 00:08 12345                      socket:[12345]
7f0c8a002000-7f0c8a003000 rw-s 00000000 00:08 12345                      socket:[12345]
7f0c8a003000-7f0c8a004000 rw-s 180000000 00:08 777                        socket:[777]
7f0c8a004000-7f0c8a005000 rw-p 00000000 00:00 0
7f0c8a005000-7f0c8a006000 r-xp 00000000 08:01 42                         /usr/lib/socket:[1]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
`
	want := []mapping{
		{0x7f0c8a000000, unix.XDP_PGOFF_TX_RING, "socket:[12345]"},
		{0x7f0c8a002000, unix.XDP_PGOFF_RX_RING, "socket:[12345]"},
		{0x7f0c8a003000, unix.XDP_UMEM_PGOFF_COMPLETION_RING, "socket:[777]"},
	}
	got := parseMappings(text)
	if len(got) != len(want) {
		t.Errorf("%+v", got)
	}
	for _, m := range want {
		if !got[m] {
			t.Errorf("%+v is missing in %+v", m, got)
		}
	}
}

func FuzzParseMappings(f *testing.F) {
	f.Add("1-2 rw-s 0 0:0 0 socket:[1]\n")
	f.Add("- - - - - socket:[")
	f.Fuzz(func(t *testing.T, text string) { parseMappings(text) })
}

func TestConfigDefaults(t *testing.T) {
	for _, c := range []struct {
		cfg  SocketConfig
		mtu  int
		want SocketConfig
		err  error
	}{
		{SocketConfig{}, 1500, SocketConfig{FrameSize: 2048, RxFrames: 4096, TxFrames: 1024, Batch: 1024, Spin: 300}, nil},
		{SocketConfig{}, 1774, SocketConfig{FrameSize: 2048, RxFrames: 4096, TxFrames: 1024, Batch: 1024, Spin: 300}, nil},
		{SocketConfig{}, 1775, SocketConfig{FrameSize: 4096, RxFrames: 4096, TxFrames: 1024, Batch: 1024, Spin: 300}, nil},
		{SocketConfig{}, 3822, SocketConfig{FrameSize: 4096, RxFrames: 4096, TxFrames: 1024, Batch: 1024, Spin: 300}, nil},
		{SocketConfig{}, 3823, SocketConfig{}, unix.EMSGSIZE},
		{SocketConfig{}, 9000, SocketConfig{}, unix.EMSGSIZE},
		{SocketConfig{FrameSize: 2048}, 1775, SocketConfig{}, unix.EMSGSIZE},
		{SocketConfig{FrameSize: 4096, RxFrames: 64, TxFrames: 128, Batch: 1, Spin: -1, Mode: ModeCopy, Queues: 3}, 1500, SocketConfig{FrameSize: 4096, RxFrames: 64, TxFrames: 128, Batch: 1, Spin: -1, Mode: ModeCopy, Queues: 3}, nil},
		{SocketConfig{FrameSize: 3072}, 1500, SocketConfig{}, unix.EINVAL},
		{SocketConfig{FrameSize: 8192}, 1500, SocketConfig{}, unix.EINVAL},
		{SocketConfig{RxFrames: 511}, 1500, SocketConfig{}, unix.EINVAL},
		{SocketConfig{RxFrames: -1}, 1500, SocketConfig{}, unix.EINVAL},
		{SocketConfig{TxFrames: 3}, 1500, SocketConfig{}, unix.EINVAL},
		{SocketConfig{TxFrames: 1 << 17}, 1500, SocketConfig{}, unix.EINVAL},
		{SocketConfig{Batch: -1}, 1500, SocketConfig{}, unix.EINVAL},
		{SocketConfig{Mode: 9}, 1500, SocketConfig{}, unix.EINVAL},
	} {
		got, err := c.cfg.withDefaults(c.mtu)
		if !errors.Is(err, c.err) || c.err == nil && got != c.want {
			t.Errorf("%+v, MTU %d: %+v, %v", c.cfg, c.mtu, got, err)
		}
	}
}

func TestAsavieError(t *testing.T) {
	g := geometry{2048, 256, 256}
	for _, c := range []struct {
		text  string
		op    string
		class Class
		errno unix.Errno
	}{
		{"syscall.Bind SockaddrXDP failed: " + unix.EBUSY.Error(), "bind", ClassRetry, unix.EBUSY},
		{"syscall.Bind SockaddrXDP failed: " + unix.EOPNOTSUPP.Error(), "bind", ClassFatal, unix.EOPNOTSUPP},
		{"syscall.Bind SockaddrXDP failed: " + unix.ENETDOWN.Error(), "bind", ClassLink, unix.ENETDOWN},
		{"unix.SetsockoptUint64 XDP_UMEM_REG failed: " + unix.ENOBUFS.Error(), "register memory", ClassFatal, unix.ENOBUFS},
		{"syscall.Mmap failed: " + unix.ENOMEM.Error(), "set up socket", ClassRetry, unix.ENOMEM},
	} {
		err := asavieError(errors.New(c.text), g)
		var e *OpError
		if !errors.As(err, &e) || e.Op != c.op || e.Class != c.class || !errors.Is(err, c.errno) {
			t.Errorf("%s: %v", c.text, err)
		}
	}
}
