package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seed-54eb6215/xftp/bench/record"
	"github.com/seed-54eb6215/xftp/internal/lab"
)

// A bench goes through the cases, one after the other.
type bench struct {
	o    options
	say  *printer
	root string // what the server serves; in memory
	out  string // where downloads go; in memory
	home string // an empty directory for programs that look for their settings

	site     *site // of the case at hand
	siteLink link
	siteKind lab.Kind
	siteTLS  lab.TLSMode
	broken   bool // a run failed on the site: whatever it left there, the next one gets a new site
	contents map[set]*content
	file     *record.File
	ends     time.Time // nothing is begun after it
}

// memory is a file system in memory.
const memory = "/dev/shm"

func newBench(o options) (*bench, error) {
	b := &bench{o: o, say: newPrinter(os.Stdout), contents: make(map[set]*content), ends: time.Now().Add(o.limit)}
	parent, err := os.MkdirTemp(memory, fmt.Sprintf("xftp-bench-%d-", os.Getpid()))
	if err != nil {
		return nil, err
	}
	b.root, b.out, b.home = filepath.Join(parent, "root"), filepath.Join(parent, "out"), filepath.Join(parent, "home")
	for _, dir := range []string{b.root, b.out, b.home} {
		if err := errors.Join(os.Mkdir(dir, 0o755), os.Chmod(parent, 0o755)); err != nil {
			return nil, errors.Join(err, os.RemoveAll(parent))
		}
	}
	return b, b.checkSpace()
}

// checkSpace: two sets of files, an upload or download of one, and some room.
func (b *bench) checkSpace() error {
	var fs unix.Statfs_t
	if err := unix.Statfs(b.root, &fs); err != nil {
		return err
	}
	if have, want := int64(fs.Bavail)*fs.Bsize, b.o.bytes*7/2; have < want {
		return errors.Join(fmt.Errorf("%s has room for %d MB, and %d are needed; -bytes makes it less", memory, have/1e6, want/1e6), b.close())
	}
	return nil
}

func (b *bench) close() error {
	var err error
	if b.site != nil {
		err = b.site.close()
	}
	return errors.Join(err, os.RemoveAll(filepath.Dir(b.root)))
}

// content returns the files of a set, which it makes if they are not there.
func (b *bench) content(ctx context.Context, s set) (*content, error) {
	if c := b.contents[s]; c != nil {
		return c, nil
	}
	c, err := s.make(b.root, b.o.bytes)
	if err != nil {
		return nil, err
	}
	if b.site.lab == nil {
		if err := b.site.publish(ctx, c, b.root); err != nil {
			return nil, err
		}
	}
	b.contents[s] = c
	return c, nil
}

// moveTo makes the site that a case wants, unless it is there already.
func (b *bench) moveTo(ctx context.Context, c testCase) error {
	if b.site != nil && (b.o.url != "" || b.siteLink == c.link && b.siteKind == c.kind && b.siteTLS == c.tls && !b.broken) {
		return nil
	}
	b.broken = false
	if b.site != nil {
		if err := b.site.close(); err != nil {
			return err
		}
		b.site = nil
	}
	var s *site
	var err error
	if b.o.url != "" {
		s, err = newRealSite(b.o.iface, b.o.address, b.o.url)
	} else {
		s, err = newLabSite(ctx, c, b.o.mtu, b.root)
	}
	if err != nil {
		return err
	}
	b.site, b.siteLink, b.siteKind, b.siteTLS = s, c.link, c.kind, c.tls
	return nil
}

// run measures a case. What goes wrong in it is written down, and the next
// case may go on; an error is returned if ctx is over.
func (b *bench) run(ctx context.Context, c testCase) error {
	if c.unit == "" {
		c.unit = record.Transfer
	}
	rc := &record.Case{Name: c.name, Group: c.group, Title: c.title, Unit: c.unit, Floor: c.floor, Aim: c.aim}
	b.file.Cases = append(b.file.Cases, rc)
	err := b.runCase(ctx, c, rc)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		rc.Skipped = err.Error()
	} else {
		rc.Revision = b.file.Machine.Revision
	}
	b.say.result(rc)
	return nil
}

func (b *bench) runCase(ctx context.Context, c testCase, rc *record.Case) error {
	if time.Now().After(b.ends) {
		return fmt.Errorf("the time that -limit gives (%v) was over", b.o.limit)
	}
	if b.o.url != "" && (!c.link.isPlain() || c.kind != lab.Embedded || c.tls != lab.NoTLS || c.placed == together || c.job.verb == drain) {
		return errors.New("needs the lab")
	}
	if err := b.moveTo(ctx, c); err != nil {
		return err
	}
	rc.Server = b.site.kind.String()
	rc.Link = record.Link{MTU: b.o.mtu, Offload: c.link.offload, Threaded: c.link.threaded, RTT: 2 * c.link.delay, Loss: c.link.loss, Real: b.site.lab == nil}
	if c.link.mtu != 0 {
		rc.Link.MTU = c.link.mtu
	}
	if b.site.lab == nil {
		rc.Server = redacted(b.o.url)
	}
	content, err := b.content(ctx, c.job.set)
	if err != nil {
		return err
	}
	rc.Bytes, rc.Files = content.bytes, len(content.files)
	b.say.begin(c, rc, b.o.rounds)
	switch c.unit {
	case record.RTT:
		return b.latency(ctx, c, rc)
	case record.Frames:
		return b.ceiling(ctx, rc)
	case record.Startup:
		if err := b.race(ctx, c, rc, content); err != nil {
			return err
		}
		return b.startup(ctx, rc)
	}
	return b.race(ctx, c, rc, content)
}

// A racer is a peer in a case.
type racer struct {
	peer
	rec *record.Peer
}

// racers finds the peers of a case; the others are recorded as left out.
func (b *bench) racers(c testCase, rc *record.Case) []*racer {
	var all []*racer
	for _, name := range c.peers {
		rec := &record.Peer{Name: name}
		rc.Peers = append(rc.Peers, rec)
		p, err := b.findPeer(name)
		if err != nil {
			rec.LeftOut = "not installed"
			if !errors.Is(err, lab.ErrNoProgram) {
				rec.LeftOut = err.Error()
			}
			continue
		}
		all = append(all, &racer{p, rec})
	}
	return all
}

// race lets the peers of a case run in turn, round by round. Each round begins
// with another one, so that what one leaves behind does not always meet the
// same next.
func (b *bench) race(ctx context.Context, c testCase, rc *record.Case, content *content) error {
	all := b.racers(c, rc)
	fastest := 0.0
	for _, r := range all {
		b.add(ctx, r, c, content, 0, b.patience(fastest))
		if failed := r.rec.Runs[0].Error; failed != "" && !strings.HasPrefix(failed, tookLonger) && ctx.Err() == nil {
			// Once more, before it is out.
			r.rec.Runs = nil
			b.add(ctx, r, c, content, 0, b.patience(fastest))
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if run := r.rec.Runs[0]; run.Error == "" && (fastest == 0 || run.Seconds < fastest) {
			fastest = run.Seconds
		}
	}
	b.say.round(rc, 0)
	all = dropOut(all, fastest)
	began := time.Now()
	for round := 1; round <= b.o.rounds; round++ {
		if spent := time.Since(began); round > 1 && (spent > b.o.caseLimit || time.Now().After(b.ends)) {
			b.say.note("stopped after %d rounds, which took %.0f s", round-1, spent.Seconds())
			break
		}
		first := round % max(len(all), 1)
		for _, r := range slices.Concat(all[first:], all[:first]) {
			b.add(ctx, r, c, content, round, b.o.timeout)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
		}
		b.say.round(rc, round)
	}
	if c.series {
		for _, r := range all {
			b.trace(ctx, r, c, rc, content)
		}
	}
	return nil
}

// tookLonger begins the error of a run that was ended for want of patience.
const tookLonger = "took longer than "

// patience is how long a peer may take to warm up after the fastest one so far
// did: not for ever, as it would be left out anyway.
func (b *bench) patience(fastest float64) time.Duration {
	if fastest == 0 {
		return b.o.timeout
	}
	enough := time.Duration(1.25 * slow * fastest * float64(time.Second))
	return min(b.o.timeout, max(enough, 10*time.Second))
}

// slow is how many times as long as the fastest a peer may take in the warm-up
// before it is left out of the rounds. It cannot be the best peer, and would
// only make everything take longer.
const slow = 4

// dropOut leaves out who is too slow, or failed. xftp stays.
func dropOut(all []*racer, fastest float64) []*racer {
	var stay []*racer
	for _, r := range all {
		run := r.rec.Runs[0]
		switch {
		case run.Error != "":
			r.rec.LeftOut = "failed: " + run.Error
		case run.Seconds > slow*fastest && run.Seconds > 1 && r.name != xftp:
			r.rec.LeftOut = fmt.Sprintf("took %.1f s in the warm-up, %.0f times as long as the fastest", run.Seconds, run.Seconds/fastest)
		default:
			stay = append(stay, r)
		}
	}
	return stay
}

// add lets r run once and records it. Round 0 warms up. What was moved is
// checked outside of the timed part; where the bytes go nowhere, round 0 writes
// them to a file and checks that.
func (b *bench) add(ctx context.Context, r *racer, c testCase, content *content, round int, patience time.Duration) {
	b.say.running(r.name, round)
	run := b.attempt(ctx, r, c, content, round, patience)
	run.Round = round
	if run.Error == "" && run.Seconds > 0 {
		run.Bytes = content.bytes
	}
	r.rec.Runs = append(r.rec.Runs, run)
	if run.Error != "" {
		b.say.note("%s: %s", r.name, run.Error)
		b.broken = true
	}
}

func (b *bench) attempt(ctx context.Context, r *racer, c testCase, content *content, round int, patience time.Duration) record.Run {
	if err := b.moveTo(ctx, c); err != nil { // it is there, unless it is broken
		return record.Run{Error: err.Error()}
	}
	t, err := b.task(c.job, content, round == 0)
	if err != nil {
		return record.Run{Error: err.Error()}
	}
	t.active = c.active
	words := r.words(t)
	if words == nil {
		return record.Run{Error: "cannot do it"}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("%s%v", tookLonger, patience.Round(time.Second)))
	defer cancel()
	cmd := b.command(ctx, r.peer, words)
	if round == 1 || r.rec.Command == nil {
		r.rec.Command = b.shown(cmd.Args)
	}
	handshakes, err := b.site.handshakes()
	if err != nil {
		return record.Run{Error: err.Error()}
	}
	run := b.once(ctx, cmd, c.job.verb == cat && round > 0)
	if run.Error == "" && c.tls != lab.NoTLS {
		if run.TLS, err = b.site.tlsSince(len(handshakes)); err != nil {
			run.Error = err.Error()
		}
	}
	if run.Error == "" {
		run.Verified, err = b.verify(ctx, t, content)
		if err != nil {
			run.Error = err.Error()
		}
	}
	if err := b.cleanUp(ctx, t); err != nil && run.Error == "" {
		run.Error = err.Error()
	}
	return run
}

// shown makes a command fit to be published: without the names of temporary
// directories.
func (b *bench) shown(words []string) []string {
	names := []string{b.site.base, redacted(b.site.base), b.out, "OUT", b.root, "ROOT", b.home, "HOME", filepath.Dir(b.o.program) + "/", ""}
	if ca := b.site.caFile(); ca != "" {
		names = append(names, ca, "CA")
	}
	replace := strings.NewReplacer(names...)
	var shown []string
	for i, w := range words {
		if i == 0 {
			w = filepath.Base(w)
		}
		shown = append(shown, replace.Replace(w))
	}
	return shown
}

// redacted returns a URL without the password in it.
func redacted(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "URL"
	}
	return u.Redacted()
}
