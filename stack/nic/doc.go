// Package nic turns the name of a network interface into a running TCP/IP
// stack on one of its queues: it looks up what the host knows of the
// interface, attaches the steering program, opens the AF_XDP socket and starts
// the stack on it.
//
// It needs CAP_NET_ADMIN and CAP_BPF to attach the program and CAP_NET_RAW to
// open the socket, and Linux 5.15 or later. Once [Open] has returned no
// privilege is needed any more, not even to close the NIC; on kernels before
// 5.19 only the program's counters cannot be read without it.
//
// The rest of the host is not touched: its addresses, its other connections
// through the same interface and the interface's settings stay as they are.
// The address of the stack must be one that nobody has. When the process ends,
// by whatever cause, the kernel detaches the program.
package nic
