package main

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/mirror"
)

// A mirroring is one run of the verb mirror.
type mirroring struct {
	*session
	remote
	mo     *mirrorOptions
	filter pathFilter
	local  string   // the directory here, as it was typed
	up     bool     // from here to the server
	args   []string // what to type again, without a password
	client *ftpclient.Client

	here, there mirror.Tree
	listed      map[string]listedTime // times in there that are not exact, by path
	hasty       map[string]bool       // files here that may be older than they look
	parts       map[string]bool       // unfinished transfers, in the destination
	lengthless  map[string]bool       // links on the server of which no size is told
	zone        mirror.Zone           // of the server's lists
	mute        atomic.Bool           // the server does not tell times (MDTM)
	unstamped   bool                  // the server takes no times
	counts      mirrorCounts
}

// A mirrorCounts is what the summary tells besides the files that were moved.
type mirrorCounts struct {
	same, deleted, leftOut int
	failed                 int // besides transfers
}

// runAll makes DST equal to SRC and sums it up.
func (m *mirroring) runAll(ctx context.Context) {
	m.begin(true)
	if !m.up {
		var release func()
		ctx, release = m.untilFull(ctx)
		defer release()
	}
	err := m.run(ctx)
	took := time.Since(m.tally.start)
	m.bars.stop()
	if err != nil && interrupted(ctx) == nil {
		m.fails(ctx, m.args[0], err)
	}
	m.stopped(ctx, []string{m.args[0]}, []bool{ctx.Err() == nil}, m.args[1])
	m.summarise(took)
}

// run lists both sides, plans and does what is to be done. Its error ends the
// run; what concerns one name alone has been reported.
func (m *mirroring) run(ctx context.Context) (err error) {
	if m.client, err = m.session.client(m.remote); err != nil {
		return err
	}
	if err := m.scan(ctx); err != nil {
		return err
	}
	if err := m.walk(ctx); err != nil {
		return err
	}
	plan, err := m.plan(ctx)
	if err != nil {
		return err
	}
	m.counts.same = plan.Same
	m.counts.leftOut = len(plan.LeftOut) + plan.Outside
	m.explain(plan)
	if plan.Timeless > 0 {
		m.out.warn("mirror %s: of %d files a time is not told; they were compared by size alone", m.remote, plan.Timeless)
	}
	if m.mo.dryRun {
		m.preview(plan)
	} else if err := m.carryOut(ctx, plan); err != nil {
		return err
	}
	if ctx.Err() == nil && plan.Vetoed > 0 {
		m.veto(ctx, plan.Vetoed, plan.Vetoes)
	}
	return ctx.Err()
}

// sides returns the trees as source and destination.
func (m *mirroring) sides() (src, dst *mirror.Tree) {
	if m.up {
		return &m.here, &m.there
	}
	return &m.there, &m.here
}

// plan says what is to be done, after asking for what the lists leave open.
func (m *mirroring) plan(ctx context.Context) (*mirror.Plan, error) {
	src, dst := m.sides()
	build := func() *mirror.Plan { return mirror.New(src, dst, m.planOptions()) }
	if len(m.listed) > 0 && len(m.here.Entries) > 0 {
		m.findZone(ctx)
	}
	plan := build()
	if m.refine(ctx, plan) {
		plan = build()
	}
	if m.up && !m.unstamped && !m.mo.noTimes {
		if m.unstamped = m.takesNoTimes(ctx, plan); m.unstamped {
			plan = build()
		}
	}
	if m.mo.compare == "hash" {
		m.checkHashes(ctx, plan)
	}
	return plan, ctx.Err()
}

// carryOut does what the plan says: everything that takes nothing away first. What
// comes to delete is done if nothing before has failed.
func (m *mirroring) carryOut(ctx context.Context, plan *mirror.Plan) error {
	var d destination = &localDestination{mirroring: m}
	if m.up {
		d = &remoteDestination{mirroring: m}
	}
	defer d.close()
	if err := d.open(ctx); err != nil {
		if interrupted(ctx) == nil {
			m.fails(ctx, m.args[1], err)
		}
		return ctx.Err()
	}
	if m.goesOn(ctx, d.make(ctx, &plan.Work)) {
		d.change(ctx, plan.Changes)
	}
	for _, n := range plan.Conflicts {
		m.fails(ctx, m.subject(n.Path()), errors.New(n.Why))
	}
	doomed := len(plan.Replaced) + len(plan.Deletes)
	if doomed == 0 || ctx.Err() != nil {
		return nil
	}
	if m.hasFailed() {
		m.veto(ctx, doomed, []string{"not everything else has gone well"})
		return nil
	}
	check := m.stillThere
	if m.up {
		check = m.distinct
	}
	if why := check(ctx, plan); len(why) > 0 {
		if ctx.Err() == nil {
			m.veto(ctx, doomed, why)
		}
		return nil
	}
	before := m.counts.failed + m.tally.failed
	d.remove(ctx, plan.Replaced)
	m.goesOn(ctx, d.make(ctx, &plan.Successor))
	switch {
	case len(plan.Deletes) == 0 || ctx.Err() != nil:
	case m.counts.failed+m.tally.failed > before:
		m.veto(ctx, len(plan.Deletes), []string{"not everything else has gone well"})
	default:
		d.remove(ctx, plan.Deletes)
	}
	return nil
}

// goesOn reports err, if it is one, and says whether it is none.
func (m *mirroring) goesOn(ctx context.Context, err error) bool {
	if err != nil && ctx.Err() == nil {
		m.fails(ctx, m.remote.String(), err)
	}
	return err == nil
}

// A destination is the side that is changed. Its methods report what fails with one
// name, and return why nothing more can be done.
type destination interface {
	// open prepares the directory itself.
	open(context.Context) error
	make(context.Context, *mirror.Work) error
	change(context.Context, []mirror.Change)
	// remove deletes entries in their order, directories only if they are empty.
	remove(context.Context, []*mirror.Entry)
	close()
}

// hasFailed says whether anything has gone wrong so far.
func (m *mirroring) hasFailed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.code != exitOK
}
