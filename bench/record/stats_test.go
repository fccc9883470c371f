package record

import (
	"math"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		v    []float64
		want float64
	}{
		{[]float64{3}, 3},
		{[]float64{9, 1, 5}, 5},
		{[]float64{4, 1, 3, 2}, 2.5},
	} {
		if got := Median(test.v); got != test.want {
			t.Errorf("median of %v is %v, want %v", test.v, got, test.want)
		}
	}
	if !math.IsNaN(Median(nil)) {
		t.Error("the median of nothing is a number")
	}
	v := []float64{3, 1, 2}
	Median(v)
	if v[0] != 3 {
		t.Error("Median changed its argument")
	}
}

func TestPercentile(t *testing.T) {
	v := make([]float64, 200)
	for i := range v {
		v[i] = float64(200 - i) // 200 down to 1
	}
	for p, want := range map[float64]float64{0.99: 198, 0.5: 100, 1: 200, 0: 1} {
		if got := Percentile(v, p); got != want {
			t.Errorf("percentile %v is %v, want %v", p, got, want)
		}
	}
}

// peer returns a peer whose runs took so long; the first warms up, and a
// negative time is a run that failed.
func peer(name string, seconds ...float64) *Peer {
	p := &Peer{Name: name}
	for round, s := range seconds {
		r := Run{Round: round, Seconds: s, Bytes: 1e9, MachineCPU: 2 * s, PeakRSS: 30e6}
		if s < 0 {
			r.Error = "exit status 1"
		}
		p.Runs = append(p.Runs, r)
	}
	return p
}

func TestCompare(t *testing.T) {
	xftp := peer("xftp", 100, 1, 2, 2)
	curl := peer("curl", 0.1, 3, 2, -1, 8)
	got := Compare(curl, xftp, Seconds)
	// Medians 3 and 2. Rounds 1 and 2 have both: 3/1 and 2/2. Round 3 failed,
	// and round 4 has no pair.
	if want := (Ratio{Median: 1.5, Low: 1, Top: 3, Rounds: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if n := curl.Failed(); n != 1 {
		t.Errorf("%d failed runs, want 1", n)
	}
}

func TestBest(t *testing.T) {
	c := &Case{Peers: []*Peer{
		peer("xftp", 1, 1),
		peer("curl", 1, 5, 5),
		peer("lftp", 1, 4, 4),
		peer("wget", 0.001), // was in the warm-up alone
		{Name: "aria2c", LeftOut: "not installed"},
	}}
	if best := c.Best(Seconds); best == nil || best.Name != "lftp" {
		t.Errorf("the best is %v, want lftp", best)
	}
	c.Peers = c.Peers[:1]
	if best := c.Best(Seconds); best != nil {
		t.Errorf("the best of none is %s", best.Name)
	}
}
