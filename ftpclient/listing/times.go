package listing

import (
	"strings"
	"time"
)

// A day without a clock is known to this.
const aDay = 24 * time.Hour

// A moment is what the words of a date have told so far.
type moment struct {
	year, month, day   int
	hour, min, sec, ns int
	precision          time.Duration
	zone               *time.Location // nil if not told
}

// dateForms are the orders in which ls(1) and its imitators write a date, a
// letter a word; see moment.word. The first that fits is taken.
var dateForms = []string{
	"ICZ", "IC", "I", // 2024-02-29 12:34:56.000000000 +0100
	"MDSY", "DMSY", // Feb 29 12:34:56 2024
	"MdYC",       // Feb 29, 2024 12:34
	"MDC", "MDY", // Feb 29 12:34
	"DMC", "DMY", // 29 Feb 2024
	"ymDC", "ymD", // 2024年 2月 29日
	"NC", "NY", // 02-29 12:34
}

// bareYearForms begin with what might as well be a size.
var bareYearForms = []string{"YmD"} // 2024 2月 29

// word reads one word of a form.
func (m *moment) word(letter byte, s string) (ok bool) {
	switch letter {
	case 'M': // the name of a month, or its number with a sign
		m.month, ok = parseMonth(s)
	case 'm': // the latter
		var sign bool
		m.month, ok = parseMonth(s)
		_, sign = signed(s, monthSigns)
		ok = ok && sign
	case 'D': // a day
		m.day, ok = parseDay(s)
	case 'd': // with a comma
		m.day, ok = parseSmall(strings.TrimSuffix(s, ","), 2)
		ok = ok && strings.HasSuffix(s, ",")
	case 'Y': // a year of four digits
		s, _ = signed(s, yearSigns)
		m.year, ok = parseSmall(s, 4)
		ok = ok && len(s) == 4
	case 'y': // a year with a sign
		var sign bool
		s, sign = signed(s, yearSigns)
		m.year, ok = parseSmall(s, 4)
		ok = ok && sign
	case 'C': // a clock
		ok = m.clock(s)
	case 'S': // with seconds
		ok = strings.Count(s, ":") == 2 && m.clock(s)
	case 'I': // a whole date
		ok = m.wholeDate(s)
	case 'N': // MM-DD
		month, day, cut := strings.Cut(s, "-")
		if m.month, ok = parseSmall(month, 2); ok && cut {
			m.day, ok = parseSmall(day, 2)
		}
		ok = ok && cut
	case 'Z': // +0100
		var t time.Time
		var err error
		if t, err = time.Parse("-0700", s); err == nil {
			m.zone, ok = t.Location(), true
		}
	}
	return ok
}

// parseDate reads a date at the front of f and returns how many words that
// took, 0 if there is none.
func parseDate(f []word, now time.Time) (when moment, t time.Time, used int) {
	return parseDateOf(dateForms, f, now)
}

func parseDateOf(forms []string, f []word, now time.Time) (when moment, t time.Time, used int) {
	for _, form := range forms {
		if len(f) < len(form) {
			continue
		}
		m := moment{year: -1, precision: aDay}
		fits := true
		for i := 0; fits && i < len(form); i++ {
			fits = m.word(form[i], f[i].text)
		}
		if !fits {
			continue
		}
		if t, ok := m.time(now); ok {
			return m, t, len(form)
		}
	}
	return moment{}, time.Time{}, 0
}

// date notes a date in e.
func (e *Entry) date(m moment, t time.Time) {
	e.ModTime, e.Precision, e.UTC = t, m.precision, m.zone != nil
}

// parseDay reads the number of a day, which a point, a comma or a sign may
// follow.
func parseDay(s string) (int, bool) {
	s, _ = signed(strings.TrimRight(s, ".,"), daySigns)
	n, ok := parseSmall(s, 2)
	return n, ok && n >= 1
}

// clock reads 15:04, 15:04:05 or 15:04:05.999.
func (m *moment) clock(s string) bool {
	hour, rest, cut := strings.Cut(s, ":")
	if !cut {
		return false
	}
	minute, second, seconds := strings.Cut(rest, ":")
	var ok [2]bool
	m.hour, ok[0] = parseSmall(hour, 2)
	m.min, ok[1] = parseSmall(minute, 2)
	m.precision = time.Minute
	if !ok[0] || !ok[1] || len(minute) != 2 {
		return false
	}
	if !seconds {
		return true
	}
	second, fraction, dotted := strings.Cut(second, ".")
	m.sec, ok[0] = parseSmall(second, 2)
	m.precision = time.Second
	if !ok[0] || len(second) != 2 {
		return false
	}
	if dotted {
		m.ns, m.precision, ok[0] = parseFraction(fraction)
	}
	return ok[0]
}

// parseFraction reads the digits behind the point of a second, and tells what
// the last of them is worth. More than nine are cut.
func parseFraction(s string) (ns int, precision time.Duration, ok bool) {
	if s == "" {
		return 0, time.Second, true
	}
	if !digits(s) {
		return 0, 0, false
	}
	precision = time.Second
	for range min(len(s), 9) {
		precision /= 10
	}
	n, ok := parseCount((s + "000000000")[:9])
	return int(n), precision, ok
}

// The order of the parts in a date of numbers with two or four digits of the
// year.
type order uint8

const (
	monthFirst order = iota
	dayFirst
	yearFirst
)

// wholeDate reads a date in one word: 2006-01-02, 2006/01/02, 02-01-2006,
// 02.01.2006, or 02-Jan-06.
func (m *moment) wholeDate(s string) bool {
	if !isDate(s) {
		return false
	}
	parts := strings.FieldsFunc(s, isDateMark)
	if month, ok := months[lower(parts[1])]; ok {
		var okDay, okYear bool
		m.month = month
		m.day, okDay = parseDay(parts[0])
		m.year, okYear = shortYear(parts[2])
		return okDay && okYear && month != 0
	}
	if len(parts[0]) == 4 {
		return m.numbers(s, yearFirst)
	}
	return len(parts[2]) == 4 && m.numbers(s, dayFirst)
}

func isDateMark(r rune) bool { return r == '-' || r == '/' || r == '.' }

// isDate reports whether s has the marks of a date: two of one kind, between
// three parts.
func isDate(s string) bool {
	first := strings.IndexFunc(s, isDateMark)
	last := strings.LastIndexFunc(s, isDateMark)
	return first > 0 && last > first+1 && last < len(s)-1 && s[first] == s[last] && strings.IndexFunc(s[first+1:last], isDateMark) < 0
}

// numbers reads a date of three numbers in an order. With points between them
// the month is never first.
func (m *moment) numbers(s string, o order) bool {
	if !isDate(s) {
		return false
	}
	if o == monthFirst && strings.Contains(s, ".") {
		o = dayFirst
	}
	parts := strings.FieldsFunc(s, isDateMark)
	at := [3][3]int{monthFirst: {2, 0, 1}, dayFirst: {2, 1, 0}, yearFirst: {0, 1, 2}}[o]
	var ok [3]bool
	m.year, ok[0] = shortYear(parts[at[0]])
	m.month, ok[1] = parseSmall(parts[at[1]], 2)
	m.day, ok[2] = parseSmall(parts[at[2]], 2)
	return ok[0] && ok[1] && ok[2]
}

// numberDate takes a date and a clock, each a word.
func (e *Entry) numberDate(day, clock word, o order) bool {
	m := moment{precision: aDay}
	if !m.numbers(day.text, o) || !m.clock(clock.text) {
		return false
	}
	t, ok := m.time(time.Time{})
	e.date(m, t)
	return ok
}

// shortYear reads a year with four digits, or with two. As POSIX has it for %y,
// 69 to 99 are of the 20th century. With three they are the years since 1900.
func shortYear(s string) (int, bool) {
	n, ok := parseSmall(s, 4)
	switch {
	case !ok || len(s) < 2:
		return 0, false
	case len(s) == 4:
		return n, true
	case len(s) == 2 && n < 69:
		return 2000 + n, true
	default:
		return 1900 + n, true
	}
}

// time returns the time that m means, and false if there is none, as on 30
// February. A second may be the 60th (RFC 3659, Section 2.3).
func (m *moment) time(now time.Time) (time.Time, bool) {
	zone := time.UTC
	if m.zone != nil {
		zone = m.zone
	}
	if m.year >= 0 {
		return m.in(m.year, zone)
	}
	// ls(1) leaves out the year of times in the last half year, some servers in
	// the last year. In the zone of the server it may be tomorrow already.
	const leapYears = 8 // the most years between two of them
	for year := now.Year() + 1; year >= now.Year()-leapYears; year-- {
		if t, ok := m.in(year, zone); ok && t.Before(now.Add(aDay)) {
			return t, true
		}
	}
	return time.Time{}, false
}

func (m *moment) in(year int, zone *time.Location) (time.Time, bool) {
	if m.hour > 23 || m.min > 59 || m.sec > 60 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(m.month), m.day, m.hour, m.min, m.sec, m.ns, zone)
	return t.UTC(), m.month >= 1 && m.month <= 12 && m.day >= 1 && t.Add(-time.Duration(m.sec)*time.Second).Day() == m.day
}
