package listing

import (
	"strings"
	"time"
)

// readNetWare reads what Novell's servers print:
//
//	d [R----F--] supervisor            512       Jan 16 18:53    name
//	-[RWCEAFMS]  1 admin            214059       Oct 20  1998    name
func readNetWare(now time.Time) reader {
	return func(lines []string) (Entry, int) {
		if isTotal(lines[0]) {
			return Entry{}, 1
		}
		return one(parseNetWare(lines[0], now))
	}
}

// parseNetWare reads one line. As in those of Unix, a size before a date is
// looked for. More than one space stands before the name, and none belongs to
// it.
func parseNetWare(line string, now time.Time) (Entry, bool) {
	kind, ok := map[byte]Type{'d': Dir, '-': File}[line[0]]
	rest := strings.TrimLeft(line[1:], " ")
	rights, rest, closed := strings.Cut(rest, "] ")
	if !ok || !closed || !strings.HasPrefix(rights, "[") || strings.Trim(rights[1:], "-RWCEAFMS") != "" {
		return Entry{}, false
	}
	e := newEntry("", kind)
	f := words(rest)
	for i := 1; i < len(f); i++ {
		size, ok := parseCount(f[i-1].text)
		if !ok {
			continue
		}
		when, t, used := parseDate(f[i:], now)
		if used == 0 {
			continue
		}
		e.date(when, t)
		e.Name = strings.TrimLeft(rest[f[i+used-1].end:], " ")
		if i >= 2 {
			e.Owner = f[i-2].text
		}
		if kind == File {
			e.Size = size
		}
		return e, e.Name != ""
	}
	return Entry{}, false
}
