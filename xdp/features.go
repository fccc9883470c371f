package xdp

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// The netdev family of generic netlink (linux/netdev.h), in which drivers
// declare what they can do with XDP.
const (
	netdevFamily      = "netdev"
	netdevCmdDevGet   = 1
	netdevDevIfindex  = 1
	netdevDevFeatures = 3
	netdevZeroCopy    = 1 << 3 // of the features: NETDEV_XDP_ACT_XSK_ZEROCOPY
)

// zeroCopyDeclared says whether the driver of an interface declares zero-copy
// mode. An error means that the kernel does not tell (it does since Linux 6.3).
func zeroCopyDeclared(ifindex int) (bool, error) {
	answer, err := askKernel(unix.NETLINK_GENERIC, genericMessage(unix.GENL_ID_CTRL, unix.CTRL_CMD_GETFAMILY,
		unix.CTRL_ATTR_FAMILY_NAME, append([]byte(netdevFamily), 0)))
	if err != nil {
		return false, fmt.Errorf("ask for the %s family: %w", netdevFamily, err)
	}
	id, err := genericAttribute(answer, unix.CTRL_ATTR_FAMILY_ID, 2)
	if err != nil {
		return false, fmt.Errorf("ask for the %s family: %w", netdevFamily, err)
	}
	answer, err = askKernel(unix.NETLINK_GENERIC, genericMessage(uint16(id), netdevCmdDevGet,
		netdevDevIfindex, binary.NativeEndian.AppendUint32(nil, uint32(ifindex))))
	if err != nil {
		return false, fmt.Errorf("ask for XDP features: %w", err)
	}
	features, err := genericAttribute(answer, netdevDevFeatures, 8)
	if err != nil {
		return false, fmt.Errorf("ask for XDP features: %w", err)
	}
	return features&netdevZeroCopy != 0, nil
}

// genericMessage returns a generic netlink request with one attribute.
func genericMessage(family uint16, command uint8, kind uint16, value []byte) []byte {
	const headers = unix.NLMSG_HDRLEN + unix.GENL_HDRLEN
	length := headers + unix.SizeofRtAttr + len(value)
	b := make([]byte, 0, length+3)
	b = binary.NativeEndian.AppendUint32(b, uint32((length+3)&^3))
	b = binary.NativeEndian.AppendUint16(b, family)
	b = binary.NativeEndian.AppendUint16(b, unix.NLM_F_REQUEST)
	b = append(b, make([]byte, 8)...) // sequence number and port
	b = append(b, command, 1, 0, 0)   // version 1, two bytes reserved
	b = binary.NativeEndian.AppendUint16(b, uint16(unix.SizeofRtAttr+len(value)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, value...)
	return b[:(length+3)&^3]
}

// genericAttribute returns an attribute of a generic netlink answer, an
// integer of size bytes.
func genericAttribute(answer []byte, want uint16, size int) (uint64, error) {
	_, data, err := firstMessage(answer)
	if err != nil {
		return 0, err
	}
	if len(data) < unix.GENL_HDRLEN {
		return 0, errors.New("malformed netlink message")
	}
	for kind, value := range attributes(data[unix.GENL_HDRLEN:]) {
		if kind != want || len(value) != size {
			continue
		}
		var b [8]byte // the package builds for little-endian machines only
		copy(b[:], value)
		return binary.LittleEndian.Uint64(b[:]), nil
	}
	return 0, errors.New("the answer lacks an attribute")
}
