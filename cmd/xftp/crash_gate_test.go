package main

import (
	"errors"
	"math"
	"sync"
)

// A gate is what the bytes pass that a testServer reads from its files, or those that it
// writes to them. It tells when some have passed, and keeps back what comes behind some
// more until it is opened, so that no transfer can end before that.
type gate struct {
	writes  bool          // it is for the bytes that are written
	passes  bool          // what was kept back may pass in the end
	reached chan struct{} // closed when so many have passed as it was made for

	mu       sync.Mutex
	changed  sync.Cond
	at, hold int64 // bytes after which it tells, and after which it keeps back
	moved    int64 // bytes
	told     bool
	broken   bool // nothing passes any more
	files    int  // that the server has begun with, and not closed
}

func newGate(writes bool, at, hold int64) *gate {
	g := &gate{writes: writes, at: at, hold: hold, reached: make(chan struct{})}
	g.changed.L = &g.mu
	return g
}

// errGate is what a transfer gets that may not go on.
var errGate = errors.New("broken off")

// pass waits until some of n bytes of a file may pass, and returns how many.
func (g *gate) pass(f *faultyFile, writes bool, n int) (int, error) {
	if g == nil || writes != g.writes || n == 0 {
		return n, nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !f.counted {
		f.counted = true
		g.files++
	}
	for {
		g.tell()
		if g.broken {
			return 0, errGate
		}
		end := g.hold
		if g.moved < g.at {
			end = min(end, g.at)
		}
		if room := min(int64(n), end-g.moved); room > 0 {
			g.moved += room
			return int(room), nil
		}
		g.changed.Wait()
	}
}

// enter is called before a file is opened, to which nothing happens as long as no byte
// may pass.
func (g *gate) enter(writes bool) error {
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for writes == g.writes && g.hold == 0 && !g.broken {
		g.tell()
		g.changed.Wait()
	}
	if g.broken {
		return errGate
	}
	return nil
}

// leave is called after a file was closed.
func (g *gate) leave(f *faultyFile) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tell()
	if f.counted {
		f.counted = false
		g.files--
		g.changed.Broadcast()
	}
}

// tell tells that so many bytes have passed. The caller holds mu.
func (g *gate) tell() {
	if !g.told && g.moved >= g.at {
		g.told = true
		close(g.reached)
	}
}

// open lets what was kept back pass, or breaks it off, and waits until the server is done
// with it.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.hold = math.MaxInt64; !g.passes {
		g.broken = true
	}
	g.changed.Broadcast()
	for g.files > 0 {
		g.changed.Wait()
	}
}
