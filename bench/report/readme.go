package report

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/seed-54eb6215/xftp/bench/record"
)

// The README's table is what lies between these two lines. The first names the
// file that it was made from, relative to the README.
const (
	beginMarker = "<!-- bench: "
	endMarker   = "<!-- bench end -->"
)

// errNoMarkers says that a README has no place for the table.
var errNoMarkers = errors.New("no lines that begin with " + beginMarker + "and " + endMarker)

// UpdateREADME puts the table of the results into a README.
func UpdateREADME(results, readme string) error {
	b, err := os.ReadFile(readme)
	if err != nil {
		return err
	}
	f, err := record.ReadFile(results)
	if err != nil {
		return err
	}
	source, err := relative(readme, results)
	if err != nil {
		return err
	}
	updated, err := replaceTable(b, source, f)
	if err != nil {
		return fmt.Errorf("%s: %w", readme, err)
	}
	return os.WriteFile(readme, updated, 0o644)
}

// CheckREADME returns an error if the table in a README is not what its
// results make, and errNoMarkers if it has none.
func CheckREADME(readme string) error {
	b, err := os.ReadFile(readme)
	if err != nil {
		return err
	}
	_, source, _, err := cutTable(b)
	if err != nil {
		return err
	}
	f, err := record.ReadFile(filepath.Join(filepath.Dir(readme), source))
	if err != nil {
		return err
	}
	want, err := replaceTable(b, source, f)
	if err != nil {
		return err
	}
	if !bytes.Equal(b, want) {
		return fmt.Errorf("the table in %s is not that of %s", readme, source)
	}
	return nil
}

func relative(readme, results string) (string, error) {
	from, err := filepath.Abs(filepath.Dir(readme))
	if err != nil {
		return "", err
	}
	to, err := filepath.Abs(results)
	if err != nil {
		return "", err
	}
	return filepath.Rel(from, to)
}

// cutTable returns what is before the table, the results that it names, and
// what is after it.
func cutTable(readme []byte) (before []byte, source string, after []byte, err error) {
	before, rest, ok := bytes.Cut(readme, []byte(beginMarker))
	if !ok {
		return nil, "", nil, errNoMarkers
	}
	line, rest, ok := bytes.Cut(rest, []byte("\n"))
	if !ok {
		return nil, "", nil, errNoMarkers
	}
	_, after, ok = bytes.Cut(rest, []byte(endMarker))
	if !ok {
		return nil, "", nil, errNoMarkers
	}
	source, _, _ = strings.Cut(string(line), " ")
	return before, source, after, nil
}

func replaceTable(readme []byte, source string, f *record.File) ([]byte, error) {
	before, _, after, err := cutTable(readme)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.Write(before)
	fmt.Fprintf(&b, "%s%s make bench-readme writes this -->\n\n%s\n%s", beginMarker, source, Markdown(source, f), endMarker)
	b.Write(after)
	return b.Bytes(), nil
}

// Markdown returns the table and what its numbers hold for. Rows in which xftp
// is behind are in it as all others are.
func Markdown(source string, f *record.File) string {
	var b strings.Builder
	rounds := "7"
	if f.Rounds != 0 {
		rounds = fmt.Sprint(f.Rounds)
	}
	fmt.Fprintf(&b, "| case | xftp | best peer | ratio (in single rounds) | |\n|---|---|---|---|---|\n")
	for _, r := range f.Rows() {
		if r.Verdict == record.Unmeasured {
			fmt.Fprintf(&b, "| %s: %s | %s | %s | | not measured |\n", r.Name, r.Title, orDash(r.Xftp), orDash(strings.TrimSpace(r.Best+" "+r.BestValue)))
			continue
		}
		ratio := value(r)
		if s := spread(r); s != "-" {
			ratio += " (" + strings.Replace(s, "-", " to ", 1) + ")"
		}
		fmt.Fprintf(&b, "| %s: %s | %s | %s | %s | %s |\n", r.Name, r.Title, orDash(r.Xftp),
			orDash(strings.TrimSpace(r.Best+" "+r.BestValue)), ratio, mark(r))
	}
	m := f.Machine
	quick := ""
	if f.Quick {
		quick = "A quick run with small files: good for a look only. "
	}
	base := strings.TrimSuffix(source, path.Ext(source))
	fmt.Fprintf(&b, "\n%s%s, medians of %s rounds on %s: Linux %s, %d CPUs (%s), driver %s, %s mode, the kernel's "+
		"congestion control %s, xftp's cubic, xftp %s. A ratio above 1 means that xftp is ahead of the fastest of "+
		"curl, lftp, aria2c, wget and xftp --net kernel. [Every run](%s), [for benchstat](%s.txt), [plots](%s.html).\n",
		quick, f.Started.Format("2 January 2006"), rounds, where(f), m.Kernel, m.CPUs, m.CPU, m.Driver, m.Mode,
		m.Congestion, measured(f), source, base, base)
	return b.String()
}

// measured names the revision that was measured, and if there are several, the
// cases of each.
func measured(f *record.File) string {
	revisions, names := f.Revisions()
	if len(revisions) < 2 {
		return strings.Join(append(revisions, f.Machine.Revision)[:1], "")
	}
	for i, r := range revisions {
		revisions[i] = r + " (" + strings.Join(names[r], ", ") + ")"
	}
	last := len(revisions) - 1
	return strings.Join(revisions[:last], ", ") + " and " + revisions[last]
}

func where(f *record.File) string {
	if len(f.Cases) > 0 && f.Cases[0].Link.Real {
		return "a real link"
	}
	return "a veth pair between two namespaces"
}

// mark says in a word what a row has reached.
func mark(r record.Row) string {
	switch r.Verdict {
	case record.Aim:
		return "ahead of the aim of " + bound(r, r.Aim)
	case record.Floor:
		return "above the floor of " + bound(r, r.Floor)
	case record.Below:
		return "**misses** " + bound(r, r.Floor)
	case record.Reported, record.Unmeasured:
	}
	return ""
}
