package main

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A glob is the path of a URL in which *, ? and [...] stand for names that the
// server lists, as in the shell. What is percent-encoded stands for itself.
type glob []globName

// A globName is what is between two slashes of a glob.
type globName struct {
	name    string    // decoded
	pattern []element // nil if it is a name and nothing else
}

// An element is what one character of a name, or any number of them, has to be.
type element struct {
	kind    byte // '*', '?', '[', or 0 for char itself
	char    rune // as chars has it
	ranges  [][2]rune
	negated bool
}

// parseGlob reads the path of a URL, behind the first slash and without
// ";type=". Of what ParseURL refuses it makes something that matches nothing
// or too little.
func parseGlob(path string) glob {
	var g glob
	var name []byte
	var encoded []bool // those of name that were
	for i := 0; i < len(path); i++ {
		b, escaped := path[i], false
		if b == '%' && i+2 < len(path) {
			high, low := hexDigit(path[i+1]), hexDigit(path[i+2])
			if high >= 0 && low >= 0 {
				b, escaped = byte(high<<4|low), true
				i += 2
			}
		}
		if b == '/' {
			g = append(g, parseGlobName(string(name), encoded))
			name, encoded = nil, nil
			continue
		}
		name, encoded = append(name, b), append(encoded, escaped)
	}
	return append(g, parseGlobName(string(name), encoded))
}

func hexDigit(b byte) int {
	if 'A' <= b && b <= 'F' {
		b += 'a' - 'A'
	}
	return strings.IndexByte("0123456789abcdef", b)
}

// parseGlobName reads one name. A bracket without its pair stands for itself.
func parseGlobName(name string, encoded []bool) globName {
	text, offsets := chars(name)
	special := func(i int, c rune) bool { return i < len(text) && text[i] == c && !encoded[offsets[i]] }
	var p []element
	found := false
	for i := 0; i < len(text); i++ {
		e := element{char: text[i]}
		switch {
		case special(i, '*'), special(i, '?'):
			e.kind = byte(text[i])
		case special(i, '['):
			if class, after, ok := parseClass(text, i+1, special); ok {
				e, i = class, after-1
			}
		}
		found = found || e.kind != 0
		p = append(p, e)
	}
	if !found {
		p = nil
	}
	return globName{name, p}
}

// parseClass reads a class from behind its first bracket, and tells what is
// behind its last. A bracket right at the start is one of the class.
func parseClass(text []rune, i int, special func(int, rune) bool) (class element, after int, ok bool) {
	class.kind = '['
	if special(i, '!') || special(i, '^') {
		class.negated = true
		i++
	}
	for first := true; i < len(text); first = false {
		if special(i, ']') && !first {
			return class, i + 1, true
		}
		low, high := text[i], text[i]
		i++
		if special(i, '-') && i+1 < len(text) && !special(i+1, ']') {
			high = text[i+1]
			i += 2
		}
		class.ranges = append(class.ranges, [2]rune{low, high})
	}
	return element{}, 0, false
}

// chars returns the characters of a name, and where they begin. A byte that is
// not of UTF-8 is a character of its own, beyond those of Unicode.
func chars(name string) (text []rune, offsets []int) {
	for i := 0; i < len(name); {
		r, size := utf8.DecodeRuneInString(name[i:])
		if r == utf8.RuneError && size == 1 {
			r = utf8.MaxRune + 1 + rune(name[i])
		}
		text, offsets = append(text, r), append(offsets, i)
		i += size
	}
	return text, offsets
}

// matches reports whether the name of an entry is one that g stands for. One
// that begins with a dot is only if g does.
func (g globName) matches(name string) bool {
	if g.pattern == nil {
		return name == g.name
	}
	if strings.HasPrefix(name, ".") && (g.pattern[0].kind != 0 || g.pattern[0].char != '.') {
		return false
	}
	text, _ := chars(name)
	// At each * it is enough to go back to the last one.
	star, from := -1, 0
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(g.pattern) && g.pattern[p].kind == '*':
			star, from = p, t
			p++
		case p < len(g.pattern) && g.pattern[p].takes(text[t]):
			p++
			t++
		case star >= 0:
			from++
			p, t = star+1, from
		default:
			return false
		}
	}
	return !slices.ContainsFunc(g.pattern[p:], func(e element) bool { return e.kind != '*' })
}

// takes reports whether e, which is no '*', stands for c.
func (e element) takes(c rune) bool {
	switch e.kind {
	case '?':
		return true
	case '[':
		within := slices.ContainsFunc(e.ranges, func(r [2]rune) bool { return r[0] <= c && c <= r[1] })
		return within != e.negated
	default:
		return e.char == c
	}
}

// isGlob reports whether any name of g stands for others.
func (g glob) isGlob() bool {
	return slices.ContainsFunc(g, func(n globName) bool { return n.pattern != nil })
}
