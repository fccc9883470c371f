package ftpclient

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A census is the names in one directory, as a list had them.
type census struct {
	dir   string
	taken bool
	names map[string]bool
	alien []string        // those with characters that servers write in different ways
	lower map[string]bool // all, in lower case
	err   error           // why others may be there, or nil
	bare  bool            // names that begin with a dot may be left out
}

// take lists dir, unless that was done before and it need not be fresh; then old is
// true. A refusal is the error; a list that is not known as a whole is noted in
// n.err.
func (n *census) take(ctx context.Context, c *Conn, dir string, fresh bool) (old bool, err error) {
	if n.taken && n.dir == dir && !fresh {
		return true, nil
	}
	*n = census{dir: dir, names: make(map[string]bool), lower: make(map[string]bool)}
	entries, err := c.eitherEntries(ctx, dir)
	var partial *ListError
	switch {
	case errors.As(err, &partial):
		n.err = err
	case err != nil:
		return false, err
	case c.listVerb() != "LIST":
	case isPattern(dir):
		n.err = errPattern
	case len(entries) == 0:
		n.err = errEmpty
	}
	n.taken = true
	n.bare = c.listVerb() == "LIST" && quirksOf(c.greeting).all == ""
	for _, e := range entries {
		if e.Problem != "" || e.Type == EntryCurrent || e.Type == EntryParent {
			continue
		}
		n.names[e.Name] = true
		n.bare = n.bare && e.Name[0] != '.'
		n.lower[strings.ToLower(strings.TrimSpace(e.Name))] = true
		if isAlien(e.Name) {
			n.alien = append(n.alien, e.Name)
		}
	}
	return false, nil
}

// alike reports whether a name in the list may be meant by name although it is
// spelled otherwise: in other letters, without the spaces around it, in another
// character set or form of Unicode, or with something else for what the server
// cannot write.
func (n *census) alike(name string) bool {
	if n.lower[strings.ToLower(strings.TrimSpace(name))] {
		return true
	}
	if !isAlien(name) {
		return slices.ContainsFunc(n.alien, func(other string) bool { return similar(name, other) })
	}
	for other := range n.names {
		if similar(name, other) {
			return true
		}
	}
	return false
}

// isAlien reports whether a name has characters that servers write in different
// ways, or the one that they write instead.
func isAlien(name string) bool { return !isASCII(name) || strings.Contains(name, "?") }

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// similar reports whether two names could be the same. Of two in UTF-8 the
// characters that have several forms are not known: without those, one has to be
// within the other, in order, and the other to have no more than could stand for
// them. Where one is in something else, or the other has a question mark or an
// underscore for what the server cannot write, all but ASCII is not known.
func similar(a, b string) bool {
	vague := isASCII(a) || isASCII(b) || !utf8.ValidString(a) || !utf8.ValidString(b)
	x, dropped := certain(a, vague)
	y, others := certain(b, vague)
	if vague {
		return slices.Equal(x, y)
	}
	if len(x) > len(y) {
		x, y, dropped = y, x, others
	}
	i := 0
	for _, r := range y {
		if i < len(x) && x[i] == r {
			i++
		}
	}
	return i == len(x) && len(y)-len(x) <= dropped
}

// certain returns the characters of a name that are known, in lower case, and how
// many are not.
func certain(name string, vague bool) (known []rune, dropped int) {
	for _, r := range name {
		if r < ' ' || r == '?' || vague && (r == '_' || r > '~') || composed(r) {
			dropped++
			continue
		}
		known = append(known, unicode.ToLower(r))
	}
	return known, dropped
}

// composed reports whether a character may be written as another one with a mark,
// or is such a mark: Latin, Greek and Cyrillic with accents, Hangul, voiced kana.
func composed(r rune) bool {
	switch {
	case r <= '~':
		return false
	case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Hangul, r):
		return true
	case unicode.Is(unicode.Latin, r), unicode.Is(unicode.Greek, r), unicode.Is(unicode.Hiragana, r), unicode.Is(unicode.Katakana, r):
		return true
	case unicode.Is(unicode.Cyrillic, r):
		return r < 'А' || r > 'я' || r == 'й' || r == 'Й'
	default:
		return false
	}
}

// isPattern reports whether servers may take a directory for a pattern, or leave out
// a part of it, when they list it by LIST.
func isPattern(dir string) bool {
	return strings.ContainsAny(dir, "*?[]{}~\\") || strings.TrimSpace(dir) != dir
}
