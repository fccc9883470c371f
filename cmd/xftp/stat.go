package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// stat prints what the server tells of each of remotes.
func (s *session) stat(ctx context.Context, remotes []remote) {
	p := &listPrinter{output: s.out, o: s.o}
	var lost error
	s.each(ctx, remotes, func(r remote) {
		if lost != nil {
			return
		}
		e, err := s.describeEntry(ctx, r)
		if err != nil {
			s.failed(ctx, r.String(), err, "")
			return
		}
		lost = p.stat(row{e, e.Name, e.Name, r})
	})
	if lost != nil {
		s.failed(ctx, "", lost, "")
	}
}

// describeEntry returns the entry of r: what MLSD has told of it, or else what
// look finds out.
func (s *session) describeEntry(ctx context.Context, r remote) (e ftpclient.Entry, err error) {
	if r.entry != nil && r.entry.Facts != nil {
		return *r.entry, nil
	}
	err = s.do(ctx, r, func(conn *ftpclient.Conn) error {
		e, err = look(ctx, conn, r.Path)
		return err
	})
	return e, err
}

// stat prints a row on several lines.
func (p *listPrinter) stat(r row) error {
	if p.o.json {
		return p.object(r.object())
	}
	lines := []string{"type      " + r.Type.String(), "size      " + p.size(r.Size), "modified  " + timeText(r.Entry)}
	if r.Mode >= 0 {
		lines = append(lines, fmt.Sprintf("mode      %04o %s", r.Mode, modeText(r.Entry)))
	}
	for _, told := range [][2]string{{"owner", r.Owner}, {"group", r.Group}, {"target", r.Target}} {
		if told[1] != "" {
			lines = append(lines, fmt.Sprintf("%-9s %s", told[0], told[1]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Facts)) {
		lines = append(lines, fmt.Sprintf("fact      %s=%s", name, r.Facts[name]))
	}
	if err := p.head(r.of.String()); err != nil {
		return err
	}
	for _, line := range lines {
		if err := p.data("  " + line); err != nil {
			return err
		}
	}
	return nil
}
