package listing

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write what is read of testdata/*.list into the .json beside it")

// The days on which the lists of testdata were made. Those of captured-* are
// what Debian's servers, and one on ftpserverlib, sent for a directory with odd
// names and times; the others are made up.
var (
	today    = time.Date(2024, 3, 10, 12, 0, 0, 0, time.UTC)
	captured = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

// A seen is an entry as the golden files have it.
type seen struct {
	Name      string            `json:"name"`
	Raw       []byte            `json:"bytes,omitempty"` // the name, if it is not UTF-8
	Type      string            `json:"type"`
	Size      int64             `json:"size"`
	Time      string            `json:"time,omitempty"`
	UTC       bool              `json:"utc,omitempty"`
	Precision string            `json:"precision,omitempty"`
	Mode      int               `json:"mode"`
	Owner     string            `json:"owner,omitempty"`
	Group     string            `json:"group,omitempty"`
	Target    string            `json:"target,omitempty"`
	Facts     map[string]string `json:"facts,omitempty"`
	Problem   string            `json:"problem,omitempty"`
	Line      string            `json:"line,omitempty"`
}

func look(l Listing) ([]byte, error) {
	whole := struct {
		Dialect Dialect `json:"dialect,omitempty"`
		Unread  int     `json:"unread,omitempty"`
		Cut     bool    `json:"cut,omitempty"`
		Flat    bool    `json:"flat,omitempty"`
		Entries []seen  `json:"entries"`
	}{Dialect: l.Dialect, Unread: l.Unread, Cut: l.Cut, Flat: l.Flat}
	for _, e := range l.Entries {
		s := seen{
			Name: e.Name, Type: e.Type.String(), Size: e.Size, UTC: e.UTC, Mode: e.Mode, Owner: e.Owner, Group: e.Group,
			Target: e.Target, Facts: e.Facts, Problem: e.Problem, Line: e.Line,
		}
		if strings.ToValidUTF8(e.Name, "") != e.Name {
			s.Raw = []byte(e.Name)
		}
		if !e.ModTime.IsZero() {
			s.Time, s.Precision = e.ModTime.Format(time.RFC3339Nano), e.Precision.String()
		}
		whole.Entries = append(whole.Entries, s)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	err := enc.Encode(whole)
	return b.Bytes(), err
}

// parse reads a list of testdata by whichever command it is from.
func parse(path string, text []byte) Listing {
	switch name := filepath.Base(path); {
	case strings.Contains(name, "mlsd"):
		return ParseFacts(text)
	case strings.HasPrefix(name, "captured"):
		return Parse(text, captured)
	default:
		return Parse(text, today)
	}
}

// lists returns the lists in testdata by their paths.
func lists(tb testing.TB) map[string][]byte {
	tb.Helper()
	paths, err := filepath.Glob("testdata/*.list")
	if err != nil || len(paths) < 20 {
		tb.Fatalf("%d lists in testdata, %v", len(paths), err)
	}
	found := make(map[string][]byte)
	for _, path := range paths {
		if found[path], err = os.ReadFile(path); err != nil {
			tb.Fatal(err)
		}
	}
	return found
}

// Each list of testdata reads as the JSON beside it says.
func TestGolden(t *testing.T) {
	for path, text := range lists(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			got, err := look(parse(path, text))
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(path, ".list") + ".json"
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// A line of another kind in the midst of a list, or at its start, is not
// understood, and the others are read as before.
func TestIntruder(t *testing.T) {
	for path, text := range lists(t) {
		base := filepath.Base(path)
		whole := parse(path, text)
		if whole.Dialect == MVS || whole.Dialect == PDS || len(whole.Unknown()) > 0 || whole.Cut {
			continue // the first line is the heading; or there are some already
		}
		lines := bytes.SplitAfter(text, []byte("\n"))
		for _, intruder := range []string{"ls: cannot open directory: Permission denied\r\n", "<html>\r\n", "ftpd: out of memory\n"} {
			for _, at := range []int{0, len(lines) - 1} {
				if whole.Dialect == VMS && at == 0 {
					continue
				}
				joined := bytes.Join(lines[:at], nil)
				joined = append(append(joined, intruder...), bytes.Join(lines[at:], nil)...)
				l := parse(path, joined)
				unknown := l.Unknown()
				if len(unknown) != 1 || unknown[0].Line != strings.TrimRight(intruder, "\r\n") || unknown[0].Type != Unknown {
					t.Errorf("%s: with %q at %d: unknown %+v", base, intruder, at, unknown)
				}
				if l.Dialect != whole.Dialect || len(l.Entries) != len(whole.Entries)+1 {
					t.Errorf("%s: with %q at %d: %d entries of %s, want one more than %d of %s",
						base, intruder, at, len(l.Entries), l.Dialect, len(whole.Entries), whole.Dialect)
				}
			}
		}
	}
}

// Of a flood of lines that are none the first are kept and all are counted.
func TestFlood(t *testing.T) {
	text := []byte(strings.Repeat("what\n", 2500) + "-rw-r--r-- 1 a b 3 Feb 29 12:34 f\n" + strings.Repeat("type=file; f\n", 2501))
	for name, want := range map[string]int{"list": 5001, "mlsd": 2501} {
		l := parse(name, text)
		if l.Unread != want || len(l.Unknown()) != 1000 || len(l.Entries) != 1000+5002-want {
			t.Errorf("%s: %d lines not read, %d of %d entries unknown", name, l.Unread, len(l.Unknown()), len(l.Entries))
		}
	}
}

// BenchmarkParse reads a list of 10000 files.
func BenchmarkParse(b *testing.B) {
	for name, line := range map[string]string{
		"unix": "-rw-r--r--    1 ftp      ftp          4096 Feb 29 12:34 file\r\n",
		"dos":  "02-29-24  12:34PM                 1234 file\r\n",
		"none": "nothing that is known\r\n",
		"mlsd": "type=file;size=4096;modify=20240229123456;UNIX.mode=0644;unique=801g5; file\r\n",
	} {
		text := bytes.Repeat([]byte(line), 10_000)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				parse(name, text)
			}
		})
	}
}
