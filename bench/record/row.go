package record

import (
	"fmt"
	"math"
)

// Row is a line of the table that says how xftp does.
type Row struct {
	Name, Title string
	Xftp        string // xftp's value, with its unit
	Best        string // name of the best peer; empty where there is none
	BestValue   string
	Value       float64 // what Floor and Aim hold for: a ratio where Best is not empty
	Unit        string  // of Value: empty for a ratio, "ms" or "MB"
	Low, Top    float64 // ratio within the rounds; equal to Value where there are no pairs
	Floor, Aim  float64
	Verdict     Verdict
}

// Verdict says what a row has reached.
type Verdict string

// The verdicts.
const (
	Aim        Verdict = "aim"
	Floor      Verdict = "floor"
	Below      Verdict = "below"
	Reported   Verdict = "reported" // there is no floor
	Unmeasured Verdict = "not measured"
)

// judge sets the verdict. less says that small values are good.
func (r Row) judge(less bool) Row {
	reaches := func(want float64) bool {
		if less {
			return want != 0 && r.Value <= want
		}
		return want != 0 && r.Value >= want
	}
	switch {
	case math.IsNaN(r.Value):
		r.Verdict = Unmeasured
	case reaches(r.Aim):
		r.Verdict = Aim
	case reaches(r.Floor):
		r.Verdict = Floor
	case r.Floor == 0:
		r.Verdict = Reported
	default:
		r.Verdict = Below
	}
	return r
}

// Rows returns the table: a row for each case, and those that follow from
// several numbers of one.
func (f *File) Rows() []Row {
	var rows []Row
	for _, c := range f.Cases {
		switch c.Unit {
		case Startup:
			rows = append(rows, c.startupRow())
		case Frames:
			rows = append(rows, f.ceilingRow(c))
		case RTT:
			rows = append(rows, c.ratioRow(c.Name, c.Title, Seconds, microseconds, c.Floor, c.Aim),
				c.ratioRow(c.Name+" p99", "the same, 99th percentile", Item(P99), microseconds, 0, 0))
		default:
			rows = append(rows, c.ratioRow(c.Name, c.Title, Seconds, c.amount, c.Floor, c.Aim))
		}
	}
	return append(rows, f.derived()...)
}

// P99 is the name of an item of a run in the unit RTT: its 99th percentile.
const P99 = "p99"

// derived returns the rows that D1 and U1 have besides their own.
func (f *File) derived() []Row {
	var rows []Row
	perGB := func(v float64) string { return fmt.Sprintf("%.2f s/GB", v) }
	for _, name := range []string{"D1", "U1"} {
		if c := f.Case(name); c != nil {
			rows = append(rows, c.ratioRow("C "+name, "CPU of the whole machine in "+name, MachineCPUPerGB, perGB, 0.8, 1))
		}
	}
	if c := f.Case("D1"); c != nil {
		rows = append(rows, c.memoryRow())
	}
	return rows
}

// ratioRow compares xftp to the best peer by v.
func (c *Case) ratioRow(name, title string, v func(Run) float64, format func(float64) string, floor, aim float64) Row {
	row := Row{Name: name, Title: title, Value: math.NaN(), Floor: floor, Aim: aim}
	xftp, best := c.Xftp(), c.Best(v)
	if best != nil {
		row.Best, row.BestValue = best.Name, format(Median(best.Values(v)))
	}
	if xftp != nil {
		row.Xftp = format(Median(xftp.Values(v)))
	}
	if xftp != nil && best != nil {
		ratio := Compare(best, xftp, v)
		row.Value, row.Low, row.Top = ratio.Median, ratio.Low, ratio.Top
	}
	return row.judge(false)
}

func (c *Case) startupRow() Row {
	row := Row{Name: c.Name, Title: c.Title, Unit: "ms", Value: math.NaN(), Floor: c.Floor, Aim: c.Aim}
	if p := c.Xftp(); p != nil {
		row.Value = Median(p.Values(Seconds)) * 1000
		row.Xftp = milliseconds(row.Value / 1000)
	}
	if best := c.Best(Seconds); best != nil {
		row.Best, row.BestValue = best.Name, milliseconds(Median(best.Values(Seconds)))
	}
	row.Low, row.Top = row.Value, row.Value
	return row.judge(true)
}

// memoryRow: at most 64 MB, better 40.
func (c *Case) memoryRow() Row {
	row := Row{Name: "R", Title: "peak RSS in D1", Unit: "MB", Value: math.NaN(), Floor: 64, Aim: 40}
	rss := func(r Run) float64 { return float64(r.PeakRSS) / 1e6 }
	format := func(v float64) string { return fmt.Sprintf("%.1f MB", v) }
	if p := c.Xftp(); p != nil {
		row.Value = Median(p.Values(rss))
		row.Xftp = format(row.Value)
	}
	if best := c.Best(rss); best != nil {
		row.Best, row.BestValue = best.Name, format(Median(best.Values(rss)))
	}
	row.Low, row.Top = row.Value, row.Value
	return row.judge(true)
}

// ceilingRow holds the frames of D1 against what the socket alone drains.
func (f *File) ceilingRow(c *Case) Row {
	row := Row{Name: c.Name, Title: c.Title, Value: math.NaN(), Floor: c.Floor, Aim: c.Aim}
	drained := c.Xftp()
	if drained == nil {
		return row.judge(false)
	}
	perSecond := func(r Run) float64 { return r.Items[FramesItem] / r.Seconds }
	ceiling := Median(drained.Values(perSecond))
	row.BestValue = fmt.Sprintf("%.0f kframes/s", ceiling/1e3)
	d1 := f.Case("D1")
	if d1 == nil || d1.Xftp() == nil {
		return row.judge(false)
	}
	// A segment of TCP carries 52 bytes less than the MTU: the headers of IP
	// and TCP, and its timestamps.
	segments := Median(d1.Xftp().Values(Rate)) / 8 / float64(d1.Link.MTU-52)
	row.Best = "socket alone"
	row.Xftp = fmt.Sprintf("%.0f kframes/s", segments/1e3)
	row.Value = segments / ceiling
	row.Low, row.Top = row.Value, row.Value
	return row.judge(false)
}

// FramesItem is the name of an item of a run in the unit Frames: how many came.
const FramesItem = "frames"

// amount writes a time of the case: as a rate where much moves in few files,
// in seconds otherwise.
func (c *Case) amount(seconds float64) string {
	if c.Files > 100 || c.Bytes < 1e6 {
		return fmt.Sprintf("%.3f s", seconds)
	}
	return fmt.Sprintf("%.2f Gb/s", float64(c.Bytes)*8/1e9/seconds)
}

func microseconds(s float64) string { return fmt.Sprintf("%.1f us", s*1e6) }
func milliseconds(s float64) string { return fmt.Sprintf("%.1f ms", s*1e3) }
