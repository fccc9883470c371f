package ftpclient

import "net"

// unacknowledged returns how many of the bytes written to conn its peer has not
// acknowledged yet, or 0 if that cannot be known.
//
// What a connection has accepted may be many seconds away from the server on
// a slow link. A server that is silent meanwhile is not a server that is dead.
func unacknowledged(conn net.Conn) int {
	switch conn := conn.(type) {
	case interface{ Unacknowledged() int }:
		return conn.Unacknowledged()
	case *net.TCPConn:
		n, _ := unacknowledgedTCP(conn)
		return n
	default:
		return 0
	}
}
