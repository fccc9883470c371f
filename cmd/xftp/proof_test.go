package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// sharedMemory makes a directory in memory, for files by the gigabyte.
func sharedMemory(t *testing.T) string {
	t.Helper()
	base := "/dev/shm"
	if _, err := os.Stat(base); err != nil {
		base = ""
	}
	dir, err := os.MkdirTemp(base, "xftp-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	// A server that gives up root for a user of its own reads here, too.
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// newLargeBench is a bench whose server's files lie in memory, with one of
// size bytes called "file".
func newLargeBench(t *testing.T, size int64) (*bench, [32]byte) {
	b := newBench(t, lab.Config{})
	b.root, b.dir = sharedMemory(t), sharedMemory(t)
	want := b.serve("file", size)
	var err error
	if b.ftp, err = b.lab.Server.StartServer(t.Context(), lab.ServerConfig{Root: b.root, Port: 2121}); err != nil {
		t.Fatal(err)
	}
	return b, want
}

// whileRunning calls look every few milliseconds until r ends, and returns its
// exit code.
func whileRunning(t *testing.T, r *running, look func()) int {
	t.Helper()
	ended := make(chan int, 1)
	go func() { ended <- r.wait(t) }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case code := <-ended:
			return code
		case <-tick.C:
			look()
		}
	}
}

// socketDomains counts the sockets of a process by their address family.
func socketDomains(t *testing.T, pid int) map[int]int {
	t.Helper()
	domains := make(map[int]int)
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return domains // it has ended
	}
	process, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return domains
	}
	defer unix.Close(process)
	for _, e := range entries {
		if target, err := os.Readlink(filepath.Join(dir, e.Name())); err != nil || !strings.HasPrefix(target, "socket:") {
			continue
		}
		number, err := strconv.Atoi(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		fd, err := unix.PidfdGetfd(process, number, 0)
		if err != nil {
			continue // closed since
		}
		domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
		unix.Close(fd)
		if err != nil {
			t.Fatal(err)
		}
		domains[domain]++
	}
	return domains
}

// TestXDPBypass looks at the sockets of xftp while it transfers: none is of
// the kernel's IPv4 or IPv6, and the kernel's TCP does not move. The same look
// at --net kernel finds some.
func TestXDPBypass(t *testing.T) {
	b, want := newLargeBench(t, 500e6)
	for _, network := range []string{"xdp", "kernel"} {
		t.Run(network, func(t *testing.T) {
			b.t = t
			before, err := b.lab.Client.TCP()
			if err != nil {
				t.Fatal(err)
			}
			seen := make(map[int]int)
			r := b.start("get", b.ftp.URL("file"), "--net", network, "-o", network)
			part := filepath.Join(b.dir, "."+network+".xftp-part")
			looks := 0
			code := whileRunning(t, r, func() {
				if info, err := os.Stat(part); err != nil || info.Size() == 0 {
					return // not yet, or no longer, in the midst of it
				}
				looks++
				for domain, n := range socketDomains(t, r.Process.Pid) {
					seen[domain] = max(seen[domain], n)
				}
			})
			if code != 0 {
				t.Fatalf("exit code %d\n%s", code, r.stderr.String())
			}
			b.expect(filepath.Join(b.dir, network), want)
			after, err := b.lab.Client.TCP()
			if err != nil {
				t.Fatal(err)
			}
			kernel := seen[unix.AF_INET] + seen[unix.AF_INET6]
			segments, opens := after.InSegs-before.InSegs, after.ActiveOpens-before.ActiveOpens
			t.Logf("%d looks during the transfer: %d sockets of AF_XDP, %d of AF_INET and AF_INET6; the kernel received %d TCP segments and opened %d connections",
				looks, seen[unix.AF_XDP], kernel, segments, opens)
			if looks < 3 {
				t.Fatalf("only %d looks during the transfer", looks)
			}
			switch network {
			case "xdp":
				if kernel != 0 || seen[unix.AF_XDP] != 1 || segments != 0 || opens != 0 {
					t.Error("the transfer did not bypass the kernel")
				}
			case "kernel":
				if kernel == 0 || segments == 0 || opens == 0 {
					t.Error("this test does not see the kernel's sockets")
				}
			}
		})
	}
}

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
			code := whileRunning(t, r, ping.send)
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
	return <-s.sums == <-s.sums && s.n > 0
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

// TestXDPKill ends xftp with SIGKILL in the midst of a transfer, again and
// again. Each time the program is gone, the kernel's own traffic on the
// interface works, and the next xftp starts at once.
func TestXDPKill(t *testing.T) {
	b, _ := newLargeBench(t, 2e9)
	small := b.serve("small", 100_000)
	for i := range 50 {
		r := b.start("get", b.ftp.URL("file"), "-o", "/dev/null")
		awaitProgram(t, b)
		// Anywhere between the first frame and the middle.
		time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond)
		if err := r.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = r.Wait()
		if code := r.ProcessState.Sys().(syscall.WaitStatus); !code.Signaled() {
			t.Fatalf("round %d: ended by itself\n%s", i, r.stderr.String())
		}
		b.noProgram()
		greet(t, b)
		b.ok("get", b.ftp.URL("small"))
		b.expect(filepath.Join(b.dir, "small"), small)
		if t.Failed() {
			t.Fatalf("round %d", i)
		}
	}
}

// awaitProgram waits until a program is on the client's interface.
func awaitProgram(t *testing.T, b *bench) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		ids, err := b.lab.Client.XDPPrograms()
		if err != nil || t.Context().Err() != nil {
			t.Fatal(err, t.Context().Err())
		}
		if len(ids) > 0 {
			return
		}
	}
}

// greet makes a connection of the kernel's to the FTP server and reads its
// greeting.
func greet(t *testing.T, b *bench) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, err := b.lab.Client.DialContext(ctx, "tcp", b.ftp.Addr(false).String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	greeting := make([]byte, 4)
	if _, err := io.ReadFull(c, greeting); err != nil || string(greeting) != "220 " && string(greeting) != "220-" {
		t.Fatalf("greeting %q (%v)", greeting, err)
	}
}
