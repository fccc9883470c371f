package listing

import (
	"slices"
	"strings"
	"time"
)

// Here are forms of a line each, from servers that few have met.

// parseOS2 reads
//
//	36611      A    04-23-103  10:57  name
//	    0 DIR       02-29-24   16:15  name
//
// The years may be those since 1900.
func parseOS2(line string) (Entry, bool) {
	f := words(line)
	if len(f) < 4 {
		return Entry{}, false
	}
	size, ok := parseCount(f[0].text)
	at := 1
	e := newEntry("", File)
	for ; at < len(f) && !strings.Contains(f[at].text, "-"); at++ {
		switch {
		case f[at].text == "DIR":
			e.Type = Dir
		case strings.Trim(f[at].text, "ARSH") != "":
			return Entry{}, false
		}
	}
	if !ok || at+2 >= len(f) || !e.numberDate(f[at], f[at+1], monthFirst) {
		return Entry{}, false
	}
	if e.Type == File {
		e.Size = size
	}
	e.Name = strings.TrimLeft(line[f[at+1].end:], " ")
	return e, e.Name != ""
}

// parseVxWorks reads, under a heading and a line of dashes,
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

// parseWFFTP reads what Nortel's routers print, the name first:
//
//	config       1014196  02/29/24  Thur.   10:20:03
//
// There is no sign of a directory.
func parseWFFTP(line string) (Entry, bool) {
	f := words(line)
	if len(f) != 5 || !strings.HasSuffix(f[3].text, ".") || isSpace(line[0]) {
		return Entry{}, false
	}
	e := newEntry(f[0].text, File)
	var ok bool
	if e.Size, ok = parseCount(f[1].text); !ok {
		return Entry{}, false
	}
	return e, e.numberDate(f[2], f[4], monthFirst)
}

// readNonStop reads what HP NonStop prints of a subvolume, under a heading:
//
//	File         Code             EOF  Last Modification    Owner  RWEP
//	NAME          101           16354  29-Feb-24 15:09:12 244, 10 "nnnn"
func readNonStop(now time.Time) reader {
	headed := false
	return func(lines []string) (Entry, int) {
		f := words(lines[0])
		if !headed && len(f) > 3 && f[0].text == "File" && f[1].text == "Code" && f[2].text == "EOF" {
			headed = true
			return Entry{}, 1
		}
		if !headed || len(f) < 5 || isSpace(lines[0][0]) {
			return Entry{}, 0
		}
		e := newEntry(f[0].text, File)
		at := 2
		if f[at].text == "O" { // it is open
			at++
		}
		var ok bool
		if e.Size, ok = parseCount(f[at].text); !ok || !digits(f[1].text) {
			return Entry{}, 0
		}
		when, t, used := parseDate(f[at+1:], now)
		e.date(when, t)
		return one(e, used == 2)
	}
}
