package stack

// Stats counts what a [Stack] has done since New. Numbers only grow.
type Stats struct {
	RxFrames    uint64 // frames received
	RxBytes     uint64 // bytes in them, Ethernet headers included
	RxPackets   uint64 // packets they were coalesced into
	RxMalformed uint64 // dropped: too short, or lengths that contradict one another
	RxNotForUs  uint64 // dropped: another hardware address, neither IP nor ARP, or TCP to a group
	RxFragments uint64 // dropped: parts of fragmented IP packets
	RxChecksum  uint64 // dropped: a checksum was wrong
	RxRepaired  uint64 // accepted: the checksum had only been begun by a peer that shares the machine

	TxFrames  uint64 // frames given to the device
	TxBytes   uint64 // bytes in them, Ethernet headers included
	TxDropped uint64 // packets dropped because the device had no room
	TxStalls  uint64 // times a writer waited for the device to make room

	Retransmits     uint64 // TCP segments sent again
	FastRetransmits uint64 // of those, before their time-out
	Timeouts        uint64 // retransmission time-outs
	SegmentsDropped uint64 // received segments dropped because a queue was full
}

// Stats returns the counters as they are now.
func (s *Stack) Stats() Stats {
	var st Stats
	for _, r := range s.rx {
		st.RxFrames += r.frames.Load()
		st.RxBytes += r.bytes.Load()
		st.RxPackets += r.packets.Load()
		st.RxMalformed += r.dropped[malformed].Load()
		st.RxNotForUs += r.dropped[notForUs].Load()
		st.RxFragments += r.dropped[fragment].Load()
		st.RxChecksum += r.dropped[badChecksum].Load()
		st.RxRepaired += r.repaired.Load()
	}
	for _, t := range s.tx {
		st.TxFrames += t.frames.Load()
		st.TxBytes += t.bytes.Load()
		st.TxDropped += t.dropped.Load()
		st.TxStalls += t.stalls.Load()
	}
	counters := s.s.Stats()
	tcp := counters.TCP
	st.Retransmits = tcp.Retransmits.Value()
	st.FastRetransmits = tcp.FastRetransmit.Value()
	st.Timeouts = tcp.Timeouts.Value()
	st.SegmentsDropped = counters.DroppedPackets.Value()
	return st
}
