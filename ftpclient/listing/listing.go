package listing

import (
	"bytes"
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

	// Cut reports that the text ends within a line: there may be more.
	Cut bool

	// Flat reports that what is in a directory of this list is not reached by
	// its name, a slash, and the name of what is in it.
	Flat bool
}

// Unknown returns the entries of the lines that were not understood.
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
	l := Listing{Cut: cut(text)}
	lines := split(text)
	var best attempt
	for i := range dialects {
		a := attemptAt(&dialects[i], lines, now)
		if i == 0 || a.unread < best.unread {
			best = a
		}
		if best.unread == 0 {
			break
		}
	}
	l.Entries = best.entries
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
		l.Entries = append(l.Entries, e.checked(line))
	}
	return l
}

func cut(text []byte) bool { return len(text) > 0 && text[len(text)-1] != '\n' }

// split returns the lines of text that are not blank.
func split(text []byte) []string {
	lines := make([]string, 0, bytes.Count(text, []byte("\n"))+1)
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
	entries []Entry
	read    int // lines that were understood as entries
	skipped int // that are none, and known
	unread  int
}

func attemptAt(d *dialect, lines []string, now time.Time) attempt {
	a := attempt{dialect: d, entries: make([]Entry, 0, len(lines))}
	read := d.start(now)
	for len(lines) > 0 {
		e, n := read(lines)
		switch {
		case n == 0:
			e = notUnderstood("a line of a list that cannot be read", lines[0])
			n = 1
			a.unread++
		case e.Name == "":
			a.skipped += n
			lines = lines[n:]
			continue
		default:
			a.read += n
			e = itself(e).checked(strings.Join(lines[:n], "\n"))
		}
		a.entries = append(a.entries, e)
		lines = lines[n:]
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
