package relay

import (
	"fmt"
	"time"
)

// Impairment is what happens to the frames of one direction. The zero value
// does nothing. Loss, Duplicate, Reorder and Corrupt are probabilities from 0
// to 1.
type Impairment struct {
	Seed      uint64        // of the generator that decides
	Loss      float64       // that a frame is lost
	Duplicate float64       // that it arrives twice
	Reorder   float64       // that the three frames sent after it overtake it
	Corrupt   float64       // that one bit behind the Ethernet header is flipped
	Delay     time.Duration // added to each frame; a round trip takes twice as long

	// Rate of the bottleneck, in bits per second; a frame counts with its
	// Ethernet header. Zero is no limit.
	Rate int64

	// Queue is the number of bytes that may wait for the bottleneck; what
	// does not fit in is dropped. Zero is what the link carries in a round
	// trip, which is Rate times twice the Delay, and at least 64 frames of
	// the largest size.
	Queue int
}

// Check returns an error if a value is not in its range.
func (i Impairment) Check() error {
	for _, p := range []struct {
		name  string
		value float64
	}{{"loss", i.Loss}, {"duplicate", i.Duplicate}, {"reorder", i.Reorder}, {"corrupt", i.Corrupt}} {
		if !(p.value >= 0 && p.value <= 1) { // NaN, too
			return fmt.Errorf("%s: %v is no probability from 0 to 1", p.name, p.value)
		}
	}
	switch {
	case i.Delay < 0 || i.Delay > time.Minute:
		return fmt.Errorf("delay: %v is not from 0s to 1m", i.Delay)
	case i.Rate < 0 || i.Rate != 0 && i.Rate < 1000 || i.Rate > 1e12:
		return fmt.Errorf("rate: %d bit/s is not from 1 kbit/s to 1 Tbit/s", i.Rate)
	case i.Queue < 0:
		return fmt.Errorf("queue: %d bytes", i.Queue)
	}
	return nil
}

// QueueBytes returns the limit of the bottleneck's queue, where frames have at
// most maxFrame bytes. It is 0 without a Rate: nothing waits then.
func (i Impairment) QueueBytes(maxFrame int) int {
	switch {
	case i.Rate == 0:
		return 0
	case i.Queue != 0:
		return i.Queue
	}
	roundTrip := 2 * i.Delay.Seconds()
	return max(int(float64(i.Rate)/8*roundTrip), 64*maxFrame)
}

// Counters say what happened to the frames of one direction. What was
// received and duplicated is either forwarded, lost, overflowed, refused or
// still on its way.
type Counters struct {
	Received   uint64 `json:"received"`   // frames that came in
	Forwarded  uint64 `json:"forwarded"`  // frames that went out
	Bytes      uint64 `json:"bytes"`      // ... and their length with Ethernet headers
	Lost       uint64 `json:"lost"`       // by Loss
	Duplicated uint64 `json:"duplicated"` // second copies made
	Reordered  uint64 `json:"reordered"`  // held back for others to overtake
	Corrupted  uint64 `json:"corrupted"`  // frames with a flipped bit
	Overflowed uint64 `json:"overflowed"` // found no room in the queue or in the delay line
	Refused    uint64 `json:"refused"`    // the interface did not take them: down, or its peer too slow
	Overrun    uint64 `json:"overrun"`    // came faster than the relay could take them; not in Received
}
