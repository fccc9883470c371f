package main

import (
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// A progress draws what happens to the files of one verb on a terminal: a bar
// for the file at hand, and below it the total if there are several. //
// A nil *progress draws nothing.
type progress struct {
	to    io.Writer
	files int // of the whole run

	done  int   // files
	bytes int64 // of the files that are done
	start time.Time
}

// newProgress returns nil if nothing is to be drawn.
func newProgress(o *output, files int) *progress {
	if o.quiet || o.verbose || !isTerminal(o.stderr) {
		return nil
	}
	return &progress{to: o.stderr, files: files, start: time.Now()}
}

// drawEvery is short enough to look alive. Each drawing costs a wake-up, on
// the one thread that the AF_XDP path runs on.
const drawEvery = 200 * time.Millisecond

// watch draws the transfer that opts are for until stop is called, which takes
// it off the screen again.
func (p *progress) watch(name string, opts *ftpclient.TransferOptions) (stop func()) {
	if p == nil {
		return func() {}
	}
	var done, total atomic.Int64
	total.Store(-1)
	opts.Progress = func(d, t int64) {
		done.Store(d)
		total.Store(t)
	}
	screen := mpb.New(mpb.WithOutput(p.to), mpb.WithRefreshRate(drawEvery))
	rate := newMeter()
	bar := screen.New(0, mpb.BarStyle(),
		mpb.BarFillerMiddleware(onlyWithTotal),
		mpb.PrependDecorators(decor.Name(printable(filepath.Base(name)))),
		mpb.AppendDecorators(decor.Any(func(s decor.Statistics) string { return rate.text(s.Total) })))
	var all *mpb.Bar
	if p.files > 1 {
		all = screen.New(0, mpb.NopStyle(), mpb.PrependDecorators(decor.Any(func(decor.Statistics) string {
			n := p.bytes + done.Load()
			return fmt.Sprintf("total: %d of %d files, %s, %s/s", p.done, p.files,
				bytesText(float64(n)), bytesText(float64(n)/time.Since(p.start).Seconds()))
		})))
	}

	end := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { // ended by stop, which waits for it
		tick := time.NewTicker(drawEvery)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case now := <-tick.C:
				d, t := done.Load(), total.Load()
				rate.add(now, d)
				// A bar that is complete would stay on the screen, so it
				// never gets there.
				bar.SetTotal(max(t+1, 0), false)
				bar.SetCurrent(d)
			}
		}
	})
	return func() {
		close(end)
		watching.Wait()
		bar.Abort(true)
		if all != nil {
			all.Abort(true)
		}
		screen.Wait()
		p.done++
		p.bytes += done.Load()
	}
}

// onlyWithTotal leaves the bar out while it is not known how much is to come.
func onlyWithTotal(filler mpb.BarFiller) mpb.BarFiller {
	return mpb.BarFillerFunc(func(w io.Writer, s decor.Statistics) error {
		if s.Total <= 0 {
			return nil
		}
		return filler.Fill(w, s)
	})
}

// A meter computes a rate over the last seconds.
type meter struct {
	mu      sync.Mutex
	samples []sample
}

type sample struct {
	at    time.Time
	bytes int64
}

// meterSpan is how many samples the rate is computed over: three seconds.
const meterSpan = int(3 * time.Second / drawEvery)

func newMeter() *meter { return &meter{samples: []sample{{time.Now(), 0}}} }

func (m *meter) add(at time.Time, bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.samples = append(m.samples, sample{at, bytes})
	if len(m.samples) > meterSpan {
		m.samples = m.samples[1:]
	}
}

// text writes how much came, how fast, and how long the rest will take if it
// is known how much that is.
func (m *meter) text(total int64) string {
	m.mu.Lock()
	first, last := m.samples[0], m.samples[len(m.samples)-1]
	m.mu.Unlock()
	perSecond := 0.0
	if span := last.at.Sub(first.at).Seconds(); span > 0 {
		perSecond = float64(last.bytes-first.bytes) / span
	}
	text := fmt.Sprintf("%s %s/s", bytesText(float64(last.bytes)), bytesText(perSecond))
	if total > 0 && perSecond >= 1 {
		left := int(float64(total-last.bytes) / perSecond)
		text += fmt.Sprintf(" ETA %d:%02d", left/60, left%60)
	}
	return text
}
