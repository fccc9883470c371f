package listing

import (
	"slices"
	"strings"
	"time"
)

// parseVxWorks reads what dosFs of VxWorks prints, under a heading and a line of
// dashes:
//
//	  size          date       time       name
//	--------       ------     ------    --------
//	    2048    Feb-29-2024  05:23:30   name              <DIR>
func parseVxWorks(line string) (Entry, bool) {
	f := words(line)
	if len(f) < 4 {
		return Entry{}, false
	}
	if isVxWorksHeading(f) {
		return Entry{}, true
	}
	size, ok := parseCount(f[0].text)
	parts := strings.Split(f[1].text, "-")
	if !ok || len(parts) != 3 {
		return Entry{}, false
	}
	var m moment
	var okMonth, okDay, okYear bool
	m.month, okMonth = parseMonth(parts[0])
	m.day, okDay = parseDay(parts[1])
	m.year, okYear = shortYear(parts[2])
	if !okMonth || !okDay || !okYear || !m.clock(f[2].text) {
		return Entry{}, false
	}
	t, ok := m.time(time.Time{})
	if !ok {
		return Entry{}, false
	}
	e := newEntry(strings.TrimLeft(line[f[2].end:], " "), File)
	e.date(m, t)
	if name, ok := strings.CutSuffix(strings.TrimRight(e.Name, " "), "<DIR>"); ok && strings.HasSuffix(name, " ") {
		e.Type, e.Name = Dir, strings.TrimRight(name, " ")
	} else {
		e.Size = size
	}
	return e, e.Name != ""
}

func isVxWorksHeading(f []word) bool {
	heading := []string{"size", "date", "time", "name"}
	dashes := func(w word) bool { return strings.Trim(w.text, "-") == "" }
	return len(f) == len(heading) &&
		(slices.EqualFunc(f, heading, func(w word, s string) bool { return w.text == s }) || !slices.ContainsFunc(f, func(w word) bool { return !dashes(w) }))
}
