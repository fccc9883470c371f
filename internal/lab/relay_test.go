package lab_test

import (
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seed-54eb6215/xftp/internal/lab"
	"github.com/seed-54eb6215/xftp/internal/lab/relay"
)

// Nothing that crosses the relay does so in less than the delay.
func TestRelayDelays(t *testing.T) {
	const oneWay = 10 * time.Millisecond
	l := lab.ForTest(t, lab.Config{Impairment: lab.Impairment{Delay: oneWay}})
	answer := echo(t, l)
	for range 20 {
		start := time.Now()
		answer([]byte("ping"))
		if took := time.Since(start); took < 2*oneWay {
			t.Errorf("a round trip took %v, want at least %v", took, 2*oneWay)
		}
	}
}

// echo starts a server on the server host that returns datagrams, and returns
// a function that sends one and waits for it to come back.
func echo(t *testing.T, l *lab.Lab) func([]byte) {
	t.Helper()
	var pc net.PacketConn
	err := l.Server.Do(func() (err error) {
		pc, err = net.ListenPacket("udp", net.JoinHostPort(l.Server.IPv4.Addr().String(), "0"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 2048)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			if _, err := pc.WriteTo(buf[:n], from); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { pc.Close(); <-done })
	conn, err := l.Client.DialContext(t.Context(), "udp", pc.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return func(b []byte) {
		t.Helper()
		if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(b); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 2048)); err != nil {
			t.Fatal(err)
		}
	}
}

func report(t *testing.T, l *lab.Lab) lab.RelayReport {
	t.Helper()
	r, err := l.Relay.Report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What the receiver misses is what the relay has counted.
func TestRelayCountsWhatItLoses(t *testing.T) {
	l := lab.ForTest(t, lab.Config{Relay: true})
	move(t, l, l.Server.IPv4.Addr(), 1<<10) // the hosts know each other's MAC now
	before := report(t, l)
	if err := l.Relay.Set(t.Context(), lab.Impairment{Seed: 5, Loss: 0.2, Duplicate: 0.1}); err != nil {
		t.Fatal(err)
	}
	var pc net.PacketConn
	err := l.Server.Do(func() (err error) {
		pc, err = net.ListenPacket("udp", net.JoinHostPort(l.Server.IPv4.Addr().String(), "0"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	conn, err := l.Client.DialContext(t.Context(), "udp", pc.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const sent = 1000
	received := 0
	for i := range sent {
		if _, err := conn.Write([]byte("datagram")); err != nil {
			t.Fatal(err)
		}
		if i%50 == 49 {
			received += arrived(t, l, pc, before.ToServer, i+1, received)
		}
	}
	n := report(t, l).ToServer
	lost := n.Lost - before.ToServer.Lost
	if lost < sent/10 || lost > 3*sent/10 || n.Duplicated < sent/30 {
		t.Errorf("%d of %d are lost and %d are doubled, want about 200 and 80", lost, sent, n.Duplicated)
	}
	// The generator of the first direction is as documented, whatever else the
	// hosts had to say to each other just before.
	frames := n.Received - before.ToServer.Received
	apart := func(k int) bool { return lost == losses(frames-uint64(k)) }
	if !slices.ContainsFunc([]int{0, 1, 2, 3, 4, 5}, apart) {
		t.Errorf("%d of %d frames are lost, with this seed it has to be %d", lost, frames, losses(frames))
	}
}

// arrived waits until as many of sent datagrams have come out of the relay as it says,
// and returns how many have since those that had before. The frames of others, a
// late one of a connection or one of ARP, may be lost or doubled, too.
func arrived(t *testing.T, l *lab.Lab, pc net.PacketConn, before relay.Counters, sent, had int) (n int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		seen := settled(t, l, before, sent)
		n += waiting(t, pc)
		others := int(seen.Received+seen.Overrun-before.Received-before.Overrun) - sent
		want := sent + surplus(seen) - surplus(before)
		if off := had + n - want; -others <= off && off <= others {
			return n
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d datagrams arrived, want %d, or %d more or less; %+v", had+n, want, others, seen)
		}
	}
}

// waiting takes the datagrams that have arrived, and returns how many they are.
func waiting(t *testing.T, pc net.PacketConn) (n int) {
	t.Helper()
	raw, err := pc.(*net.UDPConn).SyscallConn()
	if err == nil {
		err = errors.Join(pc.SetReadDeadline(time.Time{}), raw.Read(func(fd uintptr) bool {
			for {
				if _, _, err := unix.Recvfrom(int(fd), make([]byte, 100), unix.MSG_DONTWAIT); err != nil {
					return true
				}
				n++
			}
		}))
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// surplus returns how many more frames went out than came, negative if fewer.
func surplus(n relay.Counters) int {
	return int(n.Duplicated) - int(n.Lost+n.Refused+n.Overflowed+n.Overrun)
}

// settled waits until the relay has done with sent frames more than before.
func settled(t *testing.T, l *lab.Lab, before relay.Counters, sent int) relay.Counters {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		n := report(t, l).ToServer
		seen := n.Received + n.Overrun - before.Received - before.Overrun
		if seen >= uint64(sent) && n.Received+n.Duplicated == n.Forwarded+n.Lost+n.Refused+n.Overflowed {
			return n
		}
		if time.Now().After(deadline) {
			t.Fatalf("the relay did not see all of %d frames: %+v, before them %+v", sent, n, before)
		}
	}
}

// losses returns how many of the first n frames from the client seed 5 loses,
// at one in five.
func losses(n uint64) (lost uint64) {
	r := rand.New(rand.NewPCG(5, 1))
	for range n {
		if r.Float64() < 0.2 {
			lost++
		}
		for range 3 {
			r.Float64() // for duplicate, reorder and corrupt
		}
		r.Uint64() // the bit
	}
	return lost
}

// A transfer gets through whatever happens to it on the way, and everything
// did happen.
func TestRelayImpairs(t *testing.T) {
	imp := lab.Impairment{Seed: 1, Loss: 0.01, Duplicate: 0.01, Reorder: 0.01, Corrupt: 0.01, Delay: time.Millisecond}
	l := lab.ForTest(t, lab.Config{Impairment: imp})
	if r := report(t, l); r.Impairment != imp {
		t.Errorf("the relay's impairment is %+v, want %+v", r.Impairment, imp)
	}
	move(t, l, l.Server.IPv4.Addr(), 4<<20)
	move(t, l, l.Server.IPv6.Addr(), 4<<20)
	n := report(t, l).ToServer
	for _, c := range []struct {
		name  string
		count uint64
	}{{"lost", n.Lost}, {"duplicated", n.Duplicated}, {"reordered", n.Reordered}, {"corrupted", n.Corrupted}} {
		// One in a hundred of at least 5600 frames.
		if c.count < n.Received/400 || c.count > n.Received/25 {
			t.Errorf("%d of %d frames are %s", c.count, n.Received, c.name)
		}
	}
	if n.Received < 8<<20/1500 || n.Bytes < 8<<20 {
		t.Errorf("8 MiB went in %d frames and %d bytes", n.Received, n.Bytes)
	}
	tcp, err := l.Server.TCP()
	if err != nil {
		t.Fatal(err)
	}
	if tcp.InErrs == 0 {
		t.Error("the server's kernel saw no bad segment")
	}
}

// The queue of the bottleneck is bounded.
func TestRelayOverflows(t *testing.T) {
	l := lab.ForTest(t, lab.Config{Impairment: lab.Impairment{Rate: 20e6, Queue: 20_000}})
	move(t, l, l.Server.IPv4.Addr(), 2<<20)
	if n := report(t, l).ToServer; n.Overflowed == 0 || n.Lost != 0 {
		t.Errorf("nothing overflowed: %+v", n)
	}
}

// No frame is longer than the MTU at any of the four ends, and every
// checksum is there.
func TestRelayIsWireTrue(t *testing.T) {
	for _, mtu := range []int{1500, 9000} {
		l := lab.ForTest(t, lab.Config{MTU: mtu, Relay: true})
		results := []func() seen{watch(t, l.Client), watch(t, l.Server)}
		for _, name := range []string{"client", "server"} {
			// What it sends itself is not seen there.
			results = append(results, watchIn(t, l.Relay.Namespace(), name, false))
		}
		move(t, l, l.Server.IPv4.Addr(), 4<<20)
		for i, result := range results {
			s := result()
			if s.longest > mtu+14 || s.unfinished != 0 || s.frames == 0 {
				t.Errorf("MTU %d, end %d: %d frames, the longest of %d bytes, %d with an unfinished checksum", mtu, i, s.frames, s.longest, s.unfinished)
			}
			if i%2 == 0 && s.longest != mtu+14 { // the data's way
				t.Errorf("MTU %d, end %d: the longest frame has %d bytes", mtu, i, s.longest)
			}
		}
	}
}

// A relay that was killed takes nothing along, and Close cleans up.
func TestRelayKilled(t *testing.T) {
	lab.NeedRoot(t)
	l, err := lab.New(t.Context(), lab.Config{Relay: true})
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.PidfdOpen(l.Relay.PID(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if names := left(t, os.Getpid()); len(names) != 4 {
		t.Errorf("a lab has %v, want three namespaces and a directory", names)
	}
	if !l.Relay.Running() {
		t.Error("the relay does not run")
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil {
		t.Fatal(err)
	}
	if err := awaitDeath(fd); err != nil {
		t.Error(err)
	}
	if _, err := l.Relay.Report(t.Context()); err == nil {
		t.Error("a dead relay reports")
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if names := left(t, os.Getpid()); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
	if l.Relay.Running() {
		t.Error("a dead relay runs")
	}
}

// A lab with a relay leaves no file open and no process.
func TestRelayLeavesNothing(t *testing.T) {
	lab.NeedRoot(t)
	use := func() int {
		l, err := lab.New(t.Context(), lab.Config{Relay: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(fds)
	}
	use() // opens what the runtime keeps
	before := use()
	use()
	if after := use(); after != before {
		t.Errorf("%d open files, %d two labs before", after, before)
	}
	if pids := children(t); len(pids) != 0 {
		t.Errorf("left running: %v", pids)
	}
}

func TestConfigIsChecked(t *testing.T) {
	for _, cfg := range []lab.Config{
		{Impairment: lab.Impairment{Loss: 2}},
		{Relay: true, Offload: true},
		{Impairment: lab.Impairment{Seed: 1}, Offload: true},
	} {
		if l, err := lab.New(t.Context(), cfg); err == nil {
			t.Errorf("%+v: no error", cfg)
			l.Close()
		}
	}
}
