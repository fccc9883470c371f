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

// timeOf returns the time that a file of the source is given in the destination: of one
// that only a list tells, that is what the list has. Where the zone is not known, the
// entry has the earliest that it can be, to be compared.
func (m *mirroring) timeOf(e *mirror.Entry) time.Time {
	l, ok := m.listed[e.Path]
	if m.up || !ok {
		return e.ModTime
	}
	when, _, _ := m.zone.UTC(l.time, 0)
	return when
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

// timeProbes is how many files are tried for whether their times can be set: some
// may be of another owner.
const timeProbes = 8

// takesNoTimes finds out whether the times of files cannot be set on the server, if
// the plan depends on it: then what was sent before is younger there than here. It
// sets a file to the time that it has. A preview does not, and says where it may be
// wrong.
func (m *mirroring) takesNoTimes(ctx context.Context, plan *mirror.Plan) (noTimes bool) {
	var probes []*mirror.Entry
	add := func(e *mirror.Entry) {
		if len(probes) < timeProbes {
			probes = append(probes, e)
		}
	}
	for _, p := range plan.Files {
		if p.Why == mirror.TimeDiffers && p.Dest.ModTime.After(p.Source.ModTime) {
			add(p.Dest)
		}
	}
	for _, c := range plan.Changes {
		if c.Time {
			add(c.Dest)
		}
	}
	if len(probes) == 0 {
		return false
	}
	// What is not known is compared by time: that moves too much, not too little.
	_ = m.client.Do(ctx, func(conn *ftpclient.Conn) error {
		if m.mo.dryRun {
			sets, err := conn.SetsModTime(ctx)
			if err == nil && !sets {
				m.out.warn("mirror %s: whether the server sets times of files was not tried; if not, fewer are moved", m.remote)
			}
			return err
		}
		for _, e := range probes {
			err := conn.SetModTime(ctx, m.join(e.Path).Path, e.ModTime)
			if noTimes = errors.Is(err, errors.ErrUnsupported); noTimes {
				m.out.note("mirror %s: the server does not set the times of files (%s); those of the same size that are not older there are taken for the same", m.remote, describe(err))
			}
			if err == nil || noTimes || !conn.Usable() {
				return err
			}
		}
		return nil
	})
	return noTimes
}
