package listing

import "strings"

// parseOS2 reads what the servers of OS/2 print:
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
