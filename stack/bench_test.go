package stack

import (
	"fmt"
	"io"
	"net/netip"
	"testing"

	"gvisor.dev/gvisor/pkg/tcpip"
	gstack "gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/seed-54eb6215/xftp/stack/stacktest"
)

const fullPayload = 1448 // bytes in a full segment with time stamps on a link of 1500

func fullSegment() segmentSpec {
	return segmentSpec{flags: flagAck, window: 1000, options: []byte{1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}, payload: testBytes(1, fullPayload)}
}

// TestNoAllocations holds what is done for every frame to no allocation.
func TestNoAllocations(t *testing.T) {
	in := fullSegment().frame()
	s := fullSegment()
	s.payload = testBytes(1, 45*fullPayload)
	out := []*gstack.PacketBuffer{outgoing(s, fullPayload)}
	defer out[0].DecRef()
	whole := outgoing(fullSegment(), fullPayload)
	defer whole.DecRef()
	whole.GSOOptions = gstack.GSO{}
	tx := newTransmitter(newRing(t, 128), func(err error) { t.Error(err) })
	defer tx.close()
	var seg segmenter
	buf := make([]byte, 1514)

	for name, f := range map[string]func(){
		"parse": func() {
			if _, v := parse(in, ourMAC, false); v != accept {
				t.Fatal(v)
			}
		},
		"segmenter": func() {
			for last := !seg.start(out[0]); !last; {
				_, last = seg.next(buf)
			}
		},
		"transmitter": func() {
			if tx.write(out) != 1 {
				t.Fatal("not sent")
			}
		},
		"transmitter, one frame": func() {
			if tx.write([]*gstack.PacketBuffer{whole}) != 1 {
				t.Fatal("not sent")
			}
		},
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for _, verified := range []bool{false, true} {
		b.Run(fmt.Sprintf("verified=%t", verified), func(b *testing.B) {
			f := fullSegment().frame()
			b.SetBytes(int64(len(f)))
			b.ReportAllocs()
			for b.Loop() {
				if _, v := parse(f, ourMAC, verified); v != accept {
					b.Fatal(v)
				}
			}
		})
	}
}

// BenchmarkCoalesce joins a batch of 64 full segments of one flow, and of 8.
func BenchmarkCoalesce(b *testing.B) {
	for _, flows := range []int{1, 8} {
		b.Run(fmt.Sprintf("flows=%d", flows), func(b *testing.B) {
			var batch []packet
			for i := range 64 {
				s := fullSegment()
				s.flow, s.seq = i%flows, uint32(i/flows*fullPayload)
				p, v := parse(s.frame(), ourMAC, false)
				if v != accept {
					b.Fatal(v)
				}
				batch = append(batch, p)
			}
			packets := 0
			co := coalescer{deliver: func(tcpip.NetworkProtocolNumber, *gstack.PacketBuffer) { packets++ }}
			b.SetBytes(64 * fullPayload)
			b.ReportAllocs()
			for b.Loop() {
				for i := range batch {
					co.add(batch[i])
				}
				co.flush()
			}
			b.ReportMetric(float64(packets)/float64(b.N), "packets/op")
		})
	}
}

// BenchmarkSegment cuts a packet of 45 full segments.
func BenchmarkSegment(b *testing.B) {
	s := fullSegment()
	s.payload = testBytes(1, 45*fullPayload)
	pkt := outgoing(s, fullPayload, 1<<14)
	defer pkt.DecRef()
	var seg segmenter
	buf := make([]byte, 1514)
	b.SetBytes(int64(len(s.payload)))
	b.ReportAllocs()
	for b.Loop() {
		for last := !seg.start(pkt); !last; {
			_, last = seg.next(buf)
		}
	}
}

// BenchmarkTransfer moves 1 MiB at a time from one stack to another in memory.
func BenchmarkTransfer(b *testing.B) {
	for _, to := range []string{"10.1.0.2", "fd00:1::2"} {
		b.Run(to, func(b *testing.B) {
			wire := stacktest.NewWire(stacktest.Options{Buffers: 4096})
			client := openStack(b, Config{Addresses: []netip.Prefix{netip.MustParsePrefix("10.1.0.1/24"), netip.MustParsePrefix("fd00:1::1/64")}}, wire.A)
			server := openStack(b, Config{Addresses: []netip.Prefix{netip.MustParsePrefix("10.1.0.2/24"), netip.MustParsePrefix("fd00:1::2/64")}}, wire.B)
			l, err := server.Listen(b.Context(), "tcp", netip.AddrPortFrom(netip.MustParseAddr(to), 0).String())
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			c, err := client.DialContext(b.Context(), "tcp", l.Addr().String())
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			s, err := l.Accept()
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			received := make(chan int64, 1)
			go func() {
				n, _ := io.Copy(io.Discard, s)
				received <- n
			}()
			data := testBytes(1, 1<<20)
			sent := int64(0)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				n, err := c.Write(data)
				if sent += int64(n); err != nil {
					b.Fatal(err)
				}
			}
			c.(*Conn).CloseWrite()
			if n := <-received; n != sent {
				b.Errorf("received %d bytes of %d", n, sent)
			}
		})
	}
}
