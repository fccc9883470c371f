package stack

import (
	"encoding/binary"
	"slices"
	"testing"

	"gvisor.dev/gvisor/pkg/tcpip"
	gstack "gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/seed-54eb6215/xftp/frame"
)

// TestDuplicates shows which acknowledgements the stack gets twice: as the
// duplicates that they are, and with the window that they offer.
func TestDuplicates(t *testing.T) {
	const flags = flagAck
	selective := []byte{1, 1, 5, 10, 0, 0, 0x10, 0, 0, 0, 0x20, 0}
	stamps := []byte{1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 1}
	both := slices.Concat(stamps, selective)
	for _, tt := range []struct {
		name   string
		second segmentSpec
		want   []uint16 // windows that the stack sees
	}{
		{"another window", segmentSpec{flags: flags, ack: 7, window: 120, options: selective}, []uint16{100, 100, 120}},
		{"a smaller window, with timestamps", segmentSpec{flags: flags, ack: 7, window: 80, options: both}, []uint16{100, 100, 80}},
		{"the same window", segmentSpec{flags: flags, ack: 7, window: 100, options: selective}, []uint16{100, 100}},
		{"a window update", segmentSpec{flags: flags, ack: 7, window: 120, options: stamps}, []uint16{100, 120}},
		{"more than before", segmentSpec{flags: flags, ack: 8, window: 120, options: selective}, []uint16{100, 120}},
		{"with data", segmentSpec{flags: flags, ack: 7, window: 120, options: selective, payload: []byte("data")}, []uint16{100, 120}},
		{"with FIN", segmentSpec{flags: flags | flagFin, ack: 7, window: 120, options: selective}, []uint16{100, 120}},
		{"of another flow", segmentSpec{flags: flags, flow: 1, ack: 7, window: 120, options: selective}, []uint16{100, 120}},
	} {
		for _, v6 := range []bool{false, true} {
			var got []uint16
			r := newReceiver(newRing(t, 1), nil, func(_ tcpip.NetworkProtocolNumber, pkt *gstack.PacketBuffer) {
				v := pkt.ToView()
				defer v.Release()
				at := 20
				if v6 {
					at = 40
				}
				got = append(got, binary.BigEndian.Uint16(v.AsSlice()[at+14:]))
			})
			first := segmentSpec{v6: v6, flags: flags, ack: 7, window: 100, options: stamps}
			tt.second.v6 = v6
			// In two batches: acknowledgements seldom come together.
			r.batch([]frame.Frame{{B: first.frame()}})
			second := tt.second.frame()
			r.batch([]frame.Frame{{B: second}})
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s, IPv6 %t: windows %d, want %d", tt.name, v6, got, tt.want)
			}
			if window := binary.BigEndian.Uint16(transportOf(second[14:])[14:]); window != tt.second.window {
				t.Errorf("%s, IPv6 %t: the frame offers %d now", tt.name, v6, window)
			}
		}
	}
}
