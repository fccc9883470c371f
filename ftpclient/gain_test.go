package ftpclient

import (
	"testing"
	"time"
)

// One connection is added after the other, as long as the rate grows by a tenth
// with each, and none after that.
func TestGain(t *testing.T) {
	flat := func(conns int) float64 { return 10e6 }
	for name, tt := range map[string]struct {
		rate    func(conns int) float64 // bytes a second
		running func(conns int) int
		refused int // connections at which the server refuses one more, or 0
		want    int
	}{
		"one has it all":      {rate: flat, want: 2}, // the second is what shows it
		"each brings as much": {rate: func(n int) float64 { return float64(n) * 1e6 }, want: gainMost},
		"up to three":         {rate: func(n int) float64 { return float64(min(n, 3)) * 1e6 }, want: 4},
		"a little more":       {rate: func(n int) float64 { return 1e6 + float64(n)*50e3 }, want: 2},
		"less":                {rate: func(n int) float64 { return 1e6 / float64(n) }, want: 2},
		"nothing moves":       {rate: func(int) float64 { return 0 }, want: 1},
		"refused":             {rate: func(n int) float64 { return float64(n) * 1e6 }, refused: 3, want: 3},
		"does not begin": {
			rate:    func(n int) float64 { return float64(n) * 1e6 },
			running: func(n int) int { return min(n, 2) },
			want:    3,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var g gain
			now, bytes, conns := time.Unix(1e9, 0), 0.0, 1
			var added []time.Duration
			for tick := range 200 {
				running := conns
				if tt.running != nil {
					running = tt.running(conns)
				}
				if g.sample(now, int64(bytes), running, tt.refused > 0 && conns >= tt.refused) {
					conns++
					added = append(added, time.Duration(tick)*gainEvery)
				}
				now = now.Add(gainEvery)
				bytes += tt.rate(running) * gainEvery.Seconds()
			}
			if conns != tt.want {
				t.Errorf("%d connections, want %d (added after %v)", conns, tt.want, added)
			}
			for i, at := range added {
				if want := time.Duration(i+1) * (gainSettles + gainWindow); at != want {
					t.Errorf("connection %d was added after %v, want %v", i+2, at, want)
				}
			}
		})
	}
}

// A clock that ticks late does not make the rate look better.
func TestGainLate(t *testing.T) {
	var g gain
	now, bytes := time.Unix(1e9, 0), int64(0)
	added := 0
	for tick := range 100 {
		step := gainEvery * time.Duration(1+tick%5)
		now, bytes = now.Add(step), bytes+int64(step/time.Microsecond) // always 1 MB a second
		if g.sample(now, bytes, added+1, false) {
			added++
		}
	}
	if added != 1 {
		t.Errorf("%d connections were added", added)
	}
}
