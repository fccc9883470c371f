package ftpclient

import (
	"net"
	"syscall"
	"unsafe"
)

// unacknowledgedTCP returns how many of the bytes written to a socket its peer
// has not acknowledged yet (SIOCOUTQ; tcp(7)).
func unacknowledgedTCP(conn *net.TCPConn) (int, bool) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, false
	}
	var n int32
	var errno syscall.Errno
	err = raw.Control(func(fd uintptr) {
		// SIOCOUTQ has the number of TIOCOUTQ.
		_, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCOUTQ, uintptr(unsafe.Pointer(&n)))
	})
	return int(n), err == nil && errno == 0
}
