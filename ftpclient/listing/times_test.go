package listing

import (
	"strings"
	"testing"
	"time"
)

// A date without a year is the last one that is not in the future, and tomorrow
// may be another zone's today.
func TestYear(t *testing.T) {
	for _, tt := range []struct{ now, text, want string }{
		{"2024-03-10T12:00:00Z", "Mar 10 11:59", "2024-03-10T11:59:00Z"},
		{"2024-03-10T12:00:00Z", "Mar 11 11:59", "2024-03-11T11:59:00Z"},
		{"2024-03-10T12:00:00Z", "Mar 11 12:00", "2023-03-11T12:00:00Z"},
		{"2024-03-10T12:00:00Z", "Mar 12 00:00", "2023-03-12T00:00:00Z"},
		{"2024-03-10T12:00:00Z", "Feb 29 12:00", "2024-02-29T12:00:00Z"},
		{"2025-02-10T12:00:00Z", "Feb 29 12:00", "2024-02-29T12:00:00Z"},
		{"2024-02-28T13:00:00Z", "Feb 29 12:00", "2024-02-29T12:00:00Z"},
		{"2024-02-28T11:00:00Z", "Feb 29 12:00", "2020-02-29T12:00:00Z"},
		{"2103-12-31T00:00:00Z", "Feb 29 12:00", "2096-02-29T12:00:00Z"}, // 2100 has no such day
		{"2023-12-31T23:30:00Z", "Jan  1 00:30", "2024-01-01T00:30:00Z"},
		{"2024-01-01T00:30:00Z", "Dec 31 23:30", "2023-12-31T23:30:00Z"},
		{"2024-03-10T12:00:00Z", "Feb 30 12:00", ""},
		{"2024-03-10T12:00:00Z", "Feb 29 2023", ""},
		{"2024-03-10T12:00:00Z", "Feb 29 2000", "2000-02-29T00:00:00Z"},
		{"2024-03-10T12:00:00Z", "Feb 29 1900", ""},
		{"2024-03-10T12:00:00Z", "Mar 9 1:02", "2024-03-09T01:02:00Z"},
		{"2024-03-10T12:00:00Z", "Mar 9 1:2", ""},
		{"2024-03-10T12:00:00Z", "Mar 0 10:00", ""},
		{"2024-03-10T12:00:00Z", "Mar 9 23", ""},
		{"2024-03-10T12:00:00Z", "2024-02-29 23:59:60 +0000", "2024-03-01T00:00:00Z"},
		{"2024-03-10T12:00:00Z", "2024-02-29 01:00:00 +0200", "2024-02-28T23:00:00Z"},
		{"2024-03-10T12:00:00Z", "2024-02-29 23:59:61", ""},
		{"2024-03-10T12:00:00Z", "2024--02-29", ""},
		{"2024-03-10T12:00:00Z", "2024-02/29", ""},
	} {
		now, err := time.Parse(time.RFC3339, tt.now)
		if err != nil {
			t.Fatal(err)
		}
		f := words(tt.text)
		_, when, used := parseDate(f, now)
		if got := when.Format(time.RFC3339); (used == len(f)) != (tt.want != "") || tt.want != "" && got != tt.want {
			t.Errorf("%s, today %s: %s, %d words; want %s", tt.text, tt.now, got, used, tt.want)
		}
	}
}

func TestParseTime(t *testing.T) {
	for text, want := range map[string]struct {
		time      string
		precision time.Duration
	}{
		"20240229123456":             {"2024-02-29T12:34:56Z", time.Second},
		"20240229123456.":            {"2024-02-29T12:34:56Z", time.Second},
		"20240229123456.5":           {"2024-02-29T12:34:56.5Z", 100 * time.Millisecond},
		"20240229123456.123456789":   {"2024-02-29T12:34:56.123456789Z", 1},
		"20240229123456.12345678999": {"2024-02-29T12:34:56.123456789Z", 1},
		"191000229123456":            {"2000-02-29T12:34:56Z", time.Second},
		"19991231235960":             {"2000-01-01T00:00:00Z", time.Second},
		"20230229123456":             {},
		"20240229243456":             {},
		"20240229123456.x":           {},
		"2024022912345":              {},
		"202402291234567":            {},
		"":                           {},
	} {
		got, precision, ok := ParseTime(text)
		if ok != (want.time != "") || ok && (got.Format(time.RFC3339Nano) != want.time || precision != want.precision) {
			t.Errorf("%q: %v, %v, %v; want %+v", text, got, precision, ok, want)
		}
	}
}

// No word is dropped from the table because two languages disagree, and all
// alphabets are there.
func TestMonths(t *testing.T) {
	for word, month := range months {
		if month == 0 {
			t.Errorf("%q means two months", word)
		}
	}
	for i, year := range monthNames {
		if n := len(strings.Fields(year)); n != 12 {
			t.Errorf("language %d has %d months", i, n)
		}
	}
	for word, want := range map[string]int{
		"Jan": 1, "MAR": 3, "Mär": 3, "m\xe4r": 3, "M\xe4r": 3, "août": 8, "ao\xfb": 8, "paź": 10, "pa\xbc": 10, "pa\x9f": 10,
		"мая": 5, "МАЯ": 5, "\xec\xe0\xff": 5, "\xdc\xd0\xef": 5, "\xac\xa0\xef": 5, "\xcd\xc1\xd1": 5,
		"12月": 12, "1\x8c\x8e": 1, "sept.": 9, "juli,": 7,
		"jui": 0, "13月": 0, "0月": 0, "月": 0, "foo": 0, "": 0,
	} {
		if got, ok := parseMonth(word); ok != (want != 0) || ok && got != want {
			t.Errorf("%q: %d, %v; want %d", word, got, ok, want)
		}
	}
}

func TestNameProblem(t *testing.T) {
	for name, bad := range map[string]bool{
		"a": false, "...": false, " ": false, "..a": false, `a\b`: false, `..\a`: false, "-rf": false, "C:": false, "file:": false, "~": false, "\xff": false, "\x1b": false,
		"": true, ".": true, "..": true, "a/b": true, "/": true, "a\x00": true, "a\r": true, "a\nb": true,
	} {
		if got := NameProblem(name); (got != "") != bad {
			t.Errorf("%q: %q", name, got)
		}
	}
}
