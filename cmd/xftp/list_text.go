package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// listOptions are what ls has of its own.
type listOptions struct {
	long    bool
	raw     bool   // the server's own list
	sort    string // "name", "size" or "time"
	reverse bool
	human   bool // sizes with units
}

// sortWords are what --sort takes.
var sortWords = []string{"name", "size", "time"}

// order sorts rows: by name, or the largest or the newest first; those that are
// equal by name.
func (l *listOptions) order(rows []row) {
	slices.SortFunc(rows, func(a, b row) int {
		var by int
		switch l.sort {
		case "size":
			by = cmp.Compare(b.Size, a.Size)
		case "time":
			by = b.ModTime.Compare(a.ModTime)
		}
		if by == 0 {
			by = strings.Compare(a.name, b.name)
		}
		if l.reverse {
			return -by
		}
		return by
	})
}

// A listPrinter prints sections on standard output.
type listPrinter struct {
	*output
	o       *options
	printed bool // something
}

// heading prints the name of a directory, if there are several things to print.
func (p *listPrinter) heading(r remote, several bool) error {
	if !several {
		return nil
	}
	return p.head(r.String() + ":")
}

// head prints a heading, with an empty line before it unless it is the first
// line.
func (p *listPrinter) head(heading string) error {
	if p.printed {
		if err := p.data(""); err != nil {
			return err
		}
	}
	p.printed = true
	return p.data(heading)
}

// print prints a section.
func (p *listPrinter) print(of section) error {
	if p.o.json {
		for _, r := range of.rows {
			if err := p.object(r.object()); err != nil {
				return err
			}
		}
		return nil
	}
	if of.heading != "" {
		if err := p.head(of.heading); err != nil {
			return err
		}
	}
	lines := p.short
	if p.o.list.long {
		lines = p.long
	}
	for _, line := range lines(of.rows) {
		p.printed = true
		if err := p.data(line); err != nil {
			return err
		}
	}
	return nil
}

// short returns names. What was not understood has none that would be good for
// anything, and is told on standard error only.
func (p *listPrinter) short(rows []row) []string {
	var lines []string
	for _, r := range rows {
		if r.Problem == "" {
			lines = append(lines, r.name)
		}
	}
	return lines
}

// long returns names with what the server tells about them, in columns.
func (p *listPrinter) long(rows []row) []string {
	table := make([][]string, len(rows))
	var widths [5]int
	for i, r := range rows {
		table[i] = []string{modeText(r.Entry), orUnknown(r.Owner), orUnknown(r.Group), p.size(r.Size), timeText(r.Entry)}
		for j, cell := range table[i] {
			widths[j] = max(widths[j], utf8.RuneCountInString(cell))
		}
	}
	lines := make([]string, len(rows))
	for i, r := range rows {
		var b strings.Builder
		for j, cell := range table[i] {
			space := strings.Repeat(" ", widths[j]-utf8.RuneCountInString(cell))
			if j == 3 { // sizes, by their ends
				space, cell = "", space+cell
			}
			b.WriteString(cell + space + " ")
		}
		switch {
		case r.Problem != "" && r.Name == "":
			b.WriteString(r.Line + " (not understood)")
		case r.Problem != "":
			b.WriteString(r.Name + " (" + r.Problem + ")")
		default:
			b.WriteString(r.name)
		}
		if r.Target != "" {
			b.WriteString(" -> " + r.Target)
		}
		lines[i] = b.String()
	}
	return lines
}

// orUnknown returns what was told, or a mark that nothing was.
func orUnknown(s string) string {
	if s == "" {
		return "?"
	}
	return s
}

// size writes a size, which may be -1.
func (p *listPrinter) size(n int64) string {
	switch {
	case n < 0:
		return "?"
	case p.o.list.human:
		return humanSize(n)
	default:
		return fmt.Sprint(n)
	}
}

// humanSize writes a size with at most three digits and a unit, powers of 1000.
func humanSize(n int64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	size := float64(n)
	for _, unit := range "kMGTPE" {
		size /= 1000
		switch {
		case size < 9.95:
			return fmt.Sprintf("%.1f%c", size, unit)
		case size < 999.5:
			return fmt.Sprintf("%.0f%c", size, unit)
		}
	}
	return fmt.Sprintf("%.0fE", size) // no int64 is as large as that
}

// typeLetters are what the mode of ls(1) begins with.
var typeLetters = map[ftpclient.EntryType]string{
	ftpclient.EntryFile: "-", ftpclient.EntryDir: "d", ftpclient.EntryLink: "l", ftpclient.EntrySpecial: "s",
}

// modeText writes type and permissions as ls(1) does, with question marks for
// what is not told.
func modeText(e ftpclient.Entry) string {
	letter := typeLetters[e.Type]
	if letter == "" {
		letter = "?"
	}
	if e.Mode < 0 {
		return letter + "?????????"
	}
	return letter + permissions(e.Mode)
}

// permissions writes a mode as chmod(1) takes it as letters.
func permissions(mode int) string {
	b := []byte("rwxrwxrwx")
	for i := range b {
		if mode&(0o400>>i) == 0 {
			b[i] = '-'
		}
	}
	for i, letter := range []byte("sst") { // set-user-id, set-group-id, sticky
		if mode&(0o4000>>i) == 0 {
			continue
		}
		if x := &b[2+3*i]; *x == 'x' {
			*x = letter
		} else {
			*x = letter - 'a' + 'A'
		}
	}
	return string(b)
}

// timeText writes a time as exactly as it was told: with a Z if it is UTC,
// without if it is what the server's clock shows.
func timeText(e ftpclient.Entry) string {
	if e.ModTime.IsZero() {
		return "?"
	}
	text := e.ModTime.Format(timeLayout(e.Precision))
	if e.UTC {
		text += "Z"
	}
	return text
}

// timeLayout returns the form of a time that is cut to precision.
func timeLayout(precision time.Duration) string {
	switch {
	case precision >= 24*time.Hour:
		return time.DateOnly
	case precision >= time.Minute:
		return "2006-01-02 15:04"
	case precision >= time.Second:
		return time.DateTime
	}
	layout := time.DateTime + "."
	for ; precision < time.Second && len(layout) < len(time.DateTime)+10; precision *= 10 {
		layout += "0"
	}
	return layout
}
