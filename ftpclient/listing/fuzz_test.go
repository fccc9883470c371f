package listing

import (
	"reflect"
	"strings"
	"testing"
)

// check tells whether entries are what they may be, whatever a server sends.
func check(t *testing.T, entries []Entry, text string) {
	t.Helper()
	for _, e := range entries {
		switch {
		case e.Problem != "" && (e.Line == "" || !contains(text, e.Line)):
			t.Errorf("a problem with %q, which is no line of the list", e.Line)
		case e.Problem == "" && e.Line != "":
			t.Errorf("the line %q without a problem", e.Line)
		case e.Name == "" && (e.Problem == "" || e.Type != Unknown || e.Size != -1):
			t.Errorf("an entry without a name: %+v", e)
		case e.Problem == "" && e.Type != Current && e.Type != Parent && NameProblem(e.Name) != "":
			t.Errorf("the name %q passes", e.Name)
		case !strings.Contains(text, e.Name) || !strings.Contains(text, e.Target):
			t.Errorf("%q and %q are not in the list", e.Name, e.Target)
		}
		if e.Size < -1 || e.Mode < -1 || e.Mode > 0o7777 || e.Path != "" || int(e.Type) >= len(typeNames) {
			t.Errorf("%+v", e)
		}
		if (e.Precision == 0) != e.ModTime.IsZero() && e.ModTime.Year() > 1 || e.ModTime.Year() > 10000 || e.Precision > aDay {
			t.Errorf("time %v to %v", e.ModTime, e.Precision)
		}
	}
}

// contains reports whether line is in text, whose lines may end in CR LF.
func contains(text, line string) bool {
	return strings.Contains(text, line) || strings.Contains(strings.ReplaceAll(text, "\r\n", "\n"), line) ||
		strings.Contains(strings.ReplaceAll(text, "\n", ""), strings.ReplaceAll(line, "\n", ""))
}

// Each line of a list is an entry, or part of one, or known to be none, in
// whichever dialect; nothing is lost, and what is read is read so again.
func FuzzParse(f *testing.F) {
	for _, text := range lists(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		lines := split(text)
		for i := range dialects {
			a := attemptAt(&dialects[i], lines, today, true)
			if a.read+a.skipped+a.unread != len(lines) {
				t.Errorf("%s: %d lines read, %d skipped, %d not read, of %d", a.dialect.name, a.read, a.skipped, a.unread, len(lines))
			}
			if again := attemptAt(&dialects[i], lines, today, false); again.entries != nil || again.unread != a.unread {
				t.Errorf("%s: %d entries kept, %d lines not read, %d before", a.dialect.name, len(again.entries), again.unread, a.unread)
			}
			if unknown := min(a.unread, maxUnknown); len(a.entries) > a.read+unknown || len(a.entries) < unknown+a.read/2 {
				t.Errorf("%s: %d entries of %d lines read and %d not read", a.dialect.name, len(a.entries), a.read, a.unread)
			}
		}
		l := Parse(text, today)
		check(t, l.Entries, string(text))
		if again := Parse(text, today); !reflect.DeepEqual(l, again) {
			t.Errorf("%+v, and again %+v", l, again)
		}
		if (l.Dialect == "") != (len(l.Entries) == len(l.Unknown())) {
			t.Errorf("dialect %q, %d entries, %d unknown", l.Dialect, len(l.Entries), len(l.Unknown()))
		}
	})
}

// A line of facts is an entry whose name is the end of the line, or unknown.
func FuzzParseFacts(f *testing.F) {
	for path, text := range lists(f) {
		if strings.Contains(path, "mlsd") {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		l := ParseFacts(text)
		check(t, l.Entries, string(text))
		lines := split(text)
		if l.Unread > maxUnknown {
			return
		}
		if len(l.Entries) != len(lines) {
			t.Fatalf("%d entries of %d lines", len(l.Entries), len(lines))
		}
		for i, e := range l.Entries {
			if e.Name == "" {
				continue
			}
			if !strings.HasSuffix(lines[i], " "+e.Name) || len(e.Facts) == 0 {
				t.Errorf("%q: %+v", lines[i], e)
			}
			for key := range e.Facts {
				if key == "" || key != lower(key) || strings.ContainsAny(key, ";=") {
					t.Errorf("%q: fact %q", lines[i], key)
				}
			}
		}
	})
}
