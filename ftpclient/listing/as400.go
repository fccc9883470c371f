package listing

import (
	"strings"
	"time"
)

// readAS400 reads what OS/400 prints, the days in the order that the job has:
//
//	QSYS            77824 02/29/24 15:09:55 *DIR       name/
//	QPGMR          135168 02/29/24 10:03:59 *STMF      name
//	QPGMR                                   *MEM       FILE.MBR
func readAS400(o order) func(time.Time) reader {
	return perLine(func(line string) (Entry, bool) { return parseAS400(line, o) })
}

// as400Types holds the types by the kind of object. A physical file of the
// library system has members; it is itself what its first member holds. Kinds
// that are not here cannot be moved.
var as400Types = map[string]Type{
	"*STMF": File, "*DSTMF": File, "*FILE": File, "*MEM": File, "*SAVF": File, "*DOC": File, "*USRSPC": File,
	"*DIR": Dir, "*DDIR": Dir, "*FLR": Dir, "*LIB": Dir,
	"*SYMLNK": Link,
}

// as400KindWidth is how wide that column is, up to the name.
const as400KindWidth = 11

func parseAS400(line string, o order) (Entry, bool) {
	f := words(line)
	at := 0 // the kind of object
	for at < len(f) && !strings.HasPrefix(f[at].text, "*") {
		at++
	}
	if at >= len(f) || isSpace(line[0]) {
		return Entry{}, false
	}
	kind := f[at].text
	if len(kind) < 3 || strings.Trim(kind[1:], "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		return Entry{}, false
	}
	e := newEntry(strings.TrimRight(padded(line, f[at], as400KindWidth), " "), Special)
	if known, ok := as400Types[kind]; ok {
		e.Type = known
	}
	switch {
	case at == 1 && kind == "*MEM":
	case at == 4:
		size, ok := parseCount(f[1].text)
		if !ok || !e.numberDate(f[2], f[3], o) {
			return Entry{}, false
		}
		if kind == "*STMF" { // that of others is not how much a transfer moves
			e.Size = size
		}
	default:
		return Entry{}, false
	}
	e.Owner = f[0].text
	if bare, ok := strings.CutSuffix(e.Name, "/"); ok {
		e.Type, e.Name, e.Size = Dir, bare, -1
	}
	return e, e.Name != ""
}
