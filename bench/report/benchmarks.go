package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/seed-54eb6215/xftp/bench/record"
)

// WriteBenchmarks writes each run that counts in Go's benchmark format, which
// benchstat reads: go install golang.org/x/perf/cmd/benchstat@latest, then
// benchstat -col /peer FILE.txt, or two files to compare two dates.
func WriteBenchmarks(w io.Writer, f *record.File) error {
	m := f.Machine
	var b strings.Builder
	config := map[string]string{
		"kernel": m.Kernel, "cpu": m.CPU, "driver": m.Driver, "mode": m.Mode,
		"congestion": m.Congestion, "commit": m.Revision, "date": f.Started.Format("2006-01-02"),
	}
	for _, key := range slices.Sorted(maps.Keys(config)) {
		if config[key] != "" {
			fmt.Fprintf(&b, "%s: %s\n", key, config[key])
		}
	}
	b.WriteString("\n")
	for _, c := range f.Cases {
		for _, p := range c.Peers {
			if p.LeftOut != "" && c.Unit != record.Startup {
				continue
			}
			for _, r := range p.Counted() {
				writeBenchmark(&b, c, p, r, m.CPUs)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeBenchmark writes a line: name, iterations, and values with their units.
func writeBenchmark(b *strings.Builder, c *record.Case, p *record.Peer, r record.Run, cpus int) {
	// A "-" and a number at the end would be taken for GOMAXPROCS.
	fmt.Fprintf(b, "Benchmark%s/peer=%s-%d 1 %.0f ns/op", name(c.Name), name(p.Name), cpus, r.Seconds*1e9)
	switch c.Unit {
	case record.RTT:
		fmt.Fprintf(b, " %.0f p99-ns", r.Items[record.P99]*1e9)
	case record.Frames:
		fmt.Fprintf(b, " %.0f frames/s", framesPerSecond(r))
	case record.Startup:
	default:
		fmt.Fprintf(b, " %.2f MB/s %.4f machine-cpu-s/GB %.4f client-cpu-s/GB %d peak-RSS-bytes",
			float64(r.Bytes)/1e6/r.Seconds, record.MachineCPUPerGB(r), record.ClientCPUPerGB(r), r.PeakRSS)
	}
	b.WriteString("\n")
}

// name makes a name of a case or peer one that the format takes.
func name(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '.':
			return r
		}
		return '_'
	}, s)
}
