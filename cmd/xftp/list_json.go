package main

import (
	"fmt"
	"strings"
)

// An entryObject is what ls --json and stat --json print about one entry. What
// the server does not tell is null.
type entryObject struct {
	// URL is that of the entry, without a password, each byte of a name exact;
	// that of its directory if the entry has a problem.
	URL  string `json:"url"`
	Name string `json:"name"` // bytes that are not UTF-8 are U+FFFD
	Path string `json:"path"` // below what was listed
	Type string `json:"type"` // "file", "dir", "link", "special" or "unknown"
	Size *int64 `json:"size"` // in bytes

	// Time is when it was last changed, in the form of ISO 8601, as exactly as
	// the server tells: 2026-02-28T12:34:56Z is in UTC, 2026-02-28T12:34 or
	// 2026-02-28 what the server's clock shows. Precision is what it is cut to,
	// in seconds.
	Time      *string  `json:"time"`
	Precision *float64 `json:"precision"`

	Mode   *string           `json:"mode"` // octal, as "0644"
	Owner  *string           `json:"owner"`
	Group  *string           `json:"group"`
	Target *string           `json:"target"` // of a link
	Facts  map[string]string `json:"facts"`  // of MLSD and MLST, as the server sent them

	// Problem says why an entry cannot be used: its name leads elsewhere, or
	// Line was not understood, and then there is no name.
	Problem *string `json:"problem"`
	Line    *string `json:"line"`
}

func (r row) object() entryObject {
	e := entryObject{
		URL: r.of.String(), Name: r.Name, Path: r.path, Type: r.Type.String(), Facts: r.Facts,
		Owner: orNull(r.Owner), Group: orNull(r.Group), Target: orNull(r.Target), Problem: orNull(r.Problem), Line: orNull(r.Line),
	}
	if r.Size >= 0 {
		e.Size = &r.Size
	}
	if r.Mode >= 0 {
		e.Mode = orNull(fmt.Sprintf("%04o", r.Mode))
	}
	if !r.ModTime.IsZero() {
		seconds := r.Precision.Seconds()
		e.Time, e.Precision = orNull(strings.Replace(timeText(r.Entry), " ", "T", 1)), &seconds
	}
	return e
}

// orNull returns nil for a text that was not told.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// report prints a JSON object of a run that goes on if it cannot be written.
func (o *output) report(v any) {
	err := o.object(v)
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		o.lose(err)
	}
}

// object prints a JSON object on standard output. Its error is an
// [*unwrittenError].
func (o *output) object(v any) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, err := o.stdout.Write(jsonLine(v)); err != nil {
		return &unwrittenError{err}
	}
	return nil
}
