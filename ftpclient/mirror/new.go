package mirror

import (
	"fmt"
	"slices"
)

// New plans how dst becomes equal to src. It sorts the entries of both, keeps
// pointers to them in the plan, and changes nothing else. opts may be nil.
func New(src, dst *Tree, opts *Options) *Plan {
	var o Options
	if opts != nil {
		o = *opts
	}
	p := build(src, dst, &o)
	n := len(p.plan.Deletes) + len(p.plan.Replaced)
	if n == 0 {
		return p.plan
	}
	vetoes := p.vetoes(slices.Concat(src.Doubts, dst.Doubts), n)
	if len(vetoes) == 0 {
		return p.plan
	}
	o.Delete = false
	p = build(src, dst, &o)
	p.plan.Vetoes, p.plan.Vetoed = vetoes, n
	return p.plan
}

// vetoes says why n names must not be deleted. doubts are those of the lists.
func (p *planner) vetoes(doubts []string, n int) []string {
	all := append(doubts, p.doubts...)
	if len(p.src) == 0 {
		all = append(all, "the source is empty")
	}
	if limit := max(p.o.MaxDelete, 0); p.o.MaxDelete != 0 && n > limit {
		all = append(all, fmt.Sprintf("%d to be deleted, and at most %d allowed", n, limit))
	}
	return all
}

// A state is what becomes of an entry.
type state uint8

const (
	in       state = iota // it takes part
	through               // a directory, of which only what is below does
	out                   // it does not, nor does anything below it
	gone                  // in the destination: to be deleted
	replaced              // in the destination: to be deleted for what comes there
)

// A planner holds what is known about each entry, by its place in the trees.
type planner struct {
	o        *Options
	src, dst []Entry
	srcState []state
	dstState []state
	partner  []int32  // of each in src, in dst; or -1
	doubts   []string // the first entry of each tree that cannot be in one
	plan     *Plan
}

func build(src, dst *Tree, o *Options) *planner {
	byPath := func(a, b Entry) int { return compare(a.Path, b.Path) }
	slices.SortStableFunc(src.Entries, byPath)
	slices.SortStableFunc(dst.Entries, byPath)
	p := &planner{o: o, src: src.Entries, dst: dst.Entries, plan: new(Plan)}
	p.srcState = p.admit(p.src)
	p.dstState = p.admit(p.dst)
	p.leaveOut()
	p.pair()
	if o.Delete {
		p.hold()
	}
	p.make()
	return p
}

// admit says which entries of a tree take part. Those that cannot be in a tree
// do not, and are a reason to doubt the rest.
func (p *planner) admit(entries []Entry) []state {
	states := make([]state, len(entries))
	first := true
	doubtful := func(e *Entry, why string) {
		p.plan.LeftOut = append(p.plan.LeftOut, Note{Source: e, Why: why})
		if first {
			p.doubts = append(p.doubts, fmt.Sprintf("%q %s", e.Path, why))
		}
		first = false
	}
	var dirs []string // that the last entry is in
	shade := ""       // the last one that is out
	for i := range entries {
		e := &entries[i]
		for len(dirs) > 0 && !under(e.Path, dirs[len(dirs)-1]) {
			dirs = dirs[:len(dirs)-1]
		}
		switch {
		case !isLocal(e.Path):
			doubtful(e, "is a name that leads elsewhere")
			states[i] = out
			continue
		case i > 0 && entries[i-1].Path == e.Path, i+1 < len(entries) && entries[i+1].Path == e.Path:
			doubtful(e, "is named twice")
			states[i] = out
		case under(e.Path, shade):
			states[i] = out
		case parent(e.Path) != "" && (len(dirs) == 0 || dirs[len(dirs)-1] != parent(e.Path)):
			doubtful(e, "is in no directory")
			states[i] = out
		case e.Out != "" || e.Type == Other:
			states[i] = out
		default:
			states[i] = p.scope(e)
		}
		if states[i] == out {
			if !under(e.Path, shade) {
				shade = e.Path
			}
		} else if e.Type == Dir {
			dirs = append(dirs, e.Path)
		}
	}
	return states
}

func (p *planner) scope(e *Entry) state {
	if p.o.Scope == nil {
		return in
	}
	switch p.o.Scope(e.Path, e.Type == Dir) {
	case Inside:
		return in
	case Through:
		if e.Type == Dir {
			return through
		}
	}
	return out
}

// leaveOut notes what is left out of the source, and why.
func (p *planner) leaveOut() {
	for i := range p.src {
		e := &p.src[i]
		why := e.Out
		switch {
		case p.srcState[i] == out && e.Out == "" && e.Type == Other && isLocal(e.Path) && p.scope(e) == in:
			why = "is no regular file"
		case p.srcState[i] == out:
			if e.Out == "" {
				p.plan.Outside++
			}
		case e.Type != Link:
		case p.o.Links == SkipLinks:
			why = "is a link"
		case p.o.Links == FollowLinks:
			why = "is a link that leads to no file"
		case !isLocalTarget(e.Path, e.Target):
			why = "is a link that leads out of the tree, or may"
		}
		if why != "" {
			p.srcState[i] = out
			p.plan.LeftOut = append(p.plan.LeftOut, Note{Source: e, Why: why})
		}
	}
}
