package ftpclient

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// All that share a Limiter have its rate together, whatever the pieces. The
// clock is that of the bubble, so that the time is exact.
func TestLimiterIsShared(t *testing.T) {
	for _, perSecond := range []int64{100, 20_000, 3_000_000, 500_000_000} {
		synctest.Test(t, func(t *testing.T) {
			l := NewLimiter(perSecond)
			begun := time.Now()
			const lanes = 4
			piece := l.most()
			pieces := max(int(perSecond)/piece, 5)
			var wg sync.WaitGroup
			for range lanes {
				wg.Go(func() {
					for range pieces {
						l.wait(piece, nil)
					}
				})
			}
			wg.Wait()
			// What a turn has may be had at once.
			want := time.Duration(float64(lanes*pieces*piece) / float64(perSecond) * float64(time.Second))
			spare := max(turn, time.Duration(float64(minTurn)/float64(perSecond)*float64(time.Second))) + time.Millisecond
			if took := time.Since(begun); took < want-spare || took > want {
				t.Errorf("%d bytes/s: took %v, want %v", perSecond, took, want)
			}
		})
	}
}

// What has not been used for long does not become a flood later.
func TestLimiterDoesNotSave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(100_000)
		time.Sleep(time.Hour)
		begun := time.Now()
		l.wait(100_000, nil)
		if took := time.Since(begun); took < time.Second-2*turn {
			t.Errorf("a second's bytes took %v", took)
		}
	})
}

func TestLimiterHurry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, hurry := NewLimiter(1), make(chan struct{})
		begun := time.Now()
		time.AfterFunc(time.Minute, func() { close(hurry) })
		l.wait(1_000_000, hurry)
		if took := time.Since(begun); took != time.Minute {
			t.Errorf("waited for %v after a minute", took)
		}
	})
}

// A rate that becomes smaller than what is waiting for it, or greater, or none.
func TestLimiterSetRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(0)
		begun := time.Now()
		l.wait(1<<26, nil)
		if took := time.Since(begun); took != 0 || l.most() != maxTurn {
			t.Errorf("without a limit: %v, %d bytes at a time", took, l.most())
		}
		l.SetRate(10_000)
		l.wait(minTurn, nil)
		done := make(chan struct{})
		go func() { l.wait(10_000, nil); close(done) }()
		time.Sleep(time.Second / 2)
		l.SetRate(1_000_000)
		<-done
		if took := time.Since(begun); took < time.Second/2 || took > time.Second*3/4 {
			t.Errorf("after a raise: %v", took)
		}
		go func() { l.SetRate(10); l.SetRate(-1) }()
		l.wait(100_000, nil)
	})
}
