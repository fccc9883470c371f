package mirror

import (
	"slices"
	"time"
)

// A Zone finds out by how much the times in a list are ahead of UTC. Servers
// that have no MLSD print what their clock shows, but answer MDTM in UTC: the
// two times of a few files tell the zone, at the times of these files, as it
// changes in summer.
//
// The zero Zone knows nothing.
type Zone struct{ samples []sample }

type sample struct {
	listed time.Time
	offset time.Duration
}

const (
	zoneStep = 15 * time.Minute // what offsets are multiples of, as UTC+05:45
	maxZone  = 15 * time.Hour   // UTC+14:00 is the farthest, and one more for summer
	day      = 24 * time.Hour   // what lists cut old times to
)

// Add takes the time that is listed for a file, taken for UTC and cut to
// precision, and the one that it really has. It reports whether they make sense: a
// file that has changed in between tells nothing, nor does a list of days.
func (z *Zone) Add(listed time.Time, precision time.Duration, exact time.Time) bool {
	if precision <= 0 || precision > time.Minute {
		return false
	}
	offset := listed.Sub(exact.Truncate(precision))
	if offset%zoneStep != 0 || offset.Abs() > maxZone {
		return false
	}
	s := sample{listed, offset}
	i, _ := slices.BinarySearchFunc(z.samples, s, func(a, b sample) int { return a.listed.Compare(b.listed) })
	z.samples = slices.Insert(z.samples, i, s)
	return true
}

// offset returns how far the clock of the server was ahead of UTC when it showed
// listed, by the sample that is nearest to it. Known is false if there is none.
func (z *Zone) offset(listed time.Time) (offset time.Duration, known bool) {
	var best time.Duration
	for i, s := range z.samples {
		if far := s.listed.Sub(listed).Abs(); i == 0 || far < best {
			best, offset = far, s.offset
		}
	}
	return offset, len(z.samples) > 0
}

// UTC returns what a listed time is in UTC, what it is cut to then, and by how much
// it may be wrong if the zone is not known ([Entry.Doubt]). A day is not known to the
// day in another zone, nor to the hour where summer differs: that is in what it is
// cut to.
func (z *Zone) UTC(listed time.Time, precision time.Duration) (when time.Time, cut, doubt time.Duration) {
	offset, known := z.offset(listed)
	wide := time.Duration(0)
	switch {
	case precision < day && known:
	case precision < day:
		doubt = maxZone
	case known:
		wide = time.Hour
	default:
		wide = maxZone
	}
	return listed.Add(-offset - wide), precision + 2*wide, doubt
}
