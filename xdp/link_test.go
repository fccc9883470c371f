package xdp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/seed-54eb6215/xftp/frame"
	"github.com/seed-54eb6215/xftp/internal/leak"
	"github.com/vishvananda/netlink"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// sendNumbered sends count packets to dst, the i-th with number first+i and
// length(i) bytes, waiting for room as long as it takes.
func sendNumbered(t testing.TB, s *Socket, to end, first, count int, length func(int) int) {
	t.Helper()
	bufs := make([][]byte, 32)
	lengths := make([]int, 0, len(bufs))
	for i := 0; i < count; {
		n := s.Reserve(bufs[:min(len(bufs), count-i)])
		lengths = lengths[:0]
		for _, b := range bufs[:n] {
			lengths = append(lengths, length(i))
			numbered(b, to.addr, uint64(first+i), length(i))
			i++
		}
		if err := s.Submit(lengths); err != nil {
			t.Fatal(err)
		}
		if err := s.Flush(); err != nil {
			t.Fatal(err)
		}
		runtime.Gosched()
	}
}

// echo sends every frame that comes back to where it came from, until the
// socket is closed.
func echo(t testing.TB, s *Socket, to end) {
	bufs := make([][]byte, 64)
	lengths := make([]int, 0, 64)
	for {
		err := s.Receive(func(batch []frame.Frame) {
			for len(batch) > 0 {
				n := s.Reserve(bufs[:min(len(batch), len(bufs))])
				lengths = lengths[:0]
				for i, f := range batch[:n] {
					copy(bufs[i], f.B)
					to4 := to.addr.As4()
					copy(bufs[i][30:], to4[:])
					lengths = append(lengths, len(f.B))
				}
				if err := errors.Join(s.Submit(lengths), s.Flush()); err != nil {
					t.Error(err)
				}
				batch = batch[n:]
			}
		})
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
			return
		}
	}
}

func TestEcho(t *testing.T) {
	// Fewer packets are under way than there are receive frames, less a batch:
	// its frames are not back in the fill ring while its echo is sent.
	const packets, window = 5000, 48
	for _, c := range []struct {
		name    string
		program ProgramConfig
		socket  SocketConfig
		want    Mode
		queue   int
		mtu     int
	}{
		{name: "native", want: ModeCopy, mtu: 1500},
		{name: "copy asked for", socket: SocketConfig{Mode: ModeCopy, Spin: -1}, want: ModeCopy, mtu: 1500},
		{name: "queue 1", want: ModeCopy, queue: 1, mtu: 1500},
		{name: "small rings", socket: SocketConfig{RxFrames: 64, TxFrames: 64, Batch: 3}, want: ModeCopy, mtu: 1500},
		{name: "large MTU", want: ModeCopy, mtu: 3000},
		{name: "generic", program: ProgramConfig{Generic: true}, socket: SocketConfig{Mode: ModeGeneric}, want: ModeGeneric, mtu: 1500},
		{name: "generic found out", program: ProgramConfig{Generic: true}, want: ModeGeneric, mtu: 1500},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, wireConfig{mtu: c.mtu, nearRX: 2, nearTX: 2})
			program, near := w.near.start(c.queue, c.program, c.socket)
			_, far := w.far.start(c.queue, c.program, c.socket)
			if near.Mode() != c.want || program.Generic() != (c.want == ModeGeneric) {
				t.Errorf("mode %v, want %v", near.Mode(), c.want)
			}
			if i := near.Info(); i.MTU != c.mtu || i.Queue != c.queue || i.MAC == [6]byte{} || i.MAC != w.near.facts().mac {
				t.Errorf("%+v", i)
			}
			done := make(chan struct{})
			go func() { defer close(done); echo(t, far, w.near) }()

			// Every length from the shortest to the longest, over and over.
			span := c.mtu + frame.HeaderLen - minFrame + 1
			length := func(i int) int { return minFrame + i*7919%span }
			sent, got := sha256.New(), sha256.New()
			b := make([]byte, c.mtu+frame.HeaderLen)
			for i := range packets {
				sent.Write(numbered(b, w.near.addr, uint64(i), length(i)))
			}
			var received int
			for received < packets {
				first := received
				n := min(window, packets-first)
				sendNumbered(t, near, w.far, first, n, func(i int) int { return length(first + i) })
				for received < first+n {
					err := near.Receive(func(batch []frame.Frame) {
						for _, f := range batch {
							if number := binary.BigEndian.Uint64(f.B[34:]); number != uint64(received) {
								t.Fatalf("packet %d came as number %d", number, received)
							}
							got.Write(f.B)
							received++
						}
					})
					if err != nil {
						t.Fatal(err)
					}
				}
			}
			if !bytes.Equal(sent.Sum(nil), got.Sum(nil)) {
				t.Error("the bytes that came are not those that were sent")
			}
			st, err := near.Stats()
			if err != nil || st.RxFrames != packets || st.TxFrames != packets || st.RxDropped+st.TxInvalidDescs+st.RxInvalidDescs+st.BadDescriptors != 0 {
				t.Errorf("%+v, %v", st, err)
			}
			if n, err := program.Counters(); err != nil || n.Redirected != packets {
				t.Errorf("%+v, %v", n, err)
			}
			far.Close()
			<-done
		})
	}
}

func TestOpenErrors(t *testing.T) {
	w := newWire(t, wireConfig{mtu: 1500, nearRX: 4, nearTX: 2})
	for _, c := range []struct {
		name  string
		queue int
		cfg   SocketConfig
		errno unix.Errno
	}{
		{"queue beyond the transmit queues", 2, SocketConfig{}, unix.EINVAL},
		{"queue beyond all queues", 4, SocketConfig{}, unix.EINVAL},
		{"negative queue", -1, SocketConfig{}, unix.EINVAL},
		{"queue beyond what the caller knows", 1, SocketConfig{Queues: 1}, unix.EINVAL},
		{"zero-copy where there is none", 0, SocketConfig{Mode: ModeZeroCopy}, unix.EOPNOTSUPP},
		{"bad ring", 0, SocketConfig{RxFrames: 100}, unix.EINVAL},
	} {
		_, err := w.near.open(c.queue, c.cfg)
		var e *OpError
		if !errors.As(err, &e) || !errors.Is(err, c.errno) || e.Class != ClassFatal {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	w.near.index = 1 << 20
	if _, err := w.near.open(0, SocketConfig{}); !errors.Is(err, unix.ENODEV) {
		t.Errorf("no such interface: %v", err)
	}
	if n := len(ringMappings()); n != 0 {
		t.Errorf("%d mappings of rings are left", n)
	}
}

func TestBusyQueue(t *testing.T) {
	w := newWire(t, wireConfig{mtu: 1500})
	first, err := w.near.open(0, SocketConfig{})
	if err != nil {
		t.Fatal(err)
	}
	mappings := len(ringMappings())
	var e *OpError
	if _, err := w.near.open(0, SocketConfig{}); !errors.As(err, &e) || e.Class != ClassRetry || !errors.Is(err, unix.EBUSY) {
		t.Errorf("second socket: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("enough")
	cancel(reason)
	w.near.do(func() error {
		if _, err := Open(ctx, w.near.index, 0, SocketConfig{}); !errors.Is(err, reason) || !errors.Is(err, unix.EBUSY) {
			t.Errorf("cancelled: %v", err)
		}
		return nil
	})
	if n := len(ringMappings()); n != mappings {
		t.Errorf("%d mappings of rings, %d before", n, mappings)
	}
	// The first one is closed while the second waits.
	closed := make(chan error)
	go func() { closed <- first.Close() }()
	if _, err := w.near.open(0, SocketConfig{}); err != nil {
		t.Errorf("after the first was closed: %v", err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestReopenLeaksNothing(t *testing.T) {
	w := newWire(t, wireConfig{mtu: 1500})
	cycle := func() {
		p, s := w.near.start(0, ProgramConfig{}, SocketConfig{})
		sendNumbered(t, s, w.far, 0, 10, func(int) int { return 100 })
		done := make(chan error)
		go func() { done <- s.Receive(nil) }()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	cycle()
	files, goroutines := countFiles(t), goleak.IgnoreCurrent()
	for range 100 {
		cycle()
	}
	if n := countFiles(t); n != files {
		t.Errorf("%d descriptors, %d before", n, files)
	}
	if err := leak.Find(goroutines); err != nil {
		t.Error(err)
	}
	if n := len(ringMappings()); n != 0 {
		t.Errorf("%d mappings of rings", n)
	}
}

func countFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestSocketIsCloseOnExec(t *testing.T) {
	w := newWire(t, wireConfig{mtu: 1500})
	s, err := w.near.open(0, SocketConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range []int{s.rings.descriptor(), s.event} {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("flags %#x, %v", flags, err)
		}
	}
}

func TestLinkDownAndUp(t *testing.T) {
	w := newWire(t, wireConfig{mtu: 1500})
	_, near := w.near.start(0, ProgramConfig{}, SocketConfig{})
	_, far := w.far.start(0, ProgramConfig{}, SocketConfig{})
	length := func(int) int { return 200 }
	for range 3 {
		w.near.change(netlink.LinkSetDown)
		sendNumbered(t, near, w.far, 0, 100, length)
		if near.Pending() != 100 {
			t.Fatalf("%d frames pending with the link down", near.Pending())
		}
		w.near.change(netlink.LinkSetUp)
		if err := near.Flush(); err != nil {
			t.Fatal(err)
		}
		if near.Pending() != 0 {
			t.Fatalf("%d frames pending with the link up", near.Pending())
		}
		for got := 0; got < 100; {
			err := far.Receive(func(batch []frame.Frame) {
				for _, f := range batch {
					if n := binary.BigEndian.Uint64(f.B[34:]); n != uint64(got) {
						t.Fatalf("packet %d came as number %d", n, got)
					}
					got++
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if st, err := near.Stats(); err != nil || st.KicksLinkDown == 0 || st.KicksGone+st.KicksFailed != 0 {
		t.Errorf("%+v, %v", st, err)
	}
}

func TestDeletedDevice(t *testing.T) {
	for _, spin := range []int{0, -1} {
		w := newWire(t, wireConfig{mtu: 1500})
		program, near := w.near.start(0, ProgramConfig{}, SocketConfig{Spin: spin})
		done := make(chan error)
		go func() { done <- near.Receive(nil) }()
		w.near.change(netlink.LinkDel)
		var e *OpError
		if err := <-done; !errors.As(err, &e) || e.Class != ClassReopen {
			t.Errorf("receive: %v", err)
		}
		bufs := make([][]byte, 1)
		near.Reserve(bufs)
		if err := near.Submit([]int{60}); err != nil {
			t.Error(err)
		}
		if err := near.Flush(); !errors.As(err, &e) || e.Class != ClassReopen {
			t.Errorf("flush: %v", err)
		}
		if err := errors.Join(near.Close(), program.Close()); err != nil {
			t.Errorf("close: %v", err)
		}
	}
}

// TestEverythingAtOnce uses two sockets and their programs from many
// goroutines while the link goes down and up; mostly for the race detector.
func TestEverythingAtOnce(t *testing.T) {
	w := newWire(t, wireConfig{mtu: 1500})
	program, near := w.near.start(0, ProgramConfig{}, SocketConfig{})
	_, far := w.far.start(0, ProgramConfig{}, SocketConfig{Spin: 10})
	echoing, receiving, asking := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var got atomic.Int64
	stop := make(chan struct{})
	go func() { defer close(echoing); echo(t, far, w.near) }()
	go func() {
		defer close(receiving)
		for {
			err := near.Receive(func(batch []frame.Frame) { got.Add(int64(len(batch))) })
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	}()
	go func() {
		defer close(asking)
		m := Match{own4, 10, 20}
		for {
			select {
			case <-stop:
				return
			default:
			}
			near.Wake()
			_, err1 := near.Stats()
			_, err2 := program.Counters()
			if err := errors.Join(err1, err2, program.Allow(m), program.Revoke(m)); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	for range 3 {
		for before := got.Load(); got.Load() < before+500; {
			sendNumbered(t, near, w.far, 0, 32, func(int) int { return 300 })
		}
		w.near.change(netlink.LinkSetDown)
		sendNumbered(t, near, w.far, 0, 32, func(int) int { return 300 })
		w.near.change(netlink.LinkSetUp)
	}
	close(stop)
	<-asking
	near.Close()
	far.Close()
	<-receiving
	<-echoing
}
