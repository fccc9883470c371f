package main

import (
	"errors"
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/listing"
)

func TestGlobMatches(t *testing.T) {
	tests := []struct {
		glob    string
		matches string // names, with spaces between
		not     string
	}{
		{"*", "a ab [ * ü \xff", ".a ..."},
		{".*", ".a ... .", "a"},
		{"?", "a ü \xff *", "ab . \xff\xfe"},
		{"a*b*c", "abc aXbYc abcbc a*b*c", "ab abcd xabc"},
		{"*.txt", "a.txt a.txt.txt", "a.txt.gz .txt"},
		{"[ab]", "a b", "c ab [ab] "},
		{"[!ab]", "c ü \xff ! ]", "a b . cc"},
		{"[^ab]", "c !", "a b ."},
		{"[a-c]x", "ax bx cx", "dx -x"},
		{"[c-a]", "", "a b c -"},
		{"[a-]", "a -", "b"},
		{"[-a]", "a -", "b"},
		{"[]a]", "] a", "b []a]"},
		{"[!]a]", "b", "] a"},
		{"[.]a", "", ".a"},
		{"[à-ü]", "ü é", "a u"},
		{"[%FE-%FF]", "\xfe \xff", "\xfd a ÿ"},
		{"%FF*", "\xff \xffa", "\xfe \xfea \xef\xbf\xbd"},
		{"[", "[", "a"},
		{"[a", "[a", "a"},
		{"[*", "[ [abc", "a"},
		{"%2A", "*", "a"},
		{"%3f*", "?a", "a ab"},
		{"%5Bab]", "[ab]", "a"},
		{"[%5D]", "]", "["},
		{"[a%2Dc]", "a - c", "b"},
		{"[%21a]", "! a", "b"},
		{"a%", "a%", "a"},
		{"a%z?", "a%zb", "a%z"},
		{"**", "a ab", ".a"},
		{`\*`, `\ \a`, "*"},
		{"{a,b}", "{a,b}", "a b"},
	}
	for _, tt := range tests {
		g := parseGlob(tt.glob)
		if len(g) != 1 {
			t.Errorf("%s has %d names", tt.glob, len(g))
			continue
		}
		for name := range strings.FieldsSeq(tt.matches) {
			if !g[0].matches(name) {
				t.Errorf("%s does not match %q", tt.glob, name)
			}
		}
		for name := range strings.FieldsSeq(tt.not) {
			if g[0].matches(name) {
				t.Errorf("%s matches %q", tt.glob, name)
			}
		}
	}
}

// A glob is expanded directory by directory, and says what could not be listed.
func TestGlobExpand(t *testing.T) {
	entry := func(name string, kind ftpclient.EntryType) ftpclient.Entry {
		return ftpclient.Entry{Name: name, Type: kind}
	}
	denied := errors.New("denied")
	lists := map[string][]ftpclient.Entry{
		"": {
			entry("b", ftpclient.EntryDir), entry("a", ftpclient.EntryDir), entry("ab", ftpclient.EntryFile),
			entry("link", ftpclient.EntryLink), entry(".", ftpclient.EntryCurrent), entry("what", ftpclient.EntryUnknown),
		},
		"a":     {entry("x", ftpclient.EntryFile), entry("..", ftpclient.EntryDir), entry("sub/../y", ftpclient.EntryFile)},
		"link":  {entry("x", ftpclient.EntryFile)},
		"/":     {entry("etc", ftpclient.EntryDir)},
		"/etc":  {entry("motd", ftpclient.EntryFile)},
		"lit/d": {entry("*", ftpclient.EntryFile), entry("y", ftpclient.EntryFile)},
	}
	tests := []struct {
		glob   string
		paths  string // with spaces between
		doubts string
	}{
		{"a*", "a ab", ""},
		{"a*/", "a/", ""},
		{"*/x", "a/x link/x", "b"},
		{"*/*", "a/x link/x", "a b"},
		{"%2F*", "/etc", ""},
		{"%2F*/m*", "/etc/motd", ""},
		{"%2f%65tc%2Fm*", "/etc/motd", ""},
		{"lit/d/*", "lit/d/*", ""},
		{"lit/d/?", "lit/d/* lit/d/y", ""},
		{"none/*", "", "none"},
		{"a/x/*", "", "a/x"},
	}
	for _, tt := range tests {
		var doubts []string
		found, err := parseGlob(tt.glob).expand(func(dir string) ([]ftpclient.Entry, error) {
			if entries, ok := lists[dir]; ok {
				return entries, nil
			}
			return nil, denied
		}, func(dir string, _ error) { doubts = append(doubts, dir) })
		var paths []string
		for _, m := range found {
			paths = append(paths, m.path)
		}
		slices.Sort(doubts)
		if err != nil || strings.Join(paths, " ") != tt.paths || strings.Join(doubts, " ") != tt.doubts {
			t.Errorf("%s: %q, %v, doubts %q", tt.glob, paths, err, doubts)
		}
	}
}

// A server cannot make a glob stand for any number of names.
func TestGlobTooMany(t *testing.T) {
	many := make([]ftpclient.Entry, 400)
	for i := range many {
		many[i] = ftpclient.Entry{Name: string(rune('a' + i)), Type: ftpclient.EntryDir}
	}
	_, err := parseGlob("*/*/*").expand(func(string) ([]ftpclient.Entry, error) { return many, nil }, func(string, error) {})
	if err == nil || !strings.Contains(err.Error(), "more than 100000") {
		t.Errorf("got %v", err)
	}
}

// Whatever is in a URL and in the lists of a server: a glob stands for names in
// the directories that were listed, and a name that is encoded for itself.
func FuzzGlob(f *testing.F) {
	f.Add("dir/*.txt", "a.txt\nb\n..\na/b")
	f.Add("%2Fa/[!a-c]?/", "xy\n.x\n\xff")
	f.Add("[]-%5d]*", "]\n-\n[]-]x")
	f.Add("*%2e./..", "..\n.\n\x1b")
	f.Add("a%", "a%\na")
	f.Fuzz(func(t *testing.T, text, list string) {
		names := strings.Split(list, "\n")
		if len(names) > 6 || strings.Count(strings.ToLower(text), "/")+strings.Count(strings.ToLower(text), "%2f") > 4 || len(text) > 200 {
			t.Skip()
		}
		g := parseGlob(text)
		if decoded, err := url.PathUnescape(text); err == nil {
			var parts []string
			for _, n := range g {
				parts = append(parts, n.name)
			}
			if joined := strings.Join(parts, "/"); joined != decoded {
				t.Fatalf("%q is of the names %q, not %q", text, joined, decoded)
			}
		}
		entries := make([]ftpclient.Entry, len(names))
		for i, name := range names {
			entries[i] = ftpclient.Entry{Name: name, Type: ftpclient.EntryType(i % 4)}
			checkLiteral(t, name)
			checkPlain(t, text, name)
		}
		if !g.isGlob() {
			return
		}
		var dirs []string
		found, err := g.expand(func(dir string) ([]ftpclient.Entry, error) {
			dirs = append(dirs, dir)
			return entries, nil
		}, func(string, error) {})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range found {
			dir, name := splitPath(strings.TrimSuffix(m.path, "/"))
			if strings.HasPrefix(m.path, "/") && dir == "" {
				dir = "/"
			}
			if !slices.Contains(dirs, dir) || !slices.Contains(names, name) || listing.NameProblem(name) != "" {
				t.Fatalf("%q with %q gives %q", text, names, m.path)
			}
			if rest, ok := strings.CutPrefix(m.path, g.prefix()); !ok || strings.Count(rest, "/") != strings.Count(m.path, "/")-strings.Count(g.prefix(), "/") {
				t.Fatalf("%q gives %q", text, m.path)
			}
			if strings.Count(m.path, "/") != len(g)-1 {
				t.Fatalf("%q gives %q, with another number of names", text, m.path)
			}
		}
	})
}

// checkLiteral makes sure that a name that is encoded is itself, and that * is
// it.
func checkLiteral(t *testing.T, name string) {
	if strings.Contains(name, "/") {
		return
	}
	g := parseGlob(url.PathEscape(name))
	if g.isGlob() || len(g) != 1 || g[0].name != name || !g[0].matches(name) || g[0].matches(name+"x") {
		t.Fatalf("%q is not itself", name)
	}
	for _, pattern := range []string{"*", url.PathEscape(name) + "*", "*" + url.PathEscape(name)} {
		hidden := strings.HasPrefix(name, ".") && pattern[0] == '*'
		if got := parseGlob(pattern)[0].matches(name); got == hidden {
			t.Fatalf("%q: that %s matches is %v", name, pattern, got)
		}
	}
}

// checkPlain compares with [path.Match] what both read alike.
func checkPlain(t *testing.T, pattern, name string) {
	if strings.ContainsAny(pattern+name, `%/[\`) || strings.ContainsFunc(pattern+name, func(r rune) bool { return r >= 0x80 }) {
		return
	}
	want, err := path.Match(pattern, name)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(name, ".") && !strings.HasPrefix(pattern, ".") {
		want = false
	}
	if got := parseGlob(pattern)[0].matches(name); got != want {
		t.Fatalf("that %q matches %q is %v", pattern, name, got)
	}
}
