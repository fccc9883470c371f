package listing

import "strings"

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
