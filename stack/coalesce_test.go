package stack

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"gvisor.dev/gvisor/pkg/tcpip"
	gstack "gvisor.dev/gvisor/pkg/tcpip/stack"
)

// collector keeps what a coalescer delivers.
type collector struct{ packets [][]byte }

func (c *collector) coalescer() *coalescer {
	return &coalescer{deliver: func(_ tcpip.NetworkProtocolNumber, pkt *gstack.PacketBuffer) {
		v := pkt.ToView()
		c.packets = append(c.packets, append([]byte(nil), v.AsSlice()...))
		v.Release()
	}}
}

// coalesced returns what becomes of a batch of frames. The frames are
// overwritten afterwards, as a device's are.
func coalesced(t testing.TB, frames [][]byte) [][]byte {
	t.Helper()
	var c collector
	co := c.coalescer()
	for _, f := range frames {
		p, v := parse(f, ourMAC, false)
		if v != accept {
			t.Fatalf("the test sent a frame that parse does not accept: verdict %d", v)
		}
		co.add(p)
	}
	co.flush()
	for _, f := range frames {
		for i := range f {
			f[i] = 0xdb
		}
	}
	return c.packets
}

// event is a part of what TCP sees of a flow, such that joining segments
// changes nothing about the sequence of events.
type event struct {
	headers string // all that may not differ between segments that are joined
	seq     uint32
	kind    byte // 'b' a byte, 'p' a push, 's' a segment of its own
	value   byte
}

// events returns what TCP sees of each flow, by its port, after checking the
// lengths of the packets.
func events(t testing.TB, packets [][]byte) map[uint16][]event {
	t.Helper()
	all := map[uint16][]event{}
	for _, ip := range packets {
		at := 40
		if ip[0]>>4 == 4 {
			at = int(ip[0]&15) * 4
			if int(binary.BigEndian.Uint16(ip[2:])) != len(ip) {
				t.Fatalf("total length %d in a packet of %d", binary.BigEndian.Uint16(ip[2:]), len(ip))
			}
		} else if int(binary.BigEndian.Uint16(ip[4:])) != len(ip)-40 {
			t.Fatalf("payload length %d in a packet of %d", binary.BigEndian.Uint16(ip[4:]), len(ip))
		}
		tcp := ip[at:]
		data := tcp[tcp[12]>>4*4:]
		h := bytes.Clone(ip[:len(ip)-len(data)])
		if ip[0]>>4 == 4 {
			copy(h[2:6], "\x00\x00\x00\x00") // length, identification
			copy(h[10:12], "\x00\x00")
		} else {
			copy(h[4:6], "\x00\x00")
		}
		copy(h[at+4:at+8], "\x00\x00\x00\x00")
		h[at+13] &^= flagPsh
		copy(h[at+16:at+18], "\x00\x00")
		port := binary.BigEndian.Uint16(tcp)
		e := event{headers: string(h), seq: binary.BigEndian.Uint32(tcp[4:])}
		if len(data) == 0 || tcp[13]&^byte(flagAck|flagPsh) != 0 {
			e.kind, e.value = 's', tcp[13]
			all[port] = append(all[port], e)
		}
		for _, b := range data {
			all[port] = append(all[port], event{e.headers, e.seq, 'b', b})
			e.seq++
		}
		if tcp[13]&flagPsh != 0 {
			all[port] = append(all[port], event{e.headers, e.seq, 'p', 0})
		}
	}
	return all
}

// compareEvents fails the test unless every flow of the batch is delivered as
// it came. It returns the number of packets that were delivered.
func compareEvents(t testing.TB, frames [][]byte) int {
	t.Helper()
	var alone [][]byte
	for _, f := range frames {
		p, _ := parse(f, ourMAC, false)
		alone = append(alone, bytes.Clone(p.b))
	}
	want := events(t, alone)
	packets := coalesced(t, frames)
	got := events(t, packets)
	if len(got) != len(want) {
		t.Fatalf("%d flows were delivered of %d", len(got), len(want))
	}
	for port := range want {
		if !sameEvents(got[port], want[port]) {
			t.Fatalf("flow %d was not delivered as it came", port)
		}
	}
	return len(packets)
}

// sameEvents says whether got is want, but for acknowledgements that were left
// out because the next event says all that they say, and more.
func sameEvents(got, want []event) bool {
	for i := 0; i < len(want); i++ {
		switch {
		case len(got) > 0 && got[0] == want[i]:
			got = got[1:]
		case i+1 < len(want) && superseded(want[i], want[i+1]):
		default:
			return false
		}
	}
	return len(got) == 0
}

// superseded says whether a and b are acknowledgements without SACK that
// differ in what they acknowledge, which is more in b, in the window and the
// time stamps, and in nothing else.
func superseded(a, b event) bool {
	if a.kind != 's' || b.kind != 's' || a.value != flagAck || b.value != flagAck || a.seq != b.seq || len(a.headers) != len(b.headers) {
		return false
	}
	h := [2][]byte{[]byte(a.headers), []byte(b.headers)}
	var acked [2]uint32
	for i, ip := range h {
		at := 40
		if ip[0]>>4 == 4 {
			at = 20
		}
		if len(ip) != at+20 && (len(ip) != at+32 || !bytes.HasPrefix(ip[at+20:], []byte{1, 1, 8, 10})) {
			return false
		}
		acked[i] = binary.BigEndian.Uint32(ip[at+8:])
		clear(ip[at+8 : at+12]) // what is acknowledged
		clear(ip[at+14 : at+16])
		clear(ip[min(at+24, len(ip)):]) // the time stamps
	}
	return bytes.Equal(h[0], h[1]) && int32(acked[1]-acked[0]) > 0
}

// TestCoalesceAcknowledgements shows which first of two acknowledgements is
// left out.
func TestCoalesceAcknowledgements(t *testing.T) {
	stamps := func(v byte) []byte { return []byte{1, 1, 8, 10, 0, 0, 0, v, 0, 0, 0, v} }
	for _, v6 := range []bool{false, true} {
		base := segmentSpec{v6: v6, seq: 5, ack: 1<<32 - 50, flags: flagAck, window: 500, ttl: 64, options: stamps(1)}
		for _, tt := range []struct {
			name   string
			change func(first, second *segmentSpec)
			want   int
		}{
			{"more", func(_, s *segmentSpec) { s.ack += 100 }, 1},
			{"more, no options", func(f, s *segmentSpec) { s.ack += 100; f.options, s.options = nil, nil }, 1},
			{"more, smaller window", func(_, s *segmentSpec) { s.ack++; s.window = 0 }, 1},
			{"more, later", func(_, s *segmentSpec) { s.ack++; s.options = stamps(2) }, 1},
			{"the same", func(_, _ *segmentSpec) {}, 2},
			{"window update", func(_, s *segmentSpec) { s.window++ }, 2},
			{"less", func(_, s *segmentSpec) { s.ack-- }, 2},
			{"other sequence number", func(_, s *segmentSpec) { s.ack++; s.seq++ }, 2},
			{"data", func(_, s *segmentSpec) { s.ack++; s.payload = testBytes(1, 10) }, 2},
			{"after data", func(f, s *segmentSpec) { s.ack++; f.payload = testBytes(1, 10); s.seq += 10 }, 2},
			{"FIN", func(_, s *segmentSpec) { s.ack++; s.flags |= flagFin }, 2},
			{"ECE", func(_, s *segmentSpec) { s.ack++; s.flags |= 0x40 }, 2},
			{"ECE first", func(f, s *segmentSpec) { s.ack++; f.flags |= 0x40 }, 2},
			{"SACK first", func(f, s *segmentSpec) { s.ack++; f.options = []byte{1, 1, 5, 10, 0, 0, 1, 0, 0, 0, 2, 0} }, 2},
			{"SACK", func(_, s *segmentSpec) { s.ack++; s.options = []byte{1, 1, 5, 10, 0, 0, 1, 0, 0, 0, 2, 0} }, 2},
			{"other options", func(_, s *segmentSpec) { s.ack++; s.options = nil }, 2},
			{"type of service", func(_, s *segmentSpec) { s.ack++; s.tos = 3 }, 2},
			{"other flow", func(_, s *segmentSpec) { s.ack++; s.flow++ }, 2},
		} {
			t.Run(fmt.Sprintf("IPv6 %t/%s", v6, tt.name), func(t *testing.T) {
				first, second := base, base
				tt.change(&first, &second)
				if got := compareEvents(t, [][]byte{first.frame(), second.frame()}); got != tt.want {
					t.Errorf("%d packets, want %d", got, tt.want)
				}
			})
		}
	}
}

// train returns n segments of 100 bytes that follow one another.
func train(s segmentSpec, n int) [][]byte {
	var frames [][]byte
	for i := range n {
		s.payload = testBytes(uint64(s.flow*1000+i), 100)
		frames = append(frames, s.frame())
		s.seq += 100
	}
	return frames
}

// TestCoalesceJoins shows which second segments are joined to a first.
func TestCoalesceJoins(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		base := segmentSpec{v6: v6, seq: 1<<32 - 100, ack: 7, flags: flagAck, window: 500, ttl: 64, df: true,
			options: []byte{1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}, payload: testBytes(1, 100)}
		for _, tt := range []struct {
			name   string
			change func(first, second *segmentSpec)
			joined bool
		}{
			{"in order", func(_, _ *segmentSpec) {}, true},
			{"shorter", func(_, s *segmentSpec) { s.payload = s.payload[:1] }, true},
			{"longer", func(_, s *segmentSpec) { s.payload = testBytes(2, 1400) }, true},
			{"push on the second", func(_, s *segmentSpec) { s.flags |= flagPsh }, true},
			{"push on the first", func(f, _ *segmentSpec) { f.flags |= flagPsh }, false},
			{"gap", func(_, s *segmentSpec) { s.seq++ }, false},
			{"overlap", func(_, s *segmentSpec) { s.seq-- }, false},
			{"duplicate", func(f, s *segmentSpec) { s.seq = f.seq }, false},
			{"empty", func(_, s *segmentSpec) { s.payload = nil }, false},
			{"first empty", func(f, s *segmentSpec) { f.payload = nil; f.seq = s.seq }, false},
			{"FIN", func(_, s *segmentSpec) { s.flags |= flagFin }, false},
			{"SYN", func(_, s *segmentSpec) { s.flags |= flagSyn }, false},
			{"RST", func(_, s *segmentSpec) { s.flags |= flagRst }, false},
			{"URG", func(_, s *segmentSpec) { s.flags |= flagUrg }, false},
			{"ECE", func(_, s *segmentSpec) { s.flags |= 0x40 }, false},
			{"CWR", func(_, s *segmentSpec) { s.flags |= flagCwr }, false},
			{"no ACK", func(_, s *segmentSpec) { s.flags = 0 }, false},
			{"FIN first", func(f, _ *segmentSpec) { f.flags |= flagFin }, false},
			{"SYN first", func(f, _ *segmentSpec) { f.flags |= flagSyn }, false},
			{"acknowledgement", func(_, s *segmentSpec) { s.ack++ }, false},
			{"window", func(_, s *segmentSpec) { s.window++ }, false},
			{"time stamp", func(_, s *segmentSpec) { s.options = append(bytes.Clone(s.options[:11]), 3) }, false},
			{"no options", func(_, s *segmentSpec) { s.options = nil }, false},
			{"type of service", func(_, s *segmentSpec) { s.tos = 3 }, false},
			{"TTL", func(_, s *segmentSpec) { s.ttl-- }, false},
			{"other flow", func(_, s *segmentSpec) { s.flow++ }, false},
			{"other family", func(_, s *segmentSpec) { s.v6 = !s.v6 }, false},
			{"DF", func(_, s *segmentSpec) { s.df = false }, v6},
			{"IP options", func(f, s *segmentSpec) { f.ipOpts = []byte{1, 1, 1, 0}; s.ipOpts = f.ipOpts }, v6},
		} {
			t.Run(fmt.Sprintf("IPv6 %t/%s", v6, tt.name), func(t *testing.T) {
				first, second := base, base
				second.seq, second.payload = first.seq+100, testBytes(2, 100)
				tt.change(&first, &second)
				want := 2
				if tt.joined {
					want = 1
				}
				frames := [][]byte{first.frame(), second.frame()}
				if got := compareEvents(t, frames); got != want {
					t.Errorf("%d packets, want %d", got, want)
				}
			})
		}
	}
}

// TestCoalesceReserved tells segments apart whose reserved bits differ, one of
// which newer standards use.
func TestCoalesceReserved(t *testing.T) {
	frames := train(segmentSpec{flags: flagAck}, 2)
	frames[1][14+20+12] |= 1
	completeTransport(frames[1][14:], protoTCP, 16)
	if n := compareEvents(t, frames); n != 2 {
		t.Errorf("%d packets, want 2", n)
	}
}

// TestCoalesceBatch shows into how many packets whole batches are joined.
func TestCoalesceBatch(t *testing.T) {
	interleave := func(flows, n int) [][]byte {
		var frames [][]byte
		trains := make([][][]byte, flows)
		for i := range trains {
			trains[i] = train(segmentSpec{flow: i, v6: i%2 == 1, flags: flagAck}, n)
		}
		for i := range n {
			for _, tr := range trains {
				frames = append(frames, tr[i])
			}
		}
		return frames
	}
	big := func(v6 bool, sizes ...int) [][]byte {
		s := segmentSpec{v6: v6, flags: flagAck}
		var frames [][]byte
		for i, n := range sizes {
			s.payload = testBytes(uint64(i), n)
			frames = append(frames, s.frame())
			s.seq += uint32(n)
		}
		return frames
	}
	damaged := train(segmentSpec{flags: flagAck}, 9)
	damaged = append(damaged[:4], damaged[5:]...)

	for _, tt := range []struct {
		name   string
		frames [][]byte
		want   int
	}{
		{"nothing", nil, 0},
		{"one", train(segmentSpec{flags: flagAck}, 1), 1},
		{"64 segments", train(segmentSpec{flags: flagAck}, 64), 1},
		{"65 segments", train(segmentSpec{flags: flagAck}, 65), 2},
		{"129 segments over IPv6", train(segmentSpec{v6: true, flags: flagAck}, 129), 3},
		{"3 flows", interleave(3, 20), 3},
		{"8 flows", interleave(8, 10), 8},
		{"20 flows", interleave(20, 5), 76}, // more than are kept side by side
		{"one lost or damaged", damaged, 2},
		{"65535 bytes", big(false, 60000, 65535-40-60000), 1},
		{"65536 bytes", big(false, 60000, 65536-40-60000), 2},
		{"65535 bytes over IPv6", big(true, 60000, 65535-60-60000), 1},
		{"65536 bytes over IPv6", big(true, 60000, 65536-60-60000), 2},
		{"all pushed", train(segmentSpec{flags: flagAck | flagPsh}, 5), 5},
		{"acknowledgements", slices.Concat(big(false, 0, 0), big(false, 10, 10, 0, 10)), 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := compareEvents(t, tt.frames); got != tt.want {
				t.Errorf("%d packets, want %d", got, tt.want)
			}
		})
	}
}

// TestCoalesceOthers shows that what is not TCP is delivered, too.
func TestCoalesceOthers(t *testing.T) {
	arp := ethernet(ourMAC, etherARP, testBytes(1, 28))
	udp := ethernet(ourMAC, etherIPv4, ipv4Packet(protoUDP, nil, udpDatagram(testBytes(2, 30))))
	icmp := ethernet(ourMAC, etherIPv6, ipv6Packet(58, testBytes(3, 20)))
	want := [][]byte{bytes.Clone(arp[14:]), bytes.Clone(udp[14:]), bytes.Clone(icmp[14:])}
	frames := slices.Concat(train(segmentSpec{flags: flagAck}, 1), [][]byte{arp, udp, icmp})
	got := coalesced(t, frames)
	if len(got) != 4 {
		t.Fatalf("%d packets, want 4", len(got))
	}
	for i, w := range want {
		if !bytes.Equal(got[i], w) {
			t.Errorf("packet %d is not the one that was sent", i)
		}
	}
}

// TestCoalesceForgets shows that a coalescer that has flushed refers to no
// frame any more: their memory is the device's again.
func TestCoalesceForgets(t *testing.T) {
	var c collector
	co := c.coalescer()
	for _, f := range slices.Concat(train(segmentSpec{flags: flagAck}, 30), train(segmentSpec{flow: 1, flags: flagAck}, 3), train(segmentSpec{flow: 2, flags: flagAck}, 5)) {
		p, _ := parse(f, ourMAC, false)
		co.add(p)
	}
	co.flush()
	for i := range co.runs {
		r := &co.runs[i]
		if r.first.b != nil || r.n != 0 {
			t.Errorf("run %d still holds a packet", i)
		}
		for _, p := range r.parts {
			if p != nil {
				t.Fatalf("run %d still holds a payload", i)
			}
		}
	}
}

// script makes a batch of frames of up to 12 flows out of bytes: most segments
// continue their flow, some do not.
func script(b []byte) [][]byte {
	var flows [12]segmentSpec
	for i := range flows {
		flows[i] = segmentSpec{flow: i, v6: i%3 == 2, flags: flagAck, ttl: 64, seq: uint32(i) << 29, window: 9}
	}
	var frames [][]byte
	for len(b) >= 2 && len(frames) < 256 {
		op, s := b[1], &flows[int(b[0])%len(flows)]
		s.payload = testBytes(uint64(len(frames)), int(b[0])/12*9)
		b = b[2:]
		this := *s
		switch op {
		case 1:
			this.flags |= flagPsh
		case 2:
			this.flags |= flagFin
		case 3:
			this.flags = flagSyn
		case 4:
			this.flags |= flagRst
		case 5:
			this.flags |= flagUrg
		case 6:
			s.ack++
			this.ack++
		case 7:
			s.window++
			this.window++
		case 8:
			s.seq -= 50 // the next overlaps
		case 9:
			s.seq += 50 // a gap
		case 10:
			s.options = []byte{1, 1, 1, byte(len(frames))}
		case 11:
			s.options = nil
		case 12:
			this.tos ^= 4
		case 13:
			this.payload = nil
		case 14:
			this.flags |= 0x40
		case 15:
			this.payload = testBytes(3, 20000)
		}
		frames = append(frames, this.frame())
		s.seq += uint32(len(this.payload))
	}
	return frames
}

func TestCoalesceRandom(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 2))
		b := make([]byte, 2*r.IntN(150))
		flows, faults := 1+r.IntN(12), 16+r.IntN(200)
		for i := range b {
			if b[i] = byte(r.IntN(256)); i%2 == 0 {
				b[i] = b[i]/12*12 + byte(r.IntN(flows))
			} else {
				b[i] = byte(r.IntN(faults))
			}
		}
		compareEvents(t, script(b))
	}
}

func FuzzCoalesce(f *testing.F) {
	f.Add([]byte{12, 0, 12, 0, 24, 0, 12, 1, 12, 0})
	f.Add([]byte{12, 0, 13, 0, 12, 8, 13, 2, 13, 0, 14, 0, 12, 0, 12, 9, 12, 0})
	f.Add(bytes.Repeat([]byte{12, 15, 13, 0}, 20))
	f.Fuzz(func(t *testing.T, b []byte) { compareEvents(t, script(b)) })
}
