package xdp

import (
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

// sends says what one sendto(2) does: how many frames it takes, whether it
// completes them, and what it returns.
type sends struct {
	take     int
	complete bool
	errno    unix.Errno
}

func TestFlush(t *testing.T) {
	all := []int{60, 60, 60, 60, 60, 60}
	for _, c := range []struct {
		name     string
		zeroCopy bool
		asleep   bool // zero-copy: the driver asks for a wake-up
		script   []sends
		left     int // frames that are left in the ring
		class    Class
		err      unix.Errno
	}{
		{name: "at once", script: []sends{{6, true, 0}}},
		{name: "in small budgets", script: []sends{{2, true, unix.EAGAIN}, {2, true, unix.EAGAIN}, {2, true, 0}}},
		{name: "in small budgets without an errno", script: []sends{{2, true, 0}, {2, true, 0}, {2, true, 0}}},
		{name: "completed later", script: []sends{{6, false, 0}}},
		{name: "stuck", script: []sends{{0, false, unix.EAGAIN}}, left: 6},
		{name: "stuck after some", script: []sends{{3, true, unix.EAGAIN}, {0, false, unix.EAGAIN}}, left: 3},
		{name: "queue without a transmit queue", script: []sends{{0, false, 0}}, left: 6},
		{name: "dropped on the way", script: []sends{{1, true, unix.EBUSY}, {5, true, 0}}},
		{name: "no memory", script: []sends{{0, false, unix.ENOBUFS}}, left: 6},
		{name: "no memory for the second", script: []sends{{1, true, unix.ENOMEM}, {5, true, 0}}},
		{name: "interrupted", script: []sends{{0, false, unix.EINTR}, {6, true, 0}}},
		{name: "link down", script: []sends{{0, false, unix.ENETDOWN}}, left: 6},
		{name: "link goes down", script: []sends{{2, true, unix.EAGAIN}, {0, false, unix.ENETDOWN}}, left: 4},
		{name: "device gone", script: []sends{{0, false, unix.ENXIO}}, left: 6, class: ClassReopen, err: unix.ENXIO},
		{name: "no device", script: []sends{{0, false, unix.ENODEV}}, left: 6, class: ClassReopen, err: unix.ENODEV},
		{name: "mode not supported", script: []sends{{0, false, unix.EOPNOTSUPP}}, left: 6, class: ClassFatal, err: unix.EOPNOTSUPP},
		{name: "bad argument", script: []sends{{0, false, unix.EINVAL}}, left: 6, class: ClassFatal, err: unix.EINVAL},
		{name: "no permission", script: []sends{{0, false, unix.EPERM}}, left: 6, class: ClassFatal, err: unix.EPERM},
		{name: "zero-copy, driver awake", zeroCopy: true, left: 6},
		{name: "zero-copy, driver asleep", zeroCopy: true, asleep: true, script: []sends{{0, false, 0}}, left: 6},
		{name: "zero-copy, ring of the driver full", zeroCopy: true, asleep: true, script: []sends{{2, true, unix.EAGAIN}}, left: 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, h := heapSocket(t, 0)
			if c.zeroCopy {
				s.mode = ModeZeroCopy
			}
			if c.asleep {
				*h.shared.tx.flags = ringNeedWakeup
			}
			calls := 0
			h.onSend = func() unix.Errno {
				if calls >= len(c.script) {
					t.Fatalf("call %d of send", calls+1)
				}
				step := c.script[calls]
				calls++
				for _, d := range h.depart(step.take) {
					if step.complete {
						h.complete(d.Addr)
					}
				}
				return step.errno
			}
			submit(t, s, all...)
			err := s.Flush()
			if c.err == 0 && err != nil {
				t.Fatal(err)
			}
			var e *OpError
			if c.err != 0 && (!errors.As(err, &e) || e.Class != c.class || !errors.Is(err, c.err)) {
				t.Errorf("error %v; want %v, %v", err, c.class, c.err)
			}
			if calls != len(c.script) || s.rings.memory().tx.waiting() != c.left {
				t.Errorf("%d calls, %d left", calls, s.rings.memory().tx.waiting())
			}
			pending := c.left
			for _, step := range c.script {
				if !step.complete {
					pending += step.take
				}
			}
			st, _ := s.Stats()
			if s.Pending() != pending || st.Kicks != uint64(calls) || st.Rekicks != uint64(max(0, calls-1)) {
				t.Errorf("%d pending, want %d; %+v", s.Pending(), pending, st)
			}
		})
	}
}

func TestFlushWithNothingToSend(t *testing.T) {
	s, h := heapSocket(t, 0)
	h.onSend = func() unix.Errno { t.Error("sendto was called"); return 0 }
	for range 3 {
		if err := s.Flush(); err != nil {
			t.Fatal(err)
		}
	}
}

// A full completion ring stops the kernel, so that it is emptied before the
// kick.
func TestFlushReapsBeforeItKicks(t *testing.T) {
	s, h := heapSocket(t, 0)
	submit(t, s, 60, 60)
	for _, d := range h.depart(2) {
		h.complete(d.Addr)
	}
	h.onSend = func() unix.Errno {
		if n := *h.shared.completion.producer - *h.shared.completion.consumer; n != 0 {
			t.Errorf("%d completions at the time of the kick", n)
		}
		h.depart(8)
		return 0
	}
	submit(t, s, 60)
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	if s.Pending() != 1 {
		t.Errorf("%d pending", s.Pending())
	}
}

func TestKicksAreCountedByErrno(t *testing.T) {
	s, _ := heapSocket(t, 0)
	for i, errno := range []unix.Errno{0, unix.EAGAIN, unix.EBUSY, unix.ENOBUFS, unix.ENOMEM, unix.ENETDOWN, unix.ENXIO, unix.ENODEV, unix.EINVAL} {
		for range i + 1 {
			s.stats.countKick(errno)
		}
	}
	st, err := s.Stats()
	if err != nil {
		t.Fatal(err)
	}
	want := Stats{
		Kicks: 45, KicksAgain: 2, KicksBusy: 3, KicksNoBuffers: 4 + 5, KicksLinkDown: 6, KicksGone: 7 + 8, KicksFailed: 9,
		RxDropped: 1, RxInvalidDescs: 2, TxInvalidDescs: 3, RxRingFull: 4, RxFillRingEmptyDescs: 5, TxRingEmptyDescs: 6,
	}
	if st != want {
		t.Errorf("%+v\nwant %+v", st, want)
	}
}

func TestClassOf(t *testing.T) {
	for errno, want := range map[unix.Errno]Class{
		unix.EAGAIN: ClassRetry, unix.EBUSY: ClassRetry, unix.ENOBUFS: ClassRetry, unix.ENOMEM: ClassRetry, unix.EINTR: ClassRetry,
		unix.ENETDOWN: ClassLink,
		unix.ENXIO:    ClassReopen, unix.ENODEV: ClassReopen,
		unix.EINVAL: ClassFatal, unix.EOPNOTSUPP: ClassFatal, unix.ESOCKTNOSUPPORT: ClassFatal, unix.EPERM: ClassFatal, unix.EBADF: ClassFatal,
	} {
		err := opError("send", fmt.Errorf("wrapped: %w", errno))
		if err.Class != want || !errors.Is(err, errno) {
			t.Errorf("%v: class %v, want %v", errno, err.Class, want)
		}
	}
}
