package ftpclient

import (
	"strings"
	"time"
)

// parseListLine reads a line of LIST, which no standard describes: as ls(1) of
// Unix prints it, or as the dir command of DOS. now tells the year where the
// line leaves it out.
func parseListLine(line string, now time.Time) (Entry, error) {
	e, ok := parseUnixLine(line, now)
	if !ok {
		e, ok = parseDOSLine(line)
	}
	if !ok {
		return Entry{}, &ProtocolError{Problem: "a line of a list that cannot be read", Line: shorten(line)}
	}
	switch e.Name {
	case ".":
		e.Type = EntryCurrent
	case "..":
		e.Type = EntryParent
	}
	return e, nil
}

// listTotal reports whether line is the first of ls(1), which is no entry.
func listTotal(line string) bool {
	digits, ok := strings.CutPrefix(line, "total ")
	_, number := parseCount(strings.TrimSpace(digits))
	return ok && number
}

// unixTypes holds the types by the first letter of the mode. Devices, FIFOs and
// sockets are none that could be moved.
var unixTypes = map[byte]EntryType{
	'-': EntryFile, 'd': EntryDir, 'l': EntryLink,
	'b': EntryUnknown, 'c': EntryUnknown, 'p': EntryUnknown, 's': EntryUnknown, 'D': EntryUnknown,
}

// parseUnixLine reads
//
//	-rw-r--r--    1 owner    group        1234 Feb 29 12:34 name
//	lrwxrwxrwx    1 owner    group           6 Dec 31  2023 name -> target
//	crw-rw-rw-    1 owner    group      1,   3 2024-02-29 12:34 name
//
// The columns between the mode and the size may be any, since names of owners
// may have spaces: what is looked for is a size before a date. One space
// stands before the name, and further ones are part of it.
func parseUnixLine(line string, now time.Time) (Entry, bool) {
	mode, _, ok := strings.Cut(line, " ")
	if !ok || !unixMode(mode) {
		return Entry{}, false
	}
	e := Entry{Type: unixTypes[mode[0]], Size: -1}
	fields := columns(line)
	for i := 1; i < len(fields); i++ {
		size, isSize := parseCount(fields[i-1].text)
		if i == 1 || !isSize {
			continue
		}
		when, used, ok := parseListTime(fields[i:], now)
		if !ok {
			continue
		}
		rest := line[fields[i+used-1].end:]
		if len(rest) < 2 || rest[0] != ' ' {
			return Entry{}, false
		}
		e.Name, e.ModTime = rest[1:], when
		if e.Type == EntryFile {
			e.Size = size
		}
		if e.Type == EntryLink {
			e.Name, e.Target, _ = strings.Cut(e.Name, " -> ")
		}
		return e, e.Name != ""
	}
	return Entry{}, false
}

// unixMode reports whether s is a mode as in "drwxr-sr-x". Behind it may stand
// a mark for more that the mode does not say.
func unixMode(s string) bool {
	if len(s) == 11 && strings.Contains("+.@", s[10:]) {
		s = s[:10]
	}
	if len(s) != 10 {
		return false
	}
	if _, ok := unixTypes[s[0]]; !ok {
		return false
	}
	return strings.Trim(s[1:], "-rwxsStTlL") == ""
}

// A column is a word of a line and where it ends.
type column struct {
	text string
	end  int
}

// columns returns the first words of a line: more than can stand before a name.
func columns(line string) []column {
	const most = 24
	var found []column
	for i := 0; i < len(line) && len(found) < most; {
		if line[i] == ' ' {
			i++
			continue
		}
		end := i + strings.IndexByte(line[i:]+" ", ' ')
		found = append(found, column{line[i:end], end})
		i = end
	}
	return found
}

// parseListTime reads "Jan 2 15:04", "Jan 2 2006", "2 Jan 2006" or
// "2006-01-02 15:04", and returns how many columns that took.
func parseListTime(f []column, now time.Time) (when time.Time, used int, ok bool) {
	if len(f) >= 2 && len(f[0].text) == len(time.DateOnly) {
		clock := f[1].text
		if len(clock) < 5 {
			return when, 0, false
		}
		when, err := time.Parse("2006-01-02 15:04", f[0].text+" "+clock[:5])
		return when, 2, err == nil
	}
	if len(f) < 3 {
		return when, 0, false
	}
	month, day := f[0].text, f[1].text
	if _, number := parseCount(month); number {
		month, day = day, month
	}
	if strings.Contains(f[2].text, ":") {
		when, ok = latest(month+" "+day+" "+f[2].text, now)
		return when, 3, ok
	}
	when, err := time.Parse("Jan 2 2006", month+" "+day+" "+f[2].text)
	return when, 3, err == nil
}

// latest returns the last time before tomorrow that s can mean: ls(1) leaves
// out the year of times in the last half year, or in the last year.
func latest(s string, now time.Time) (time.Time, bool) {
	const leapYears = 8 // the most years between two of them
	for year := now.Year() + 1; year >= now.Year()-leapYears; year-- {
		when, err := time.Parse("2006 Jan 2 15:04", time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Format("2006")+" "+s)
		if err == nil && when.Before(now.Add(24*time.Hour)) {
			return when, true
		}
	}
	return time.Time{}, false
}

// dosForms are the times of DOS.
var dosForms = []string{"01-02-06 03:04PM", "01-02-2006 03:04PM", "01-02-06 15:04", "2006-01-02 15:04", "2006-01-02 03:04PM", "01/02/2006 03:04PM"}

// dosKinds holds what may stand in the place of a size.
var dosKinds = map[string]EntryType{"<DIR>": EntryDir, "<JUNCTION>": EntryLink, "<SYMLINK>": EntryLink, "<SYMLINKD>": EntryLink}

// dosKindWidth is how wide that column is, up to the name.
const dosKindWidth = 15

// parseDOSLine reads
//
//	02-29-24  12:34PM       <DIR>          name
//	02-29-24  12:34PM                 1234 name
func parseDOSLine(line string) (Entry, bool) {
	f := columns(line)
	if len(f) < 4 {
		return Entry{}, false
	}
	e := Entry{Size: -1}
	ok := false
	for _, form := range dosForms {
		when, err := time.Parse(form, f[0].text+" "+strings.ToUpper(f[1].text))
		if err == nil {
			e.ModTime, ok = when, true
			break
		}
	}
	if !ok {
		return Entry{}, false
	}
	rest := line[f[2].end:]
	if kind, is := dosKinds[f[2].text]; is {
		e.Type = kind
		pad := max(dosKindWidth-len(f[2].text), 1)
		if len(rest) <= pad || strings.Trim(rest[:pad], " ") != "" {
			pad = len(rest) - len(strings.TrimLeft(rest, " "))
		}
		e.Name = rest[pad:]
		return e, e.Name != ""
	}
	size, isSize := parseCount(strings.ReplaceAll(f[2].text, ",", ""))
	if !isSize || len(rest) < 2 {
		return Entry{}, false
	}
	e.Type, e.Size, e.Name = EntryFile, size, rest[1:]
	return e, true
}
