package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/perf/benchfmt"

	"github.com/seed-54eb6215/xftp/bench/record"
)

// results are of a machine that does not exist: xftp is ahead in D1, behind in
// U1 and failed in S1.
func results() *record.File {
	runs := func(seconds ...float64) []record.Run {
		var all []record.Run
		for i, s := range seconds {
			all = append(all, record.Run{Round: i, Seconds: s, Bytes: 1e9, User: 0.5, MachineCPU: s, PeakRSS: 20e6})
		}
		return all
	}
	transfer := func(name string, floor float64, peers ...*record.Peer) *record.Case {
		return &record.Case{
			Name: name, Title: "title of " + name, Unit: record.Transfer, Server: "vsftpd", Link: record.Link{MTU: 1500},
			Bytes: 1e9, Files: 1, Floor: floor, Aim: floor + 1, Peers: peers,
		}
	}
	d1 := transfer("D1", 1.3, &record.Peer{Name: "xftp", Runs: runs(9, 1, 1.1, 0.9)},
		&record.Peer{Name: "xftp --net kernel", Runs: runs(9, 2, 2, 2)}, &record.Peer{Name: "wget", LeftOut: "not installed"})
	d1.Series = []record.Series{{Peer: "xftp", Points: []record.Sample{{}, {Seconds: 0.5, Bytes: 5e8}, {Seconds: 1, Bytes: 1e9}}}}
	return &record.File{
		Schema: record.Schema, Started: time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC), Rounds: 3,
		Machine: record.Machine{Kernel: "6.18", CPU: "<a CPU>", CPUs: 2, Driver: "veth", Mode: "copy", Congestion: "bbr", Revision: "abc"},
		Cases: []*record.Case{
			d1,
			transfer("U1", 1, &record.Peer{Name: "xftp", Runs: runs(9, 2)}, &record.Peer{Name: "curl", Runs: runs(9, 1)}),
			transfer("S1", 1.2, &record.Peer{Name: "xftp", LeftOut: "failed: exit status 1"}, &record.Peer{Name: "lftp", Runs: runs(9, 1)}),
			{
				Name: "L", Unit: record.RTT, Title: "NOOP", Peers: []*record.Peer{
					{Name: "xftp", Runs: []record.Run{{Round: 1, Seconds: 2e-5, Items: map[string]float64{record.P99: 1e-4}}}},
					{Name: "kernel sockets", Runs: []record.Run{{Round: 1, Seconds: 1e-5, Items: map[string]float64{record.P99: 1e-4}}}},
				},
			},
		},
	}
}

// TestBenchmarks reads what is written with the package that benchstat uses.
func TestBenchmarks(t *testing.T) {
	var b bytes.Buffer
	if err := WriteBenchmarks(&b, results()); err != nil {
		t.Fatal(err)
	}
	got := make(map[string][]float64) // ns/op by name
	for r := benchfmt.NewReader(&b, "results"); r.Scan(); {
		switch rec := r.Result().(type) {
		case *benchfmt.Result:
			v, ok := rec.Value("sec/op")
			if !ok {
				t.Errorf("%s has no time", rec.Name)
			}
			got[string(rec.Name)] = append(got[string(rec.Name)], v)
			if rec.GetConfig("kernel") != "6.18" {
				t.Errorf("%s is of kernel %q", rec.Name, rec.GetConfig("kernel"))
			}
		default:
			t.Errorf("cannot read %v", rec)
		}
	}
	for name, want := range map[string]int{
		"D1/peer=xftp-2": 3, "D1/peer=xftp___net_kernel-2": 3, "U1/peer=xftp-2": 1, "U1/peer=curl-2": 1,
		"S1/peer=lftp-2": 1, "L/peer=xftp-2": 1, "L/peer=kernel_sockets-2": 1,
	} {
		if len(got[name]) != want {
			t.Errorf("%s has %d lines, want %d", name, len(got[name]), want)
		}
	}
	if len(got) != 7 {
		t.Errorf("%d benchmarks, want 7: %v", len(got), got)
	}
	if v := got["D1/peer=xftp-2"]; len(v) == 3 && v[1] != 1.1 {
		t.Errorf("second run took %v s, want 1.1", v[1])
	}
}

func TestTable(t *testing.T) {
	var b strings.Builder
	WriteTable(&b, results())
	for _, want := range []string{"2.00", "1.82-2.22", "aim", "0.50", "below", "not measured", "xftp --net kernel 4.00 Gb/s"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the table does not say %q:\n%s", want, b.String())
		}
	}
}

// TestPage: it needs nothing from elsewhere, its plots are well-formed, and
// what comes from the machine is no markup.
func TestPage(t *testing.T) {
	var b bytes.Buffer
	if err := WritePage(&b, results()); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, bad := range []string{"<a CPU>", "<script", "src=", "@import", "NaN", "%!"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	plots := 0
	for rest := page; ; plots++ {
		i := strings.Index(rest, "<svg")
		if i < 0 {
			break
		}
		end := strings.Index(rest, "</svg>") + len("</svg>")
		for d := xml.NewDecoder(strings.NewReader(rest[i:end])); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("plot %d: %v", plots, err)
			}
		}
		rest = rest[end:]
	}
	if plots != 4 { // ratios, rate, CPU, time series
		t.Errorf("%d plots, want 4", plots)
	}
}

func TestEmptyPage(t *testing.T) {
	if err := WritePage(io.Discard, &record.File{}); err != nil {
		t.Error(err)
	}
}

func TestREADMETable(t *testing.T) {
	dir := t.TempDir()
	readme, source := filepath.Join(dir, "README.md"), filepath.Join(dir, "results", "day.json")
	if err := os.Mkdir(filepath.Dir(source), 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := results().Write(&b); err != nil {
		t.Fatal(err)
	}
	write(source, b.String())
	write(readme, "# x\n\nno place for it\n")
	if err := UpdateREADME(source, readme); !errors.Is(err, errNoMarkers) {
		t.Errorf("a README without markers: %v", err)
	}
	write(readme, "# x\n\n<!-- bench: old.json -->\nold\n<!-- bench end -->\n\nafter\n")
	for range 2 { // the second time changes nothing
		if err := UpdateREADME(source, readme); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(readme)
		if err != nil {
			t.Fatal(err)
		}
		text := string(got)
		if !strings.HasPrefix(text, "# x\n\n<!-- bench: results/day.json ") || !strings.HasSuffix(text, "\n<!-- bench end -->\n\nafter\n") || strings.Contains(text, "old") {
			t.Errorf("README is\n%s", text)
		}
		// A row in which xftp is behind is there, and one that failed.
		for _, want := range []string{"| U1: title of U1 | 4.00 Gb/s | curl 8.00 Gb/s | 0.50 | **misses** 1 |", "| S1: title of S1 | - | lftp 8.00 Gb/s | | not measured |"} {
			if !strings.Contains(text, want) {
				t.Errorf("README does not have %q:\n%s", want, text)
			}
		}
		if err := CheckREADME(readme); err != nil {
			t.Error(err)
		}
	}
	got, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	write(readme, strings.Replace(string(got), "0.50", "1.50", 1))
	if err := CheckREADME(readme); err == nil {
		t.Error("a table that was changed by hand was not noticed")
	}
}

// TestMeasured names the revisions that were measured.
func TestMeasured(t *testing.T) {
	f := &record.File{Machine: record.Machine{Revision: "b"}, Cases: []*record.Case{{Name: "D1"}, {Name: "U1", Skipped: "no time"}}}
	if got := measured(f); got != "b" {
		t.Errorf("of one: %q", got)
	}
	f.Cases = append(f.Cases, &record.Case{Name: "S1", Revision: "a"}, &record.Case{Name: "S4", Revision: "b"}, &record.Case{Name: "L", Revision: "c"})
	if got, want := measured(f), "b (D1, S4), a (S1) and c (L)"; got != want {
		t.Errorf("of several: %q, want %q", got, want)
	}
	if got := measured(&record.File{Machine: record.Machine{Revision: "b"}}); got != "b" {
		t.Errorf("of none: %q", got)
	}
}

// TestTheREADME: its table is that of the committed results.
func TestTheREADME(t *testing.T) {
	err := CheckREADME("../../README.md")
	if errors.Is(err, errNoMarkers) {
		t.Skip("the README has no table yet: sudo make bench, then make bench-readme")
	}
	if err != nil {
		t.Errorf("%v: make bench-readme writes it", err)
	}
}
