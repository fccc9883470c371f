package ftpclient

import (
	"strings"
	"time"
)

// An EntryType says what an [Entry] is.
type EntryType uint8

// The types. A fact that is none of these, or is missing, gives EntryUnknown.
const (
	EntryUnknown EntryType = iota
	EntryFile
	EntryDir
	EntryLink    // a symbolic link
	EntryCurrent // the listed directory itself
	EntryParent  // its parent
)

// entryTypes holds the values of the type fact in lower case (RFC 3659,
// Section 7.5.1; the OS.unix ones are what servers use for links).
var entryTypes = map[string]EntryType{
	"file":            EntryFile,
	"dir":             EntryDir,
	"cdir":            EntryCurrent,
	"pdir":            EntryParent,
	"os.unix=slink":   EntryLink,
	"os.unix=symlink": EntryLink,
}

// An Entry is one line of MLSD or MLST, or of LIST where [Client.Walk] had to
// use that.
type Entry struct {
	Name    string // as the server gives it
	Path    string // below the directory that [Client.Walk] began in; empty otherwise
	Type    EntryType
	Size    int64     // in bytes, or -1 if not told
	ModTime time.Time // in UTC, or zero if not told
	Target  string    // of a link, if told

	// Facts holds everything that was told, the names in lower case.
	Facts map[string]string
}

// parseEntry reads one line: facts that each end in a semicolon, one space,
// and the name, which may begin with spaces of its own (RFC 3659, Section
// 7.2). Some servers leave out the last semicolon.
func parseEntry(line string) (Entry, error) {
	facts, name, ok := strings.Cut(line, "; ")
	if !ok || strings.HasPrefix(line, " ") {
		facts, name, ok = strings.Cut(line, " ")
	}
	if !ok || name == "" {
		return Entry{}, &ProtocolError{Problem: "a line of a list without a name", Line: shorten(line)}
	}
	e := Entry{Name: name, Size: -1, Facts: make(map[string]string)}
	for fact := range strings.SplitSeq(facts, ";") {
		if fact == "" {
			continue
		}
		key, value, ok := strings.Cut(fact, "=")
		if !ok || key == "" {
			return Entry{}, &ProtocolError{Problem: "a line of a list with a fact that is none", Line: shorten(line)}
		}
		e.Facts[strings.ToLower(key)] = value
	}
	e.Type, e.Target = parseEntryType(e.Facts["type"])
	if n, ok := parseCount(e.Facts["size"]); ok {
		e.Size = n
	}
	if t, ok := parseTime(e.Facts["modify"]); ok {
		e.ModTime = t
	}
	return e, nil
}

// parseEntryType reads the type fact; a link may name its target after a
// colon.
func parseEntryType(value string) (EntryType, string) {
	kind, target, _ := strings.Cut(value, ":")
	return entryTypes[strings.ToLower(kind)], target
}

// parseTime reads YYYYMMDDHHMMSS, perhaps with a fraction, in UTC (RFC 3659,
// Section 2.3). Servers that write the year as 19 and the years since 1900,
// so that 2000 is 19100, are understood.
func parseTime(s string) (time.Time, bool) {
	whole, fraction, dotted := strings.Cut(s, ".")
	if strings.Trim(whole, "0123456789") != "" || dotted && strings.Trim(fraction, "0123456789") != "" {
		return time.Time{}, false
	}
	if len(whole) == len("191000101000000") && strings.HasPrefix(whole, "191") {
		whole = "20" + whole[3:]
	}
	if len(whole) != len("20060102150405") {
		return time.Time{}, false
	}
	leap := strings.HasSuffix(whole, "60")
	if leap { // RFC 3659, Section 2.3: the second may be 60
		whole = whole[:12] + "59"
	}
	t, err := time.Parse("20060102150405", whole)
	if err != nil {
		return time.Time{}, false
	}
	if leap {
		t = t.Add(time.Second)
	}
	if dotted && fraction != "" {
		nano := (fraction + "000000000")[:9]
		n, _ := parseCount(nano)
		t = t.Add(time.Duration(n))
	}
	return t, true
}
