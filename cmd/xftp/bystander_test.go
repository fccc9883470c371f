package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// TestXDPBystanders runs a connection of the kernel's, and ping to the host's
// own address, through the interface that xftp uses. Neither notices.
func TestXDPBystanders(t *testing.T) {
	b, want := newLargeBench(t, 1e9)
	ping := newPinger(t, b.lab)
	lostBeside := make(map[string]int)
	for _, network := range []string{"kernel", "xdp"} {
		t.Run(network, func(t *testing.T) {
			b.t = t
			before, err := b.lab.Client.TCP()
			if err != nil {
				t.Fatal(err)
			}
			stream := startStream(t, b.lab)
			r := b.start("get", b.ftp.URL("file"), "--net", network, "-o", network, "--stats")
			sent := ping.sent
			code := whileRunning(t, r, 5*time.Millisecond, ping.send)
			lostBeside[network] = ping.lost(t)
			sum := stream.stop(t)
			if code != 0 {
				t.Fatalf("exit code %d\n%s", code, r.stderr.String())
			}
			b.expect(filepath.Join(b.dir, network), want)
			after, err := b.lab.Client.TCP()
			if err != nil {
				t.Fatal(err)
			}
			if after.EstabResets != before.EstabResets || after.OutRsts != before.OutRsts {
				t.Errorf("the kernel saw a reset: %+v, before %+v", after, before)
			}
			segments := after.InSegs - before.InSegs
			t.Logf("%d bytes of the kernel's connection (%d segments received), hash equal: %t; %d of %d pings lost",
				stream.n, segments, sum, lostBeside[network], ping.sent-sent)
			if !sum {
				t.Error("the bytes of the kernel's connection are not those sent")
			}
			if network != "xdp" {
				return
			}
			c := readCounters(&r.stderr)
			t.Logf("program: %d redirected, %d not ours; socket: %d received; stack: %d not for us",
				c["program.redirected"], c["program.passed_not_ours"], c["socket.rx_frames"], c["stack.rx_not_for_us"])
			if c["program.redirected"] == 0 || c["stack.rx_not_for_us"] != 0 {
				t.Error("frames of others were redirected")
			}
			if c["program.passed_not_ours"] < segments {
				t.Errorf("%d frames passed to the kernel, which received %d segments", c["program.passed_not_ours"], segments)
			}
		})
	}
	if lostBeside["xdp"] > lostBeside["kernel"] {
		t.Errorf("%d pings lost beside xftp over AF_XDP, %d beside kernel sockets", lostBeside["xdp"], lostBeside["kernel"])
	}
}

// A stream is a TCP connection of the kernel's from the server's host to the
// client's, which sends until it is told to stop.
type stream struct {
	cancel context.CancelFunc
	sums   chan [32]byte // of what was sent, then of what was received
	n      int64
	errs   chan error
}

func startStream(t *testing.T, l *lab.Lab) *stream {
	t.Helper()
	listener, err := l.Server.Listen(t.Context(), "tcp", net.JoinHostPort(l.Server.IPv4.Addr().String(), "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	receiver, err := l.Client.DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	sender, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := &stream{cancel: cancel, sums: make(chan [32]byte, 2), errs: make(chan error, 2)}
	go func() {
		defer sender.Close()
		h := sha256.New()
		source := rand.NewChaCha8([32]byte{7})
		buf := make([]byte, 8<<10)
		var err error
		// Slowly: it is to be there, not to have the link for itself.
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil && err == nil {
			<-tick.C
			source.Read(buf)
			h.Write(buf)
			_, err = sender.Write(buf)
		}
		s.sums <- [32]byte(h.Sum(nil))
		s.errs <- err
	}()
	go func() {
		defer receiver.Close()
		h := sha256.New()
		n, err := io.Copy(h, receiver)
		s.n = n
		s.sums <- [32]byte(h.Sum(nil))
		s.errs <- err
	}()
	return s
}

// stop ends the stream and says whether what was received is what was sent.
func (s *stream) stop(t *testing.T) bool {
	t.Helper()
	s.cancel()
	if err := errors.Join(<-s.errs, <-s.errs); err != nil {
		t.Error(err)
	}
	a, b := <-s.sums, <-s.sums
	return a == b && s.n > 0
}

// A pinger sends echo requests from the server's host to the client's own
// address (RFC 792).
type pinger struct {
	conn net.PacketConn
	to   net.Addr
	sent int
	got  chan int

	counted int // requests that lost has accounted for
}

func newPinger(t *testing.T, l *lab.Lab) *pinger {
	t.Helper()
	p := &pinger{to: &net.IPAddr{IP: l.Client.IPv4.Addr().AsSlice()}, got: make(chan int, 1<<16)}
	err := l.Server.Do(func() (err error) {
		p.conn, err = net.ListenPacket("ip4:icmp", l.Server.IPv4.Addr().String())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 1500)
		for {
			n, _, err := p.conn.ReadFrom(b)
			if err != nil {
				return
			}
			if n >= 8 && b[0] == 0 {
				p.got <- int(binary.BigEndian.Uint16(b[6:]))
			}
		}
	}()
	t.Cleanup(func() { p.conn.Close(); <-done })
	return p
}

func (p *pinger) send() {
	p.sent++
	b := []byte{8, 0, 0, 0, 0x78, 0x66, byte(p.sent >> 8), byte(p.sent)}
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	sum = sum>>16 + sum&0xffff
	binary.BigEndian.PutUint16(b[2:], ^uint16(sum+sum>>16))
	_, _ = p.conn.WriteTo(b, p.to) // one that is not sent is one that is lost
}

// lost returns how many echo requests since the last call had no reply. The
// link keeps the order, so that the reply to one more request is the last.
func (p *pinger) lost(t *testing.T) int {
	t.Helper()
	p.send()
	replies := 0
	late := time.After(10 * time.Second)
	for {
		select {
		case n := <-p.got:
			if replies++; n != p.sent&0xffff {
				continue
			}
			missing := p.sent - p.counted - replies
			p.counted = p.sent
			return missing
		case <-late:
			t.Fatal("no reply to the last echo request")
		}
	}
}
