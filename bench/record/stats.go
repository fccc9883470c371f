package record

import (
	"math"
	"slices"
)

// Median returns the middle of v, or the mean of the two in the middle; NaN if
// v is empty.
func Median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	v = slices.Sorted(slices.Values(v))
	return (v[len(v)/2] + v[(len(v)-1)/2]) / 2
}

// Percentile returns the value that a share p of v, from 0 to 1, does not
// exceed (the nearest rank); NaN if v is empty.
func Percentile(v []float64, p float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	v = slices.Sorted(slices.Values(v))
	return v[max(int(math.Ceil(p*float64(len(v))))-1, 0)]
}

// Counted returns the runs that count: not the one that warms up, and none
// that failed.
func (p *Peer) Counted() []Run {
	var runs []Run
	for _, r := range p.Runs {
		if r.Round > 0 && r.Error == "" {
			runs = append(runs, r)
		}
	}
	return runs
}

// Failed returns how many runs failed.
func (p *Peer) Failed() int {
	n := 0
	for _, r := range p.Runs {
		if r.Error != "" {
			n++
		}
	}
	return n
}

// Values returns what f makes of each run that counts.
func (p *Peer) Values(f func(Run) float64) []float64 {
	var v []float64
	for _, r := range p.Counted() {
		v = append(v, f(r))
	}
	return v
}

// Seconds is a function for Values.
func Seconds(r Run) float64 { return r.Seconds }

// MachineCPUPerGB is a function for Values: seconds of CPU that the whole
// machine spent for 1e9 bytes. On a veth pair the kernel's work for one side is
// charged to the other, so that only the whole is fair.
func MachineCPUPerGB(r Run) float64 { return r.MachineCPU / float64(r.Bytes) * 1e9 }

// ClientCPUPerGB is a function for Values: as MachineCPUPerGB, of the client's
// process alone.
func ClientCPUPerGB(r Run) float64 { return (r.User + r.System) / float64(r.Bytes) * 1e9 }

// Rate is a function for Values: bits per second.
func Rate(r Run) float64 { return r.Rate() }

// Item returns a function for Values: one of Run.Items.
func Item(name string) func(Run) float64 {
	return func(r Run) float64 { return r.Items[name] }
}

// Xftp returns the peer that the others are compared to, or nil if it has no
// run that counts.
func (c *Case) Xftp() *Peer {
	if len(c.Peers) == 0 || len(c.Peers[0].Counted()) == 0 {
		return nil
	}
	return c.Peers[0]
}

// Best returns the peer with the least median of f, xftp aside, or nil if none
// has a run that counts.
func (c *Case) Best(f func(Run) float64) *Peer {
	var best *Peer
	for i, p := range c.Peers {
		if i == 0 || len(p.Counted()) == 0 {
			continue
		}
		if best == nil || Median(p.Values(f)) < Median(best.Values(f)) {
			best = p
		}
	}
	return best
}

// Ratio compares by f: it is above 1 where xftp is ahead.
type Ratio struct {
	Median   float64 // of the peer's median to xftp's
	Low, Top float64 // least and greatest ratio within one round
	Rounds   int     // in which both have a run that counts
}

// Compare returns how p's values compare to xftp's.
func Compare(p, xftp *Peer, f func(Run) float64) Ratio {
	r := Ratio{
		Median: Median(p.Values(f)) / Median(xftp.Values(f)),
		Low:    math.Inf(1), Top: math.Inf(-1),
	}
	for _, a := range p.Counted() {
		for _, b := range xftp.Counted() {
			if a.Round != b.Round {
				continue
			}
			pair := f(a) / f(b)
			r.Low, r.Top = min(r.Low, pair), max(r.Top, pair)
			r.Rounds++
		}
	}
	return r
}
