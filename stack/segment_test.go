package stack

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	gstack "gvisor.dev/gvisor/pkg/tcpip/stack"
)

// outgoing returns a packet as the stack hands it down: headers for the whole
// of the payload, a TCP checksum that is begun only, and the payload in Views
// that end after each of cuts bytes. The caller must DecRef it.
func outgoing(s segmentSpec, mss int, cuts ...int) *gstack.PacketBuffer {
	payload := s.payload
	s.payload = nil
	f := s.frame()
	headers, ipLen := f[14:], 20
	if s.v6 {
		ipLen = 40
		put16(headers, 4, uint16(len(headers)-40+len(payload)))
	} else {
		put16(headers, 2, uint16(len(headers)+len(payload)))
	}
	put16(headers[ipLen:], 16, referenceSum(referencePseudo(headers, protoTCP, len(headers)-ipLen+len(payload))))

	var data buffer.Buffer
	for at, i := 0, 0; at < len(payload); i++ {
		n := len(payload) - at
		if len(cuts) > 0 {
			n = min(n, cuts[i%len(cuts)])
		}
		part := buffer.MakeWithData(payload[at : at+n])
		data.Merge(&part)
		at += n
	}
	pkt := gstack.NewPacketBuffer(gstack.PacketBufferOptions{ReserveHeaderBytes: 14 + len(headers) + 7, Payload: data})
	copy(pkt.TransportHeader().Push(len(headers)-ipLen), headers[ipLen:])
	copy(pkt.NetworkHeader().Push(ipLen), headers[:ipLen])
	copy(pkt.LinkHeader().Push(14), f[:14])
	pkt.TransportProtocolNumber = header.TCPProtocolNumber
	pkt.GSOOptions = gstack.GSO{Type: gstack.GSOTCPv4, NeedsCsum: true, CsumOffset: 16, MSS: uint16(mss), L3HdrLen: uint16(ipLen), MaxSize: maxPacket}
	pkt.NetworkProtocolNumber = header.IPv4ProtocolNumber
	if s.v6 {
		pkt.GSOOptions.Type = gstack.GSOTCPv6
		pkt.NetworkProtocolNumber = header.IPv6ProtocolNumber
	}
	return pkt
}

// segments returns the frames that pkt is cut into.
func segments(t testing.TB, pkt *gstack.PacketBuffer) [][]byte {
	t.Helper()
	var s segmenter
	if !segmentable(pkt) || !s.start(pkt) {
		t.Fatal("the packet cannot be cut")
	}
	var frames [][]byte
	for {
		buf := bytes.Repeat([]byte{0xdb}, 14+maxPacket)
		n, last := s.next(buf)
		frames = append(frames, buf[:n:n])
		if last {
			return frames
		}
	}
}

// referenceSegments cuts a segment by building each part anew.
func referenceSegments(s segmentSpec, mss int) [][]byte {
	var frames [][]byte
	payload, flags := s.payload, s.flags
	for first := true; first || len(payload) > 0; first = false {
		n := min(mss, len(payload))
		s.payload, s.flags = payload[:n], flags
		payload = payload[n:]
		if len(payload) > 0 {
			s.flags &^= flagFin | flagPsh
		}
		if !first {
			s.flags &^= flagCwr
		}
		frames = append(frames, s.frame())
		s.seq += uint32(n)
	}
	return frames
}

// compareSegments cuts s and compares the frames with those of the slow way.
func compareSegments(t testing.TB, s segmentSpec, mss int, cuts ...int) {
	t.Helper()
	pkt := outgoing(s, mss, cuts...)
	defer pkt.DecRef()
	got, want := segments(t, pkt), referenceSegments(s, mss)
	if len(got) != len(want) {
		t.Fatalf("%d bytes: %d frames, want %d", len(s.payload), len(got), len(want))
	}
	for i := range want {
		if !bytes.Equal(got[i], want[i]) {
			t.Fatalf("%d bytes: frame %d of %d is\n%x, want\n%x", len(s.payload), i, len(want), got[i], want[i])
		}
		if _, v := parse(got[i], ourMAC, false); v != accept {
			t.Fatalf("%d bytes: frame %d of %d gets verdict %d", len(s.payload), i, len(want), v)
		}
	}
	if !bytes.Equal(pkt.Data().AsRange().ToSlice(), s.payload) {
		t.Fatal("the payload was written to")
	}
}

// TestSegment cuts payloads of every length up to four segments and one byte,
// and the longest.
func TestSegment(t *testing.T) {
	const small, full = 61, 1448
	payload := testBytes(1, maxPacket)
	for _, v6 := range []bool{false, true} {
		for _, options := range []int{0, 12, 32} {
			t.Run(fmt.Sprintf("IPv6 %t/options %d", v6, options), func(t *testing.T) {
				s := segmentSpec{v6: v6, seq: 1<<32 - 100, ack: 3, window: 77, ttl: 64, df: true,
					flags:   flagAck | flagPsh | flagFin | flagCwr,
					options: bytes.Repeat([]byte{1}, options)}
				for n := range 4*small + 2 {
					s.payload = payload[:n]
					compareSegments(t, s, small)
					compareSegments(t, s, small, 1, 7, 64)
				}
				lengths := []int{65159, 65160, 65161}
				for k := range 5 {
					lengths = append(lengths, k*full+1, (k+1)*full-1, (k+1)*full)
				}
				for _, n := range lengths {
					s.payload = payload[:n]
					compareSegments(t, s, full)
					compareSegments(t, s, full, 4093, 1, 8191)
				}
			})
		}
	}
}

// TestSegmentFlags looks at the flags themselves.
func TestSegmentFlags(t *testing.T) {
	pkt := outgoing(segmentSpec{flags: flagAck | flagPsh | flagFin | flagCwr, payload: testBytes(1, 250)}, 100)
	defer pkt.DecRef()
	for i, want := range []byte{flagAck | flagCwr, flagAck, flagAck | flagPsh | flagFin} {
		f := segments(t, pkt)[i]
		if got := f[14+20+13]; got != want {
			t.Errorf("segment %d: flags %#x, want %#x", i, got, want)
		}
		if got, want := binary.BigEndian.Uint32(f[14+20+4:]), uint32(100*i); got != want {
			t.Errorf("segment %d: sequence number %d, want %d", i, got, want)
		}
	}
}

// TestSegmentOnly shows what is not cut.
func TestSegmentOnly(t *testing.T) {
	pkt := outgoing(segmentSpec{flags: flagSyn}, 1448)
	defer pkt.DecRef()
	pkt.GSOOptions = gstack.GSO{}
	if segmentable(pkt) {
		t.Error("a packet whose checksum is complete is to be cut")
	}
}

// TestGSOSize shows that the largest packet is a whole number of segments.
func TestGSOSize(t *testing.T) {
	for mtu := 576; mtu <= 9216; mtu++ {
		size := int(gsoSize(mtu))
		if payload, mss := size-161, mtu-80; size > maxPacket || payload%mss != 0 || payload+mss <= maxPacket-161 {
			t.Fatalf("MTU %d: size %d", mtu, size)
		}
	}
}

// TestSegmentPayload shows when a segment is as long as its own options allow.
func TestSegmentPayload(t *testing.T) {
	for _, tt := range []struct{ mtu, ip, tcp, mss, want int }{
		{1500, 20, 32, 1420, 1448}, // time stamps
		{1500, 20, 20, 1420, 1460}, // no options
		{1500, 20, 44, 1420, 1436}, // time stamps and one SACK block
		{1500, 20, 60, 1420, 1420}, // the longest
		{1500, 40, 32, 1400, 1428},
		{9000, 40, 32, 8900, 8928},
		{1500, 20, 32, 1448, 1448}, // the peer does without SACK
		{1500, 20, 32, 1412, 1412}, // the peer offers 1452
		{1500, 20, 32, 496, 496},
		{0, 20, 32, 1420, 1420}, // no link
		{60, 20, 32, 0, 0},
	} {
		if got := segmentPayload(tt.mtu, tt.ip, tt.tcp, tt.mss); got != tt.want {
			t.Errorf("segmentPayload(%d, %d, %d, %d) = %d, want %d", tt.mtu, tt.ip, tt.tcp, tt.mss, got, tt.want)
		}
	}
}

// TestPacketPayload shows that what is written at a time is as many whole
// segments as the stack takes in one packet.
func TestPacketPayload(t *testing.T) {
	for _, ip := range []int{20, 40} {
		for mtu := 576; mtu <= 9216; mtu++ {
			size, segment, most := packetPayload(mtu, ip), mtu-ip-32, int(gsoSize(mtu))-161
			if size%segment != 0 || size > most || size+segment <= most {
				t.Fatalf("MTU %d: %d bytes in segments of %d, of %d possible", mtu, size, segment, most)
			}
		}
	}
}

// roundTrip cuts a payload and joins the frames again.
func roundTrip(t testing.TB, payload []byte, v6 bool, mss int, cuts ...int) {
	t.Helper()
	s := segmentSpec{v6: v6, flags: flagAck | flagPsh, seq: 1<<32 - 3000, payload: payload}
	compareSegments(t, s, mss, cuts...)
	pkt := outgoing(s, mss, cuts...)
	defer pkt.DecRef()
	var got []byte
	for _, p := range coalesced(t, segments(t, pkt)) {
		at := 40
		if v6 {
			at = 60
		}
		got = append(got, p[at:]...)
	}
	if !bytes.Equal(got, payload) {
		t.Fatal("the payload came back changed")
	}
}

func FuzzSegment(f *testing.F) {
	f.Add(uint16(0), uint16(1448), false, uint8(0))
	f.Add(uint16(65160), uint16(1448), true, uint8(100))
	f.Add(uint16(4345), uint16(1448), false, uint8(1))
	f.Add(uint16(300), uint16(1), false, uint8(3))
	f.Fuzz(func(t *testing.T, n, mss uint16, v6 bool, cut uint8) {
		n, mss = min(n, maxPacket-60), min(max(mss, 1), 9000)
		mss = max(mss, n/512)
		if cut == 0 {
			roundTrip(t, testBytes(uint64(n), int(n)), v6, int(mss))
			return
		}
		roundTrip(t, testBytes(uint64(n), int(n)), v6, int(mss), int(cut)*31, int(cut))
	})
}
