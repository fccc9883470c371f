// Package relay forwards Ethernet frames between two interfaces and impairs
// them on the way: delay, loss, reordering, duplication, corruption and a rate
// with a bounded queue. It is what stands between the two hosts of a lab on a
// kernel without netem.
//
//	frames of one direction
//	lose, corrupt, duplicate    [Impairment.Seed and a count decide]
//	           |
//	hold back what is reordered
//	           |
//	bottleneck: Rate, Queue     [tail drop]
//	           |
//	delay line: Delay
//
// What happens to the n-th frame of a direction depends on the seed and on n
// alone, and is the same as on the wire in memory of package stacktest. Which
// frames the bottleneck drops depends on time, too.
//
// # Time
//
// The delay of a frame counts from the kernel's receive timestamp, so a relay
// that had to wait for a processor catches up. No frame leaves early. With a
// Delay of a millisecond or longer the relay handles frames in batches, so that
// one leaves some 50 microseconds late at most, and what the scheduler adds. The
// relay has the policy SCHED_FIFO, see sched(7): every ordinary process gives way.
//
// # Limitations
//
// Frames with VLAN tags do not cross. At most 64 MiB of frames are in flight in
// each direction. Where an interface has several queues, frames leave on that of
// the processor on which the relay happens to run.
package relay
