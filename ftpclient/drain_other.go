//go:build !linux

package ftpclient

import "net"

// unacknowledgedTCP does not know.
func unacknowledgedTCP(*net.TCPConn) (int, bool) { return 0, false }
