package listing

import (
	"slices"
	"strings"
	"time"
)

// readUnix reads what ls -l prints, and many servers imitate:
//
//	-rw-r--r--    1 owner    group        1234 Feb 29 12:34 name
//	lrwxrwxrwx    1 owner    group           6 Dec 31  2023 name -> target
//	crw-rw-rw-    1 owner    group      1,   3 2024-02-29 12:34 name
func readUnix(now time.Time) reader {
	return func(lines []string) (Entry, int) {
		if isTotal(lines[0]) {
			return Entry{}, 1
		}
		return one(parseUnix(lines[0], now))
	}
}

// totals are what ls(1) calls the sum in its first line, in lower case, in the
// languages of months.go.
var totals = []string{
	"total", "insgesamt", "gesamt", "totale", "totaal", "totalt", "i alt", "sammanlagt", "yhteensä", "razem", "łącznie",
	"итого", "всего", "合計", "总计", "总用量", "總計", "총", "합계",
}

// isTotal reports whether line is the first of ls(1), which is no entry.
func isTotal(line string) bool {
	i := strings.LastIndexByte(line, ' ')
	return i > 0 && digits(line[i+1:]) && slices.Contains(totals, lower(strings.TrimRight(line[:i], ": ")))
}

// unixTypes holds the types by the first letter of the mode.
var unixTypes = map[byte]Type{
	'-': File, 'd': Dir, 'l': Link,
	'C': File, // contiguous
	'e': Link, // z/OS: an external link
	'b': Special, 'c': Special, 'p': Special, 's': Special, 'D': Special,
}

// parseUnix reads one line. The columns between the mode and the size may be
// any, since names of owners may have spaces: what is looked for is a size
// before a date. One space stands before the name, and further ones are part of
// it.
func parseUnix(line string, now time.Time) (Entry, bool) {
	f := words(line)
	if len(f) < 4 || isSpace(line[0]) {
		return Entry{}, false
	}
	kind, mode, ok := parseMode(f[0].text)
	if !ok {
		return Entry{}, false
	}
	i, when, t, used := findDate(f, dateForms, now)
	if used == 0 {
		i, when, t, used = findDate(f, bareYearForms, now)
	}
	if used == 0 {
		return Entry{}, false
	}
	e := newEntry("", kind)
	e.Mode = mode
	e.date(when, t)
	e.owners(f[1 : i-1])
	if e.Name, ok = behind(line, f[i+used-1]); !ok {
		return Entry{}, false
	}
	size, _ := parseUnixSize(f[i-1].text)
	switch kind {
	case File:
		e.Size = size
	case Link:
		ok = line[0] == goLink || e.splitLink(size)
	}
	return e, ok
}

// findDate returns where the first date is that stands behind a size, and how
// many words it takes, 0 if there is none.
func findDate(f []word, forms []string, now time.Time) (at int, when moment, t time.Time, used int) {
	for i := 3; i < len(f); i++ { // behind the mode, the links and the size
		if _, ok := parseUnixSize(f[i-1].text); !ok {
			continue
		}
		if when, t, used = parseDateOf(forms, f[i:], now); used > 0 {
			return i, when, t, used
		}
	}
	return 0, moment{}, time.Time{}, 0
}

// parseMode reads a mode as in "drwxr-sr-x". Behind it may stand a mark that
// there is more than the mode says: a label of SELinux, an access list.
func parseMode(s string) (Type, int, bool) {
	if len(s) < 10 {
		return Unknown, -1, false
	}
	if kind, mode, ok := parseGoMode(s); ok {
		return kind, mode, true
	}
	if len(s) == 11 && strings.Contains("+.@", s[10:]) {
		s = s[:10]
	}
	kind, ok := unixTypes[s[0]]
	if !ok || len(s) != 10 {
		return Unknown, -1, false
	}
	mode := 0
	for i, c := range []byte(s[1:]) {
		switch bit := 1 << (8 - i); c {
		case 'r', 'w', 'x':
			mode |= bit
		case 's', 't': // set-id or sticky, and executable
			mode |= bit | extraBit(i)
		case 'S', 'T':
			mode |= extraBit(i)
		case '-', 'l', 'L': // l: System V's mandatory locking
		default:
			return Unknown, -1, false
		}
	}
	return kind, mode, true
}

// goLink begins the mode of a link in the way of package io/fs. Servers that
// print modes so do not print the target of a link.
const goLink = 'L'

// goModes are the letters by which io/fs.FileMode differs from ls(1): any of
// them stand before the permissions.
var goModes = map[byte]struct {
	kind Type
	bit  int
}{
	goLink: {kind: Link}, 'D': {kind: Special}, 'S': {kind: Special}, 'p': {kind: Special}, 'c': {kind: Special},
	'd': {kind: Dir}, 'u': {bit: 0o4000}, 'g': {bit: 0o2000}, 't': {bit: 0o1000},
}

// parseGoMode reads a mode as in "dgtrwxrwxr-x", which servers written in Go
// print.
func parseGoMode(s string) (kind Type, mode int, ok bool) {
	kind = File
	permissions := len(s) - 9
	for i := range permissions {
		letter, known := goModes[s[i]]
		if !known {
			return Unknown, -1, false
		}
		mode |= letter.bit
		if letter.kind != Unknown {
			kind = letter.kind
		}
	}
	for i, c := range []byte(s[permissions:]) {
		switch c {
		case "rwx"[i%3]:
			mode |= 1 << (8 - i)
		case '-':
		default:
			return Unknown, -1, false
		}
	}
	return kind, mode, true
}

// extraBit returns the bit that a letter other than x means, by its place.
func extraBit(i int) int {
	return map[int]int{2: 0o4000, 5: 0o2000, 8: 0o1000}[i]
}

// parseUnixSize reads a size in bytes. One that is rounded, as 34.5k, is told
// from other words, but not believed: it is -1.
func parseUnixSize(s string) (int64, bool) {
	if n, ok := parseCount(s); ok {
		return n, true
	}
	bare := strings.TrimRight(s, "kKMGTB")
	whole, fraction, dotted := strings.Cut(bare, ".")
	rounded := len(bare) < len(s) && digits(whole) && (!dotted || digits(fraction))
	return -1, rounded
}

// owners takes owner and group from the columns between mode and size, if it is
// clear which they are.
func (e *Entry) owners(f []word) {
	if len(f) > 0 && strings.HasSuffix(f[len(f)-1].text, ",") {
		f = f[:len(f)-1] // the major number of a device
	}
	if len(f) == 0 || !digits(f[0].text) {
		return // no count of links
	}
	switch len(f) {
	case 3:
		e.Owner, e.Group = f[1].text, f[2].text
	case 2:
		e.Owner = f[1].text
	}
}

// splitLink parts a name from the target behind it. Where both may hold arrows,
// the size tells, which is that of the target. It returns false if it cannot be
// told.
func (e *Entry) splitLink(size int64) bool {
	const arrow = " -> "
	switch strings.Count(e.Name, arrow) {
	case 0:
		return true
	case 1:
		e.Name, e.Target, _ = strings.Cut(e.Name, arrow)
		return e.Name != ""
	}
	if size < 0 || size > int64(len(e.Name)) {
		return false
	}
	at := len(e.Name) - int(size)
	name, ok := strings.CutSuffix(e.Name[:at], arrow)
	if !ok || name == "" {
		return false
	}
	e.Name, e.Target = name, e.Name[at:]
	return true
}
