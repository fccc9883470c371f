package lab

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// onThread runs fn on an operating system thread that nothing else uses, and
// returns its error. The thread ends afterwards, so fn may move it to another
// namespace without a way back. A panic in fn, or an end by runtime.Goexit as
// in testing's FailNow, is passed on to the caller.
func onThread(fn func() error) error {
	var err error
	var caught any
	normal := false
	done := make(chan struct{})
	go func() {
		// A goroutine that ends with its thread locked takes the thread with it.
		runtime.LockOSThread()
		if unix.Gettid() == os.Getpid() {
			// The main thread cannot end: it would stay in the namespace, and
			// show it as the one of the whole process. While this goroutine
			// holds it, another one cannot get it.
			defer runtime.UnlockOSThread()
			inner := make(chan struct{})
			go func() {
				defer close(inner)
				runtime.LockOSThread()
				defer func() { caught = recover(); close(done) }()
				err = fn()
				normal = true
			}()
			<-inner
			return
		}
		defer func() { caught = recover(); close(done) }()
		err = fn()
		normal = true
	}()
	<-done
	switch {
	case normal:
		return err
	case caught != nil:
		panic(caught)
	default:
		runtime.Goexit()
		return nil
	}
}

// starter is a thread in a namespace that lives as long as its host, and
// starts the host's processes. The signal that a child gets at the death of
// its parent (prctl(2), PR_SET_PDEATHSIG) is sent when the thread that made
// it ends, not the process: therefore not every call can have its own.
type starter struct {
	requests chan func()
	done     chan struct{} // closed when the thread is about to end
}

// newStarter returns a starter in the namespace. The caller must stop it.
func newStarter(ns *namespace) (*starter, error) {
	s := &starter{requests: make(chan func()), done: make(chan struct{})}
	entered := make(chan error)
	go func() { // ends, and its thread with it, by stop
		defer close(s.done)
		err := ns.do(func() error {
			entered <- nil
			for request := range s.requests {
				request()
			}
			return nil
		})
		if err != nil {
			entered <- err
		}
	}()
	if err := <-entered; err != nil {
		return nil, err
	}
	return s, nil
}

// run calls fn on the thread and waits for it. It must not be called after
// stop.
func (s *starter) run(fn func() error) error {
	result := make(chan error, 1)
	s.requests <- func() { result <- fn() }
	return <-result
}

// stop ends the thread and waits for its goroutine.
func (s *starter) stop() {
	close(s.requests)
	<-s.done
}
