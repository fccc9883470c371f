package xdp

// ProgramCounters counts the frames that an interface received while a
// program was attached, by what became of them. Only redirected frames come to
// a socket; the kernel may still drop one there (see [Stats]).
type ProgramCounters struct {
	Redirected      uint64 // to a socket
	PassedOff       uint64 // to the kernel, because the filter was off
	PassedNotOurs   uint64 // to the kernel, because nothing matched
	PassedMalformed uint64 // to the kernel, because the frame is too short or its lengths contradict one another
	PassedTagged    uint64 // to the kernel, because the frame has a VLAN tag
	PassedNoSocket  uint64 // to the kernel, because the queue has no socket, though the frame matched
}

// Counters returns the counts so far, summed over all CPUs.
func (p *Program) Counters() (ProgramCounters, error) {
	var c ProgramCounters
	err := p.do("read counters", func(o *steerObjects) error {
		for i, field := range []*uint64{ // in the order of enum verdict in steer.c
			&c.Redirected,
			&c.PassedOff,
			&c.PassedNotOurs,
			&c.PassedMalformed,
			&c.PassedTagged,
			&c.PassedNoSocket,
		} {
			var perCPU []uint64
			if err := o.XftpCounters.Lookup(uint32(i), &perCPU); err != nil {
				return err
			}
			for _, n := range perCPU {
				*field += n
			}
		}
		return nil
	})
	return c, err
}
