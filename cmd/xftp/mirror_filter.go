package main

import (
	"strings"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/seed-54eb6215/xftp/ftpclient/mirror"
)

// A pathFilter is what --include and --exclude make of paths.
type pathFilter struct{ include, exclude []pathGlob }

// A pathGlob is one glob of them. ** stands for any number of directories.
type pathGlob struct {
	pattern string
	dirOnly bool // it had a slash at its end
}

// parsePathGlob reads a glob. Without a slash before its last character it is
// for names anywhere in the tree, with one for paths from its top.
func parsePathGlob(glob string) (pathGlob, error) {
	text := strings.TrimSuffix(glob, "/")
	g := pathGlob{pattern: text, dirOnly: text != glob}
	if strings.Contains(text, "/") {
		g.pattern = strings.TrimPrefix(text, "/")
	} else {
		g.pattern = "**/" + text
	}
	g.pattern = distinct(g.pattern)
	switch {
	case text == "" || g.pattern == "":
		return g, usagef("%q: a glob that names nothing", glob)
	case !doublestar.ValidatePattern(g.pattern):
		return g, usagef("%q: a bracket, a brace or a backslash without what follows it", glob)
	}
	return g, nil
}

func newPathFilter(include, exclude []string) (f pathFilter, err error) {
	for _, list := range []struct {
		globs []string
		to    *[]pathGlob
	}{{include, &f.include}, {exclude, &f.exclude}} {
		for _, glob := range list.globs {
			g, err := parsePathGlob(glob)
			if err != nil {
				return f, err
			}
			*list.to = append(*list.to, g)
		}
	}
	return f, nil
}

func (g pathGlob) matches(path string, isDir bool) bool {
	return (isDir || !g.dirOnly) && doublestar.MatchUnvalidated(g.pattern, distinct(path))
}

// firstAlien is where the characters begin that stand for bytes that are not of
// UTF-8. They are the last of those that Unicode leaves to private use.
const firstAlien = utf8.MaxRune - 0xff

// distinct returns text with each byte that is not of UTF-8 as a character of its
// own: doublestar takes all of them for the same.
func distinct(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 {
			r = firstAlien + rune(text[i])
		}
		b.WriteRune(r)
		i += size
	}
	return b.String()
}

func matchesAny(globs []pathGlob, path string, isDir bool) bool {
	for _, g := range globs {
		if g.matches(path, isDir) {
			return true
		}
	}
	return false
}

// scope says whether a path takes part: it does not if it is excluded, or is in
// a directory that is; and where something is included, only if it is that, or is
// in a directory that is.
func (f *pathFilter) scope(path string, isDir bool) mirror.Scope {
	included := len(f.include) == 0
	for i := range len(path) + 1 {
		if i < len(path) && path[i] != '/' {
			continue
		}
		dir := isDir || i < len(path)
		if matchesAny(f.exclude, path[:i], dir) {
			return mirror.Outside
		}
		included = included || matchesAny(f.include, path[:i], dir)
	}
	switch {
	case included:
		return mirror.Inside
	case isDir:
		return mirror.Through
	default:
		return mirror.Outside
	}
}
