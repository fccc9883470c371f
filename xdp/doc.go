// Package xdp moves Ethernet frames between one queue of a network interface
// and the memory of this process, past the kernel's network stack (AF_XDP).
package xdp
