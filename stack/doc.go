// Package stack runs a TCP/IP stack inside the process on devices that carry
// raw Ethernet frames. It is gVisor's netstack with a lower edge of its own;
// no other package of xftp imports gVisor.
//
// [New] takes a [Config] and one [Device] per NIC queue and returns a [Stack]
// that dials and listens as package net does. Connections made by it never
// touch a socket of the kernel.
//
// # How bytes move
//
//	Device.Receive ─ parse ─ coalesce ─ netstack ─ Conn.Read
//	 frames in        checksums  64 KiB     TCP         bytes
//	 device memory    verified   packets
//
//	Conn.Write ─ netstack ─ segment ─ Device.Submit, Flush
//	 bytes          64 KiB      frames built in
//	                packets     device memory, checksums complete
//
// On receive, every checksum of every frame is verified, whoever sent it.
// Consecutive segments of a flow within one batch of frames become one packet.
// Payload is copied once, out of device memory, and once more to the reader.
//
// On transmit, payload is copied once into the stack's memory, where it stays
// until the peer has acknowledged it, and once into device memory. Who writes
// also sends: there is no transmit goroutine.
//
// # Goroutines
//
// A Stack has one goroutine per device, which receives, and those of netstack,
// one per processor. [Stack.Close] ends them all and waits for them. The
// receive goroutine yields after each batch of frames: with GOMAXPROCS=1 the
// batch, the protocol work on it and the reader follow one another on one
// processor, without waking a thread, which measured fastest for a few bulk
// transfers.
//
// # Limits
//
// IP fragments are dropped. IPv6 addresses are given, not learnt: there is
// neither duplicate address detection nor autoconfiguration. An interface name
// as IPv6 zone is ignored, since a Stack has one link.
package stack
