package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient/mirror"
)

// An action is what mirror does besides moving files, or would do. With --json
// it is printed as it is.
type action struct {
	Action string         `json:"action"` // "mkdir", "get", "put", "link", "time", "mode", "delete", "rmdir" or "skip"
	Path   string         `json:"path"`   // below SRC and DST
	Why    string         `json:"why,omitempty"`
	Bytes  int64          `json:"bytes,omitempty"`
	Target string         `json:"target,omitempty"` // of a link
	Mode   string         `json:"mode,omitempty"`   // octal
	Time   *time.Time     `json:"mtime,omitempty"`
	DryRun bool           `json:"dry_run"`
	Error  *transferError `json:"error"`
}

// line is an action as a line: the action, the path, and in brackets what more
// there is to say.
func (a action) line() string {
	var more []string
	if a.Why != "" {
		more = append(more, a.Why)
	}
	switch {
	case a.Action == "get" || a.Action == "put":
		more = append(more, fmt.Sprintf("%d bytes", a.Bytes))
	case a.Action == "link":
		more = append(more, "to "+a.Target)
	case a.Mode != "":
		more = append(more, a.Mode)
	case a.Time != nil:
		more = append(more, a.Time.UTC().Format(time.RFC3339))
	}
	text := a.Action + " " + a.Path
	if len(more) > 0 {
		text += " (" + strings.Join(more, ", ") + ")"
	}
	return text
}

// print prints a line on standard output, as [output.report] does an object.
func (m *mirroring) print(line string) {
	err := m.out.data(line)
	m.out.mu.Lock()
	defer m.out.mu.Unlock()
	if err != nil {
		m.out.lose(err)
	}
}

// preview prints what would be done, and counts it for the summary.
func (m *mirroring) preview(plan *mirror.Plan) {
	show := func(a action) {
		a.DryRun = true
		switch a.Action {
		case "get", "put":
			m.tally.end(a.Bytes, false)
		case "delete", "rmdir":
			m.counts.deleted++
		}
		if m.o.json {
			m.out.report(a)
			return
		}
		m.print(printable(a.line()))
	}
	move := "get"
	if m.up {
		move = "put"
	}
	work := func(w *mirror.Work) {
		for _, e := range w.Dirs {
			show(action{Action: "mkdir", Path: e.Path})
		}
		for _, p := range w.Files {
			show(action{Action: move, Path: p.Source.Path, Why: p.Why.String(), Bytes: max(p.Source.Size, 0)})
		}
		for _, e := range w.Links {
			show(action{Action: "link", Path: e.Path, Target: e.Target})
		}
	}
	gone := func(entries []*mirror.Entry) {
		for _, e := range entries {
			show(removal(e))
		}
	}
	work(&plan.Work)
	for _, c := range plan.Changes {
		for _, a := range m.changes(c) {
			show(a)
		}
	}
	gone(plan.Replaced)
	work(&plan.Successor)
	gone(plan.Deletes)
	for _, n := range plan.Conflicts {
		show(action{Action: "skip", Path: n.Path(), Why: n.Why})
	}
}

func removal(e *mirror.Entry) action {
	a := action{Action: "delete", Path: e.Path}
	if e.Type == mirror.Dir {
		a.Action = "rmdir"
	}
	return a
}

// changes returns the actions that a change is.
func (m *mirroring) changes(c mirror.Change) (all []action) {
	if c.Time {
		when := m.timeOf(c.Source)
		all = append(all, action{Action: "time", Path: c.Source.Path, Time: &when})
	}
	if c.Mode {
		all = append(all, action{Action: "mode", Path: c.Source.Path, Mode: fmt.Sprintf("%04o", c.Source.Mode)})
	}
	return all
}

// did reports an action that was done, or has failed.
func (m *mirroring) did(ctx context.Context, a action, err error) {
	if err != nil {
		if interrupted(ctx) != nil {
			return // which is reported once
		}
		m.fails(ctx, m.subject(a.Path), err)
		a.Error = errorOf(err)
		a.Error.Message = m.out.scrub(a.Error.Message)
	}
	switch {
	case m.o.json:
		m.out.report(a)
	case err == nil && m.o.verbose:
		m.out.line("xftp: mirror %s", a.line())
	}
}

// subject is how an error names a path: on the side where something is to change.
func (m *mirroring) subject(path string) string {
	if m.up {
		return m.remote.join(path).String()
	}
	return joinPath(m.local, path)
}

// fails reports an error that is not that of a transfer.
func (m *mirroring) fails(ctx context.Context, subject string, err error) {
	m.failed(ctx, subject, err, "")
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts.failed++
}

// A vetoError is why nothing is deleted.
type vetoError struct {
	n   int
	why []string
}

func (e *vetoError) Error() string {
	text := fmt.Sprintf("nothing is deleted (%d would be): %s", e.n, e.why[0])
	if more := len(e.why) - 1; more > 0 {
		text += fmt.Sprintf(", and %d more reasons", more)
	}
	return text
}

// veto reports that n names are not deleted.
func (m *mirroring) veto(ctx context.Context, n int, why []string) {
	m.fails(ctx, m.args[1], &vetoError{n, why})
}

// explain says what is left out, where that is not what was asked for.
func (m *mirroring) explain(plan *mirror.Plan) {
	for _, n := range plan.LeftOut {
		m.out.note("mirror %s: %s, left out", n.Path(), n.Why)
	}
}

// summarise prints what was done, in one line or one object.
func (m *mirroring) summarise(took time.Duration) {
	t := m.tally
	failed := t.failed + m.counts.failed
	if m.o.json {
		m.out.report(struct {
			Action  string  `json:"action"` // "summary"
			Moved   int     `json:"moved"`
			Bytes   int64   `json:"bytes"`
			Seconds float64 `json:"seconds"`
			Same    int     `json:"same"`
			Deleted int     `json:"deleted"`
			LeftOut int     `json:"left_out"`
			Failed  int     `json:"failed"`
			DryRun  bool    `json:"dry_run"`
		}{"summary", t.done, t.bytes, took.Seconds(), m.counts.same, m.counts.deleted, m.counts.leftOut, failed, m.mo.dryRun})
		return
	}
	if m.o.quiet {
		return
	}
	files := "files"
	if t.done == 1 {
		files = "file"
	}
	if m.mo.dryRun {
		m.out.line("xftp: mirror: %d %s would be moved, %s, %d the same, %d would be deleted, %d left out, %d failed",
			t.done, files, bytesText(float64(t.bytes)), m.counts.same, m.counts.deleted, m.counts.leftOut, failed)
		return
	}
	m.out.line("xftp: mirror: %d %s moved, %s in %.2f s over %s, %d the same, %d deleted, %d left out, %d failed",
		t.done, files, bytesText(float64(t.bytes)), took.Seconds(), m.path, m.counts.same, m.counts.deleted, m.counts.leftOut, failed)
}
