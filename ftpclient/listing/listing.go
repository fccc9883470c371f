package listing

import (
	"strings"
	"time"
)

// A Listing is what was read of a list.
type Listing struct {
	// Dialect is that of a list by LIST, or empty if there is no line that
	// was understood.
	Dialect Dialect

	// Entries are in the order of the server, those with a Problem among
	// them. The directory itself and its parent, if listed, are [Current] and
	// [Parent].
	Entries []Entry

	// Unread is how many lines were not understood. The first thousand of them
	// are among Entries.
	Unread int

	// Cut reports that the text ends within a line: there may be more.
	Cut bool

	// Flat reports that what is in a directory of this list is not reached by
	// its name, a slash, and the name of what is in it.
	Flat bool
}

// maxUnknown is of how many lines that are not understood there are entries: a
// server could send any number.
const maxUnknown = 1000

// Unknown returns the entries of lines that were not understood.
func (l *Listing) Unknown() []Entry {
	var found []Entry
	for _, e := range l.Entries {
		if e.Name == "" && e.Problem != "" {
			found = append(found, e)
		}
	}
	return found
}

// Parse reads a list by LIST. Lines end in LF, with a CR before it or without.
// now tells the year where the list leaves it out. text is not kept.
func Parse(text []byte, now time.Time) Listing {
	lines := split(text)
	best := attemptAt(&dialects[0], lines, now, true)
	for i := 1; best.unread > 0 && i < len(dialects); i++ {
		if a := attemptAt(&dialects[i], lines, now, false); a.unread < best.unread {
			best = a
		}
	}
	if best.entries == nil {
		best = attemptAt(best.dialect, lines, now, true)
	}
	l := Listing{Entries: best.entries, Unread: best.unread, Cut: cut(text)}
	if best.read > 0 {
		l.Dialect, l.Flat = best.dialect.name, best.dialect.flat
	}
	return l
}

// ParseFacts reads a list by MLSD (RFC 3659, Section 7). Lines end as in
// [Parse].
func ParseFacts(text []byte) Listing {
	l := Listing{Cut: cut(text)}
	for _, line := range split(text) {
		e := ParseEntry(line)
		if e.Name == "" {
			if l.Unread++; l.Unread > maxUnknown {
				continue
			}
		}
		l.Entries = append(l.Entries, e.checked(line))
	}
	return l
}

func cut(text []byte) bool { return len(text) > 0 && text[len(text)-1] != '\n' }

// split returns the lines of text that are not blank.
func split(text []byte) []string {
	var lines []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if strings.Trim(line, " \t") != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// An attempt is a list as it reads in one dialect.
type attempt struct {
	dialect *dialect
	entries []Entry // not nil, if they are kept
	read    int     // lines that were understood as entries
	skipped int     // that are none, and known
	unread  int
}

func attemptAt(d *dialect, lines []string, now time.Time, keep bool) attempt {
	a := attempt{dialect: d}
	if keep {
		a.entries = []Entry{}
	}
	read := d.start(now)
	for len(lines) > 0 {
		e, n := read(lines)
		first := lines[:max(n, 1)]
		lines = lines[len(first):]
		switch {
		case n == 0:
			if a.unread++; a.unread > maxUnknown {
				continue
			}
			e = notUnderstood("a line of a list that cannot be read", first[0])
		case e.Name == "":
			a.skipped += n
			continue
		default:
			a.read += n
		}
		if keep {
			a.entries = append(a.entries, itself(e).checked(strings.Join(first, "\n")))
		}
	}
	if d.finish != nil {
		d.finish(a.entries)
	}
	return a
}

// itself gives the directory itself, and its parent, types of their own.
func itself(e Entry) Entry {
	switch {
	case e.Type != Dir && e.Type != Link:
	case e.Name == ".":
		e.Type = Current
	case e.Name == "..":
		e.Type = Parent
	}
	return e
}
