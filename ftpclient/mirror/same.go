package mirror

import "time"

// compare decides about two files.
func (m *maker) compare(e, d *Entry) {
	pair := Pair{Source: e, Dest: d}
	timed := !e.ModTime.IsZero() && !d.ModTime.IsZero()
	var same bool
	switch {
	case e.Size >= 0 && d.Size >= 0 && e.Size != d.Size:
		pair.Why = SizeDiffers
	case m.o.Compare == ByTime && timed:
		same = m.sameTime(e, d)
		pair.Why = TimeDiffers
	case e.Size < 0 || d.Size < 0:
		pair.Why = Unknown
	default:
		same = true
	}
	if !same {
		m.plan.Files = append(m.plan.Files, pair)
		return
	}
	m.plan.Same++
	m.plan.SameBytes += max(e.Size, 0)
	switch {
	case m.o.Compare == ByHash:
		m.plan.Check = append(m.plan.Check, pair)
	case m.o.Compare == ByTime && !timed:
		m.plan.Timeless++
	case m.o.Compare == ByTime && max(e.Precision, d.Precision) > time.Second:
		m.plan.Unsure = append(m.plan.Unsure, pair)
	}
	c := Change{Source: e, Dest: d}
	c.Time = timed && !m.o.Unstamped && !overlap(e, d)
	c.Mode = m.o.KeepModes && e.Mode >= 0 && d.Mode >= 0 && e.Mode != d.Mode
	if c.Time || c.Mode {
		m.plan.Changes = append(m.plan.Changes, c)
	}
}

func (m *maker) sameTime(e, d *Entry) bool {
	if m.o.Unstamped {
		return d.ModTime.Add(span(d)).After(e.ModTime)
	}
	return overlap(e, d)
}

// overlap reports whether two times may be the same: each is somewhere in what
// it is cut to.
func overlap(a, b *Entry) bool {
	return a.ModTime.Before(b.ModTime.Add(span(b))) && b.ModTime.Before(a.ModTime.Add(span(a)))
}

func span(e *Entry) time.Duration { return max(e.Precision, 1) }
