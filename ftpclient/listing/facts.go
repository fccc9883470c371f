package listing

import (
	"strconv"
	"strings"
	"time"
)

// factTypes holds the values of the type fact in lower case (RFC 3659,
// Section 7.5.1; the OS.unix ones are what servers use beyond it).
var factTypes = map[string]Type{
	"file":            File,
	"dir":             Dir,
	"cdir":            Current,
	"pdir":            Parent,
	"os.unix=slink":   Link,
	"os.unix=symlink": Link,
	"os.unix=socket":  Special,
	"os.unix=fifo":    Special,
	"os.unix=pipe":    Special,
	"os.unix=sock":    Special,
}

// factDevices are what the value begins with for a device; its numbers follow.
var factDevices = []string{"os.unix=chr", "os.unix=blk", "os.unix=block", "os.unix=char", "os.unix=device"}

// ParseEntry reads one line of MLSD, or of MLST without the space before it:
// facts that each end in a semicolon, one space, and the name, which may begin
// with spaces of its own (RFC 3659, Section 7.2). Some servers leave out the
// last semicolon. A line without facts is not understood. The name is not
// checked: in an answer to MLST, and for [Current] and [Parent], it is a path.
func ParseEntry(line string) Entry {
	facts, name := splitFacts(line)
	switch {
	case name == "":
		return notUnderstood("a line of a list without a name", line)
	case facts == "":
		return notUnderstood("a line of a list without facts", line)
	}
	e := newEntry(name, Unknown)
	e.Facts = make(map[string]string, 8)
	for fact := range strings.SplitSeq(facts, ";") {
		if fact == "" {
			continue
		}
		key, value, ok := strings.Cut(fact, "=")
		if !ok || key == "" {
			return notUnderstood("a line of a list with a fact that is none", line)
		}
		e.Facts[lower(key)] = value
	}
	e.useFacts()
	return e
}

// splitFacts parts the facts from the name, at the first space. Only the
// target of a link may hold one before that, if its semicolon is there.
func splitFacts(line string) (facts, name string) {
	facts, name, _ = strings.Cut(line, " ")
	if strings.HasSuffix(facts, ";") {
		return strings.Trim(facts, ";"), name
	}
	last := facts[strings.LastIndexByte(facts, ';')+1:]
	if kind, _, _ := strings.Cut(lower(last), "link:"); kind != lower(last) {
		if facts, name, ok := strings.Cut(line, "; "); ok {
			return facts, name
		}
	}
	return facts, name
}

// useFacts fills in what the facts say. A value that makes no sense counts as
// not told.
func (e *Entry) useFacts() {
	e.Type, e.Target = parseFactType(e.Facts["type"])
	if n, ok := parseCount(e.Facts["size"]); ok {
		e.Size = n
	}
	if t, precision, ok := ParseTime(e.Facts["modify"]); ok {
		e.ModTime, e.Precision, e.UTC = t, precision, true
	}
	if mode, err := strconv.ParseUint(e.Facts["unix.mode"], 8, 16); err == nil {
		e.Mode = int(mode & 0o7777)
	}
	e.Owner = first(e.Facts, "unix.ownername", "unix.owner", "unix.uid")
	e.Group = first(e.Facts, "unix.groupname", "unix.group", "unix.gid")
}

// first returns the value of the first of the names that is there.
func first(facts map[string]string, names ...string) string {
	for _, name := range names {
		if value := facts[name]; value != "" {
			return value
		}
	}
	return ""
}

// parseFactType reads the type fact. A link may name its target after a colon.
func parseFactType(value string) (Type, string) {
	kind, target, _ := strings.Cut(value, ":")
	kind = lower(kind)
	if t, ok := factTypes[kind]; ok {
		if t != Link {
			target = ""
		}
		return t, target
	}
	for _, device := range factDevices {
		if strings.HasPrefix(kind, device) {
			return Special, ""
		}
	}
	return Unknown, ""
}

// ParseTime reads YYYYMMDDHHMMSS, perhaps with a fraction, in UTC (RFC 3659,
// Section 2.3), and tells what it is cut to. Servers that write the year as 19
// and the years since 1900, so that 2000 is 19100, are understood.
func ParseTime(s string) (t time.Time, precision time.Duration, ok bool) {
	whole, fraction, dotted := strings.Cut(s, ".")
	if len(whole) == len("191000101000000") && strings.HasPrefix(whole, "191") {
		whole = "20" + whole[3:]
	}
	if len(whole) != len("20060102150405") || !digits(whole) {
		return time.Time{}, 0, false
	}
	m := moment{precision: time.Second}
	for i, part := range []*int{&m.month, &m.day, &m.hour, &m.min, &m.sec} {
		*part, _ = parseSmall(whole[4+2*i:6+2*i], 2)
	}
	m.year, _ = parseSmall(whole[:4], 4)
	if dotted {
		if m.ns, m.precision, ok = parseFraction(fraction); !ok {
			return time.Time{}, 0, false
		}
	}
	if t, ok = m.time(time.Time{}); !ok {
		return time.Time{}, 0, false
	}
	return t, m.precision, true
}
