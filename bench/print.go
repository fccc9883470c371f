package main

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/seed-54eb6215/xftp/bench/record"
	"github.com/seed-54eb6215/xftp/bench/report"
)

// A printer tells how far it is. On a terminal what is running is on the last
// line, which is then overwritten.
type printer struct {
	f        *os.File
	terminal bool
	rounds   int
	name     string
	open     bool // the last line is not ended
}

func newPrinter(f *os.File) *printer {
	return &printer{f: f, terminal: term.IsTerminal(int(f.Fd()))}
}

func (p *printer) line(format string, args ...any) {
	if p.open {
		fmt.Fprint(p.f, "\r\x1b[K")
		p.open = false
	}
	fmt.Fprintf(p.f, format+"\n", args...)
}

func (p *printer) begin(c testCase, rc *record.Case, rounds int) {
	p.name, p.rounds = c.name, rounds
	p.line("\n%s: %s\n  %s", c.name, c.title, report.Where(rc))
}

func (p *printer) running(peer string, round int) {
	if p.terminal {
		fmt.Fprintf(p.f, "\r\x1b[K  %s round %d of %d: %s", p.name, round, p.rounds, peer)
		p.open = true
	}
}

// round prints what each peer needed in a round; round 0 warms up.
func (p *printer) round(rc *record.Case, round int) {
	var all []string
	for _, peer := range rc.Peers {
		if n := len(peer.Runs); n > 0 && peer.Runs[n-1].Round == round {
			run := peer.Runs[n-1]
			value := fmt.Sprintf("%.3f s", run.Seconds)
			if run.Seconds < 0.001 {
				value = fmt.Sprintf("%.1f us", run.Seconds*1e6)
			}
			if run.Error != "" {
				value = "failed"
			}
			all = append(all, peer.Name+" "+value)
		}
	}
	label := fmt.Sprintf("%d/%d", round, p.rounds)
	if round == 0 {
		label = "warm-up"
	}
	p.line("  %s  %s", label, strings.Join(all, ", "))
}

func (p *printer) note(format string, args ...any) { p.line("  note: "+format, args...) }

func (p *printer) result(rc *record.Case) {
	if p.open {
		fmt.Fprint(p.f, "\r\x1b[K")
		p.open = false
	}
	report.WriteCase(p.f, rc)
}
