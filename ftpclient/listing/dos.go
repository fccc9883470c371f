package listing

import (
	"strings"
	"time"
)

// readDOS reads what the dir command of DOS prints, and IIS imitates:
//
//	02-29-24  12:34PM       <DIR>          name
//	02-29-24  12:34PM                 1234 name
func readDOS(o order) func(time.Time) reader {
	return perLine(func(line string) (Entry, bool) { return parseDOS(line, o) })
}

// dosKinds holds what may stand in the place of a size.
var dosKinds = map[string]Type{"<DIR>": Dir, "<JUNCTION>": Link, "<SYMLINK>": Link, "<SYMLINKD>": Link}

// dosKindWidth is how wide that column is, up to the name.
const dosKindWidth = 15

func parseDOS(line string, o order) (Entry, bool) {
	f := words(line)
	if len(f) < 4 {
		return Entry{}, false
	}
	m := moment{precision: aDay}
	if strings.IndexFunc(f[0].text, isDateMark) == len("2006") {
		o = yearFirst
	}
	if !m.numbers(f[0].text, o) {
		return Entry{}, false
	}
	clock, at := f[1].text, 2
	if half := strings.ToUpper(f[2].text); half == "AM" || half == "PM" {
		clock, at = clock+half, 3
	}
	if !m.halfDayClock(clock) || at+1 >= len(f) {
		return Entry{}, false
	}
	t, ok := m.time(time.Time{})
	if !ok {
		return Entry{}, false
	}
	e := newEntry("", File)
	e.date(m, t)
	if kind, is := dosKinds[f[at].text]; is {
		e.Type, e.Name = kind, padded(line, f[at], dosKindWidth)
		e.splitJunction()
		return e, e.Name != ""
	}
	if e.Size, ok = parseCount(strings.ReplaceAll(f[at].text, ",", "")); !ok {
		return Entry{}, false
	}
	e.Name, ok = behind(line, f[at])
	return e, ok
}

// splitJunction parts the name of a link from the target behind it, as in
// "name [C:\target]".
func (e *Entry) splitJunction() {
	bare, ok := strings.CutSuffix(e.Name, "]")
	if i := strings.LastIndex(bare, " ["); ok && i > 0 && e.Type == Link {
		e.Name, e.Target = bare[:i], bare[i+len(" ["):]
	}
}

// halfDayClock reads 03:04PM, 15:04, or either with seconds.
func (m *moment) halfDayClock(s string) bool {
	s = strings.ToUpper(s)
	bare, afternoon := strings.CutSuffix(s, "PM")
	bare, morning := strings.CutSuffix(bare, "AM")
	if !m.clock(bare) || afternoon && morning {
		return false
	}
	if afternoon || morning {
		if m.hour < 1 || m.hour > 12 {
			return false
		}
		m.hour %= 12
	}
	if afternoon {
		m.hour += 12
	}
	return true
}
