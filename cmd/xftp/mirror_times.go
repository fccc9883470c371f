package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/mirror"
)

// zoneSamples is how many files are asked for to find the zone of the server's
// lists: it is another one in summer, so that they are spread over the year.
const zoneSamples = 8

// findZone asks for the exact times of some files that the server's lists give in
// a zone that is not known, and puts the others right.
func (m *mirroring) findZone(ctx context.Context) {
	var candidates []*mirror.Entry
	for i := range m.there.Entries {
		e := &m.there.Entries[i]
		if l, ok := m.listed[e.Path]; ok && l.precision <= time.Minute {
			candidates = append(candidates, e)
		}
	}
	slices.SortFunc(candidates, func(a, b *mirror.Entry) int {
		return cmp.Or(a.ModTime.Compare(b.ModTime), cmp.Compare(a.Path, b.Path))
	})
	var samples []*mirror.Entry
	n := min(len(candidates), zoneSamples)
	for i := range n {
		samples = append(samples, candidates[i*(len(candidates)-1)/max(n-1, 1)])
	}
	listed := make([]listedTime, n)
	for i, e := range samples {
		listed[i] = m.listed[e.Path]
	}
	m.askTimes(ctx, samples)
	for i, e := range samples {
		if _, open := m.listed[e.Path]; !open {
			m.zone.Add(listed[i].time, listed[i].precision, e.ModTime)
		}
	}
	for i := range m.there.Entries {
		e := &m.there.Entries[i]
		if l, ok := m.listed[e.Path]; ok {
			e.ModTime, e.Precision, e.Doubt = m.zone.UTC(l.time, l.precision)
		}
	}
}

// refine asks for the exact times that a plan depends on, and says whether it
// has learned any: of files that would move because of their time, or because that
// is vague, of those that are to get it, and of those that may have been changed
// again within the minute that the list shows.
func (m *mirroring) refine(ctx context.Context, plan *mirror.Plan) bool {
	var open []*mirror.Entry
	add := func(p mirror.Pair) {
		e := p.Source
		if m.up {
			e = p.Dest
		}
		if e == nil {
			return
		}
		if _, ok := m.listed[e.Path]; ok {
			open = append(open, e)
		}
	}
	for _, w := range []*mirror.Work{&plan.Work, &plan.Successor} {
		for _, p := range w.Files {
			if !m.up && !m.mo.noTimes || p.Why == mirror.TimeDiffers || p.Why == mirror.Unknown {
				add(p)
			}
		}
	}
	for _, c := range plan.Changes {
		if c.Time {
			add(mirror.Pair{Source: c.Source, Dest: c.Dest})
		}
	}
	for _, p := range plan.Unsure {
		if m.up || m.hasty[p.Source.Path] {
			add(p)
		}
	}
	m.askTimes(ctx, open)
	return len(open) > 0
}

// askTimes asks when files on the server were last changed (MDTM). What is not
// told stays as it is.
func (m *mirroring) askTimes(ctx context.Context, entries []*mirror.Entry) {
	told := make([]time.Time, len(entries))
	// That such a question was not answered is no error.
	_ = m.client.Operate(ctx, func(yield func(ftpclient.Operation) bool) {
		for i, e := range entries {
			o := ftpclient.OpModTime(m.join(e.Path).Path, &told[i])
			o.Done = func(err error) {
				if errors.Is(err, errors.ErrUnsupported) {
					m.mute.Store(true)
				}
			}
			if m.mute.Load() || !yield(o) {
				return
			}
		}
	}, m.o.parallel)
	for i, t := range told {
		if !t.IsZero() {
			e := entries[i]
			e.ModTime, e.Precision, e.Doubt = t, time.Second, 0
			delete(m.listed, e.Path)
		}
	}
}

// takesNoTimes finds out whether the times of files cannot be set on the server, if
// the plan depends on it: then what was sent before is younger there than here. It
// sets one file to the time that it has.
func (m *mirroring) takesNoTimes(ctx context.Context, plan *mirror.Plan) bool {
	var probe *mirror.Entry
	for _, p := range plan.Files {
		if p.Why == mirror.TimeDiffers && p.Dest.ModTime.After(p.Source.ModTime) {
			probe = p.Dest
			break
		}
	}
	for _, c := range plan.Changes {
		if probe == nil && c.Time {
			probe = c.Dest
		}
	}
	if probe == nil {
		return false
	}
	no := false
	err := m.client.Do(ctx, func(conn *ftpclient.Conn) error {
		if m.mo.dryRun {
			features, err := conn.Features(ctx)
			no = err == nil && !features.Has("MFMT") && !features.Has("SITE UTIME")
			return err
		}
		err := conn.SetModTime(ctx, m.join(probe.Path).Path, probe.ModTime)
		no = errors.Is(err, errors.ErrUnsupported)
		return err
	})
	return no || err != nil
}
