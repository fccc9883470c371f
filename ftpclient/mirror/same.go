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
		same, pair.Why = m.sameTime(e, d)
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

// sameTime reports whether the times of two files are those of the same, and why
// the file is moved if not.
func (m *maker) sameTime(e, d *Entry) (bool, Reason) {
	switch {
	case !m.o.Unstamped:
		return overlap(e, d), TimeDiffers
	case !d.ModTime.Add(span(d) + d.Doubt).After(e.ModTime.Add(-e.Doubt)):
		return false, TimeDiffers
	default:
		// Within a minute it may have changed again, which is for Unsure to say;
		// within a day, or in whatever zone, it has too often.
		vague := max(e.Doubt, d.Doubt) > 0 || max(e.Precision, d.Precision) >= day
		return !vague || !d.ModTime.Add(-d.Doubt).Before(e.ModTime.Add(span(e)+e.Doubt)), Unknown
	}
}

// overlap reports whether two times may be the same: each is somewhere in what
// it is cut to.
func overlap(a, b *Entry) bool {
	return a.ModTime.Before(b.ModTime.Add(span(b))) && b.ModTime.Before(a.ModTime.Add(span(a)))
}

func span(e *Entry) time.Duration { return max(e.Precision, 1) }
