package main

import (
	"fmt"
	"time"
)

// A meter computes a rate over the last seconds.
type meter struct{ samples []sample }

type sample struct {
	at    time.Time
	bytes int64
}

// meterSpan is how many samples the rate is computed over: three seconds.
const meterSpan = int(3 * time.Second / drawEvery)

func newMeter() *meter { return &meter{samples: []sample{{time.Now(), 0}}} }

func (m *meter) add(at time.Time, bytes int64) {
	m.samples = append(m.samples, sample{at, bytes})
	if len(m.samples) > meterSpan {
		m.samples = m.samples[1:]
	}
}

// text writes how much came, how fast, and how long the rest will take if it
// is known how much that is.
func (m *meter) text(total int64) string {
	first, last := m.samples[0], m.samples[len(m.samples)-1]
	perSecond := 0.0
	if span := last.at.Sub(first.at).Seconds(); span > 0 {
		perSecond = float64(last.bytes-first.bytes) / span
	}
	text := fmt.Sprintf("%s %s/s", bytesText(float64(last.bytes)), bytesText(perSecond))
	if total > last.bytes && perSecond >= 1 {
		left := int(float64(total-last.bytes) / perSecond)
		text += fmt.Sprintf(" ETA %d:%02d", left/60, left%60)
	}
	return text
}
