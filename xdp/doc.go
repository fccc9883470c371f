// Package xdp moves Ethernet frames between one queue of a network interface
// and the memory of this process, past the kernel's network stack (AF_XDP).
//
// A [Program] is attached to the interface and decides, frame by frame, what
// goes to a socket and what goes on to the kernel. A [Socket] is bound to one
// queue of the interface; it receives what the program gives it, and sends.
// Nothing here knows TCP, and IP only as far as the program's filter does.
//
// # Two directions
//
//	wire ──> driver ──> steering program ──┬─ ours ──────> Socket.Receive
//	                                       └─ all else ──> kernel's stack
//
//	Socket.Submit, Flush ──> driver's transmit queue ──> wire
//
// The filter lets through what [Program.Allow] names: a whole address, which
// the kernel must not own, or TCP to a range of ports on an address that stays
// the kernel's. Whatever is not clearly ours goes to the kernel: frames with a
// VLAN tag, malformed frames, a queue that has no socket. A firewall of the
// kernel's sees nothing of what the socket receives or sends.
//
// Sockets are set up in this order, which loses nothing: LoadProgram, wait
// until the link is up again (some drivers reset it), Open, Register, Allow,
// Enable. The kernel detaches the program and gives the queue free when the
// process ends, also by SIGKILL. A program of somebody else's is left alone.
//
// # Memory
//
// A socket has one piece of memory, cut into frames of 2048 or 4096 bytes, and
// four rings in memory that the kernel shares. An entry of a ring names a frame
// and says: this frame is yours now.
//
//	             fill                              receive
//	us ──── free frames ──────> kernel   us <──── received frames ──── kernel
//
//	           transmit                           completion
//	us ──── frames to send ───> kernel   us <──── sent frames ──────── kernel
//
// A frame always has one owner. Receive frames go round like this; they are
// never used for sending:
//
//	fill ring -> kernel -> receive ring -> deliver -> fill ring
//
// Frames for sending go round like this; they are never used for receiving, so
// that a burst in one direction cannot stop the other:
//
//	free list -> Reserve -> Submit -> transmit ring -> kernel -> completion ring -> free list
//
// The rings are as large as the number of frames that go round in them, and
// never overflow. A received packet starts 256 bytes into its frame. The
// kernel takes what is on the transmit ring when it is told to, by sendto(2):
// that is what [Socket.Flush] does. While [Socket.Pending] is not 0 somebody
// must call Flush from time to time; no goroutine runs in this package.
//
// # What it needs
//
// Linux 5.15 or later; 6.6 is better, and from 6.17 on one sendto(2) sends more
// than 32 frames in copy mode. Rights: CAP_NET_ADMIN and CAP_BPF (or root) for
// LoadProgram, CAP_NET_RAW for Open. Memory that may be locked, 4 MiB per
// socket unless configured otherwise (RLIMIT_MEMLOCK, or CAP_IPC_LOCK).
//
// [LoadProgram], [Open] and [Queues] work in the network namespace of the
// calling thread.
//
// # Limits
//
// One frame is one packet: no packets across frames, hence MTUs up to 3822
// bytes (many drivers take 3498 or 3506). One socket per queue, with memory of
// its own. No hardware offloads: checksums are the caller's, in both
// directions. On igb and maybe others zero-copy needs a fill ring that is full
// before the socket is bound, which github.com/asavie/xdp cannot do. Tested on
// amd64; the rings are driven with atomic operations, so that other
// little-endian machines should do.
package xdp
