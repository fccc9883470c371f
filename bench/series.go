package main

import (
	"context"
	"time"

	"github.com/seed-54eb6215/xftp/bench/record"
)

// traceInterval is the time between two samples of a series.
const traceInterval = 10 * time.Millisecond

// trace lets r run once more and writes down how the bytes came, as the
// interface's counters have it. The run itself is not recorded.
func (b *bench) trace(ctx context.Context, r *racer, c testCase, rc *record.Case, content *content) {
	b.say.running(r.name+", time series", b.o.rounds)
	before, err := b.site.transmitted()
	if err != nil {
		b.say.note("no time series: %v", err)
		return
	}
	s := record.Series{Peer: r.name, Points: []record.Sample{{}}}
	stop, stopped := make(chan struct{}), make(chan struct{})
	start := time.Now()
	go func() { // ends before this function does
		defer close(stopped)
		tick := time.NewTicker(traceInterval)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-stop:
				return
			}
			if n, err := b.site.transmitted(); err == nil {
				s.Points = append(s.Points, record.Sample{
					Seconds: time.Since(start).Round(10 * time.Microsecond).Seconds(), Bytes: n - before,
				})
			}
		}
	}()
	run := b.attempt(ctx, r, c, content, 1, b.o.timeout)
	close(stop)
	<-stopped
	// What comes after the last byte is the check of what came.
	for n := len(s.Points); n > 1 && s.Points[n-1].Bytes == s.Points[n-2].Bytes; n-- {
		s.Points = s.Points[:n-1]
	}
	if run.Error == "" {
		rc.Series = append(rc.Series, s)
	}
}
