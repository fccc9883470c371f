package relay

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Config describes a relay.
type Config struct {
	A, B string // names of the two interfaces, in the namespace of the process
	MTU  int    // of both, in bytes

	// Impairment of each direction. Each has a generator of its own.
	Impairment Impairment
}

// quantum is how long the relay lets frames come together where the delay
// hides that.
const quantum = 50 * time.Microsecond

// niceness of the thread that forwards if it cannot have a real-time policy,
// see sched(7).
const niceness = -10

// A forwarder moves frames on one thread, both directions.
type forwarder struct {
	cfg     Config
	start   time.Time // what its times are relative to
	pool    *pool
	ways    [2]way
	control int
}

// way is one direction.
type way struct {
	from, to *port
	pipe     *pipe

	in      [batch][]byte // buffers to receive into
	arrived [batch]time.Duration
	out     [batch][]byte
}

// Run forwards frames until the other end of control, a socket of type
// SOCK_SEQPACKET, is closed. A first report on it says that the relay works.
// It closes control.
func Run(cfg Config, control *os.File) error {
	defer control.Close() // and not before, by the garbage collector
	if err := cfg.Impairment.Check(); err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	f := &forwarder{
		cfg:     cfg,
		start:   time.Now(),
		pool:    &pool{size: HeaderLen + cfg.MTU},
		control: int(control.Fd()),
	}
	defer f.close()
	var ports [2]*port
	for i, name := range []string{cfg.A, cfg.B} {
		p, err := openPort(name)
		if err != nil {
			return fmt.Errorf("relay: %w", err)
		}
		ports[i] = p
		f.ways[i].from = p
	}
	for i := range f.ways {
		w := &f.ways[i]
		w.to = ports[1-i]
		w.pipe = newPipe(f.pool, uint64(i+1), cfg.Impairment)
		for j := range w.in {
			w.in[j] = f.pool.get()
		}
	}
	// This thread is the cable: its timers are exact, and whoever receives a
	// frame must not take the processor from it before it has sent the rest.
	runtime.LockOSThread()
	fifo := &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1}
	if err := unix.SchedSetAttr(0, fifo, 0); err != nil {
		// Not in every control group; then what is next best.
		if err := unix.Setpriority(unix.PRIO_PROCESS, 0, niceness); err != nil {
			return fmt.Errorf("relay: set priority: %w", err)
		}
	}
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("relay: timer slack: %w", err)
	}
	if err := f.answer(0, ""); err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	if err := f.run(); err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	return nil
}

func (f *forwarder) close() {
	for _, w := range f.ways {
		if w.from != nil {
			_ = w.from.close() // nothing is lost that matters now
		}
	}
}

func (f *forwarder) now() time.Duration { return time.Since(f.start) }

func (f *forwarder) run() error {
	for {
		moved := false
		for i := range f.ways {
			in, err := f.ways[i].take(f.start, f.pool)
			if err != nil {
				return err
			}
			out, err := f.ways[i].give(f.now())
			if err != nil {
				return err
			}
			moved = moved || in || out
		}
		if done, err := f.wait(moved); done || err != nil {
			return err
		}
	}
}

// take lets frames that have arrived enter the pipe.
func (w *way) take(start time.Time, p *pool) (moved bool, err error) {
	n, err := w.from.receive(w.in[:], w.arrived[:], start)
	if err != nil {
		return false, ignoreDown("receive", err)
	}
	for i := range n {
		b := w.in[i]
		if len(b) < HeaderLen {
			w.pipe.n.Received++
			w.pipe.n.Refused++
			w.in[i] = b[:cap(b)]
			continue
		}
		w.pipe.enter(b, w.arrived[i])
		w.in[i] = p.get()
	}
	return n > 0, nil
}

// give sends frames that are due.
func (w *way) give(now time.Duration) (moved bool, err error) {
	n := w.pipe.due(w.out[:], now)
	for sent := 0; sent < n; {
		m, err := w.to.send(w.out[sent:n])
		for _, b := range w.out[sent : sent+m] {
			w.pipe.n.Bytes += uint64(len(b))
		}
		w.pipe.n.Forwarded += uint64(m)
		sent += m
		if err == nil && m > 0 {
			continue
		}
		// The kernel does not take the next one: no carrier, the ring of the
		// other end is full, no memory. A cable does not wait.
		if err := ignoreDown("send", err); err != nil {
			return true, err
		}
		w.pipe.n.Refused++
		sent++
	}
	w.pipe.leave(n)
	clear(w.out[:n])
	return n > 0, nil
}

// ignoreDown returns the errors that are not the link's, but the relay's.
func ignoreDown(op string, err error) error {
	switch {
	case err == nil, errors.Is(err, unix.ENETDOWN), errors.Is(err, unix.ENOBUFS), errors.Is(err, unix.EMSGSIZE):
		return nil
	}
	return os.NewSyscallError(op, err)
}

// wait waits until there is something to do, and does what is asked on the
// control socket. moved says that frames were just handled, so that more will
// come soon.
func (f *forwarder) wait(moved bool) (done bool, err error) {
	fds := [3]unix.PollFd{
		{Fd: int32(f.control), Events: unix.POLLIN},
		{Fd: int32(f.ways[0].from.fd), Events: unix.POLLIN},
		{Fd: int32(f.ways[1].from.fd), Events: unix.POLLIN},
	}
	watched := fds[:]
	next := min(f.ways[0].pipe.next(), f.ways[1].pipe.next())
	var timeout *unix.Timespec
	switch left := next - f.now(); {
	case moved && f.cfg.Impairment.Delay >= time.Millisecond:
		watched = fds[:1]
		t := unix.NsecToTimespec(int64(quantum))
		timeout = &t
	case next != never:
		t := unix.NsecToTimespec(int64(max(left, 0)))
		timeout = &t
	}
	if err := poll(watched, timeout); err != nil {
		return false, os.NewSyscallError("ppoll", err)
	}
	if fds[0].Revents != 0 {
		return f.serve()
	}
	return false, nil
}

// poll is ppoll(2). Short waits are like those of moveMessages.
func poll(fds []unix.PollFd, timeout *unix.Timespec) error {
	if timeout == nil || timeout.Nano() > int64(time.Millisecond) {
		_, err := unix.Ppoll(fds, timeout, nil)
		if errors.Is(err, unix.EINTR) {
			return nil
		}
		return err
	}
	_, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&fds[0])), uintptr(len(fds)),
		uintptr(unsafe.Pointer(timeout)), 0, 0, 0)
	if errno != 0 && errno != unix.EINTR {
		return errno
	}
	return nil
}
