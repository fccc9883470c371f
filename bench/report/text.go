// Package report makes of the results of the benchmarks what people and
// programs read: tables for a terminal, Go's benchmark format for benchstat, a
// page with plots, and the table of the README.
package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/seed-54eb6215/xftp/bench/record"
)

// Where says in a line what a case was measured on.
func Where(c *record.Case) string {
	parts := []string{fmt.Sprintf("MTU %d", c.Link.MTU)}
	if c.Link.Offload {
		parts = append(parts, "segmentation and checksum offload on")
	}
	if c.Link.Threaded {
		parts = append(parts, "threaded NAPI")
	}
	if c.Link.RTT != 0 {
		parts = append(parts, fmt.Sprintf("RTT %v", c.Link.RTT))
	}
	if c.Link.Loss != 0 {
		parts = append(parts, fmt.Sprintf("%g %% loss", c.Link.Loss*100))
	}
	if c.Server != "" {
		parts = append(parts, c.Server)
	}
	if c.Bytes > 0 {
		parts = append(parts, amount(c))
	}
	return strings.Join(parts, ", ")
}

func amount(c *record.Case) string {
	size := fmt.Sprintf("%.4g MB", float64(c.Bytes)/1e6)
	if c.Bytes >= 1e9 {
		size = fmt.Sprintf("%.4g GB", float64(c.Bytes)/1e9)
	}
	if c.Bytes < 1e5 {
		size = fmt.Sprintf("%d bytes", c.Bytes)
	}
	if c.Files > 1 {
		return fmt.Sprintf("%d files, %s", c.Files, size)
	}
	return size
}

// WriteCase writes what each peer did in a case: its median and how it compares
// to xftp.
func WriteCase(w io.Writer, c *record.Case) {
	if c.Skipped != "" {
		fmt.Fprintf(w, "%s: not measured: %s\n", c.Name, c.Skipped)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer t.Flush()
	for _, p := range c.Peers {
		fmt.Fprintf(t, "  %s\t%s\n", p.Name, describe(c, p))
	}
}

// describe returns the rest of a line of WriteCase.
func describe(c *record.Case, p *record.Peer) string {
	n := len(p.Counted())
	if n == 0 {
		why := p.LeftOut
		if why == "" && len(p.Runs) > 0 {
			why = "failed: " + p.Runs[len(p.Runs)-1].Error
		}
		return "left out: " + why
	}
	seconds := p.Values(record.Seconds)
	var cells []string
	add := func(format string, args ...any) { cells = append(cells, fmt.Sprintf(format, args...)) }
	switch c.Unit {
	case record.RTT:
		add("median %.1f us\tp99 %.1f us", record.Median(seconds)*1e6, record.Median(p.Values(record.Item(record.P99)))*1e6)
	case record.Startup:
		add("%.1f ms", record.Median(seconds)*1e3)
	case record.Frames:
		add("%.0f kframes/s", record.Median(p.Values(framesPerSecond))/1e3)
	default:
		rate := fmt.Sprintf("%.2f Gb/s", record.Median(p.Values(record.Rate))/1e9)
		if c.Files > 100 {
			rate = fmt.Sprintf("%.0f files/s", float64(c.Files)/record.Median(seconds))
		}
		add("%s\t%.3f s (%.3f to %.3f)\tCPU %.2f s, machine %.2f s", rate,
			record.Median(seconds), slices.Min(seconds), slices.Max(seconds),
			record.Median(p.Values(clientCPU)), record.Median(p.Values(machineCPU)))
	}
	if xftp := c.Xftp(); xftp != nil && p != xftp && p.LeftOut == "" {
		r := record.Compare(p, xftp, record.Seconds)
		add("ratio %.2f (%.2f to %.2f)", r.Median, r.Low, r.Top)
	}
	if p.LeftOut != "" {
		add("%s", p.LeftOut)
	}
	if tls := p.Counted()[n-1].TLS; tls != "" {
		add("%s", tls)
	}
	if items := steps(p); items != "" && c.Unit == record.Startup {
		add("%s", items)
	}
	if failed := p.Failed(); failed > 0 {
		add("%d of %d runs FAILED", failed, len(p.Runs))
	}
	return strings.Join(cells, "\t")
}

// steps lists the medians of the steps that a peer's runs tell.
func steps(p *record.Peer) string {
	counted := p.Counted()
	var all []string
	for _, name := range record.Steps {
		if len(counted) > 0 && counted[0].Items[name] != 0 {
			all = append(all, fmt.Sprintf("%s %.1f", name, record.Median(p.Values(record.Item(name)))*1e3))
		}
	}
	if len(all) == 0 {
		return ""
	}
	return "ms: " + strings.Join(all, ", ")
}

func clientCPU(r record.Run) float64       { return r.User + r.System }
func machineCPU(r record.Run) float64      { return r.MachineCPU }
func framesPerSecond(r record.Run) float64 { return r.Items[record.FramesItem] / r.Seconds }

// WriteTable writes the table of all cases.
func WriteTable(w io.Writer, f *record.File) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer t.Flush()
	fmt.Fprintln(t, "case\txftp\tbest peer\tratio\tin rounds\tfloor\taim\t")
	for _, r := range f.Rows() {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, orDash(r.Xftp), orDash(strings.TrimSpace(r.Best+" "+r.BestValue)),
			value(r), spread(r), bound(r, r.Floor), bound(r, r.Aim), r.Verdict)
	}
}

// WriteMachine writes what the numbers hold for.
func WriteMachine(w io.Writer, f *record.File) {
	fmt.Fprintln(w, Conditions(f))
	for _, name := range slices.Sorted(maps.Keys(f.Machine.Versions)) {
		fmt.Fprintf(w, "  %-8s %s\n", name, f.Machine.Versions[name])
	}
	if f.Machine.Busy > 0.1 {
		fmt.Fprintf(w, "  note: something else takes %.1f CPUs of this machine\n", f.Machine.Busy)
	}
}

// Conditions says in a sentence what the numbers hold for.
func Conditions(f *record.File) string {
	m := f.Machine
	return fmt.Sprintf("Linux %s, %d CPUs (%s), %s with driver %s, %s mode; kernel congestion control %s, xftp's cubic; revision %s",
		m.Kernel, m.CPUs, m.CPU, m.Interface, m.Driver, m.Mode, m.Congestion, m.Revision)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// value writes what a row is judged by.
func value(r record.Row) string {
	if r.Verdict == record.Unmeasured {
		return "-"
	}
	if r.Unit != "" {
		return fmt.Sprintf("%.1f %s", r.Value, r.Unit)
	}
	return fmt.Sprintf("%.2f", r.Value)
}

func spread(r record.Row) string {
	if r.Verdict == record.Unmeasured || r.Low == r.Top {
		return "-"
	}
	return fmt.Sprintf("%.2f-%.2f", r.Low, r.Top)
}

func bound(r record.Row, v float64) string {
	if v == 0 {
		return "-"
	}
	return strings.TrimSpace(fmt.Sprintf("%g %s", v, r.Unit))
}
