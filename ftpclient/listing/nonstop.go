package listing

import "time"

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
