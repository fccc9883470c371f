package ftpclient

import (
	"context"
	"sync"
	"time"
)

// Lanes are the goroutines that move the parts of one file, each over a connection
// at a time.
type lanes struct {
	pool *pool
	work func() // of one: until there is no more to do

	wg   sync.WaitGroup
	mu   sync.Mutex
	live int
	busy int // that move bytes
	most int // that did so at a time
}

// run runs count lanes until all have ended; if count is 0, as many as pay, by the
// bytes that moved returns.
func (l *lanes) run(ctx context.Context, count int, moved func() int64) {
	l.mu.Lock()
	for range max(count, 1) {
		l.begin()
	}
	l.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	var watch sync.WaitGroup
	if count == 0 {
		watch.Go(func() { l.watch(ctx, moved) })
	}
	l.wg.Wait()
	cancel()
	watch.Wait()
}

// begin begins one more. The caller holds mu.
func (l *lanes) begin() {
	l.live++
	l.wg.Go(func() {
		defer func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.live--
		}()
		l.work()
	})
}

// watch adds lanes as long as they pay, until ctx is done.
func (l *lanes) watch(ctx context.Context, moved func() int64) {
	var g gain
	ticker := time.NewTicker(gainEvery)
	defer ticker.Stop()
	for !g.over {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			refused := l.pool.full()
			bytes := moved()
			l.mu.Lock()
			if g.sample(now, bytes, l.busy, refused) && l.live > 0 {
				l.begin()
			}
			l.mu.Unlock()
		}
	}
}

// enter notes that a lane moves bytes, until it calls leave.
func (l *lanes) enter() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy++
	l.most = max(l.most, l.busy)
}

func (l *lanes) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy--
}

// leaveTo notes that a lane gives up what it does, if another one goes on. It
// returns false, and nothing has changed, if there is none.
func (l *lanes) leaveTo() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy < 2 {
		return false
	}
	l.busy--
	return true
}
