package stack

import (
	"strings"
	"testing"

	"gvisor.dev/gvisor/pkg/tcpip"
	gstack "gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/seed-54eb6215/xftp/frame"
)

// TestChecksumHabit shows which frames are taken whose checksum seems only
// begun: 'c' stands for a frame with a complete one, 'b' for one that is only
// begun, 'D' for one that is and must be dropped.
func TestChecksumHabit(t *testing.T) {
	const sixteen = "cccccccccccccccc"
	for _, v6 := range []bool{false, true} {
		for _, tt := range []struct{ name, frames string }{
			{"a kernel peer on the same machine", "bbbbbbbb" + "bbbb"},
			{"the same, whose resets come complete", "bbcbbbcbbbc"},
			{"now this, now that", strings.Repeat("bcc", 20)},
			{"damage on a wire", sixteen + "D" + sixteen + "D" + "cccc" + "D"},
			{"damage before the habit", "ccccc" + "b" + sixteen + "D"},
			{"the habit changes", sixteen + "D" + "bbbbcbb"},
			{"two damaged in a row", sixteen + "D" + "b" + sixteen + "D"},
		} {
			r := newReceiver(newRing(t, 1), nil, func(tcpip.NetworkProtocolNumber, *gstack.PacketBuffer) {})
			s := segmentSpec{v6: v6, flags: flagAck | flagPsh, payload: testBytes(1, 100)}
			for i, kind := range tt.frames {
				f := s.frame()
				s.seq += 100
				if kind != 'c' {
					beginTransport(f[14:], protoTCP, 16)
				}
				before, repaired := r.dropped[badChecksum].Load(), r.repaired.Load()
				r.batch([]frame.Frame{{B: f}})
				dropped := r.dropped[badChecksum].Load() > before
				if dropped != (kind == 'D') || (r.repaired.Load() > repaired) != (kind == 'b') {
					t.Errorf("IPv6 %t, %s: frame %d (%c): dropped %t", v6, tt.name, i, kind, dropped)
				}
			}
		}
	}
}

// TestChecksumHabitFlows shows that a flow's habit is its own, and that a
// device that verifies checksums is believed.
func TestChecksumHabitFlows(t *testing.T) {
	r := newReceiver(newRing(t, 1), nil, func(tcpip.NetworkProtocolNumber, *gstack.PacketBuffer) {})
	for range 20 {
		for flow := range 2 {
			s := segmentSpec{flow: flow, flags: flagAck | flagPsh, payload: testBytes(1, 100)}
			f := s.frame()
			if flow == 1 {
				beginTransport(f[14:], protoTCP, 16)
			}
			r.batch([]frame.Frame{{B: f}})
			r.batch([]frame.Frame{{B: f, ChecksumOK: true}})
		}
	}
	if n := r.dropped[badChecksum].Load(); n != 0 || r.repaired.Load() != 20 {
		t.Errorf("%d dropped and %d repaired, want 0 and 20", n, r.repaired.Load())
	}
}
