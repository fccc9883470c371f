package xdp

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Queues returns how many queues of an interface can both receive and send,
// in the network namespace of the calling thread. A socket may be bound to
// queue 0 up to one less than that. A driver that does not tell
// (ethtool(8) -l) counts as having one.
//
// Attaching a program changes the answer of some drivers, so ask before; a
// [Program] remembers what it was: see [Program.Queues].
func Queues(ifindex int) (int, error) {
	facts, err := readLink(ifindex)
	if err != nil {
		return 0, opError("read queues", err)
	}
	rx, tx, err := channels(facts.name)
	if errors.Is(err, unix.EOPNOTSUPP) {
		return 1, nil
	}
	if err != nil {
		return 0, opError("read queues", err)
	}
	return max(1, min(rx, tx)), nil
}

// ethtoolChannels is struct ethtool_channels of linux/ethtool.h.
type ethtoolChannels struct {
	cmd                                       uint32
	maxRX, maxTX, maxOther, maxCombined       uint32
	rxCount, txCount, otherCount, allCombined uint32
}

// ethtoolRequest is struct ifreq with a pointer, netdevice(7).
type ethtoolRequest struct {
	name [unix.IFNAMSIZ]byte
	data unsafe.Pointer
	_    [16]byte
}

// channels returns the numbers of queues in use (ETHTOOL_GCHANNELS).
func channels(name string) (rx, tx int, err error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, 0, fmt.Errorf("open control socket: %w", err)
	}
	defer unix.Close(fd)
	answer := ethtoolChannels{cmd: unix.ETHTOOL_GCHANNELS}
	request := ethtoolRequest{data: unsafe.Pointer(&answer)}
	copy(request.name[:unix.IFNAMSIZ-1], name)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request)))
	if errno != 0 {
		return 0, 0, fmt.Errorf("read channels: %w", errno)
	}
	return int(answer.rxCount + answer.allCombined), int(answer.txCount + answer.allCombined), nil
}
