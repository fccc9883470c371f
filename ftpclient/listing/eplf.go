package listing

import (
	"strconv"
	"strings"
	"time"
)

// parseEPLF reads Bernstein's format, which says all that is needed:
//
//	+i8388621.48594,m825718503,r,s280,up644,<TAB>name
//
// The letters tell an identifier, the time in seconds since 1970, that it can
// be retrieved, or (/) changed into, the size, and the mode.
func parseEPLF(line string) (Entry, bool) {
	facts, name, ok := strings.Cut(line, "\t")
	if !ok || !strings.HasPrefix(facts, "+") || name == "" {
		return Entry{}, false
	}
	e := newEntry(name, Unknown)
	e.Facts = make(map[string]string)
	for fact := range strings.SplitSeq(facts[1:], ",") {
		if fact != "" && !e.useEPLF(fact[0], fact[1:]) {
			return Entry{}, false
		}
	}
	return e, true
}

// useEPLF takes one fact. Those that it does not know are kept.
func (e *Entry) useEPLF(key byte, value string) (ok bool) {
	switch key {
	case 'r':
		e.Type = File
	case '/':
		e.Type = Dir
	case 's':
		if e.Size, ok = parseCount(value); !ok {
			return false
		}
	case 'm':
		seconds, ok := parseCount(value)
		if !ok || seconds > maxEpoch {
			return false
		}
		e.ModTime, e.Precision, e.UTC = time.Unix(seconds, 0).UTC(), time.Second, true
	case 'i':
		e.Facts["unique"] = value
		return true
	case 'u':
		if octal, ok := strings.CutPrefix(value, "p"); ok {
			if mode, err := strconv.ParseUint(octal, 8, 16); err == nil {
				e.Mode = int(mode & 0o7777)
			}
		}
	}
	e.Facts[string(key)] = value
	return true
}

// maxEpoch is the last second of the year 9999.
const maxEpoch = 253402300799
