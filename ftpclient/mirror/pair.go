package mirror

import "slices"

// pair finds the partners, and what is in the destination only.
func (p *planner) pair() {
	p.partner = make([]int32, len(p.src))
	shade := ""  // a name that is out in the source: what has it is not touched
	victim := "" // a directory of the destination that something else replaces
	j := 0
	alone := func(j int) {
		e := &p.dst[j]
		switch {
		case under(e.Path, shade):
			p.dstState[j] = out
		case p.dstState[j] != in || !p.o.Delete:
		case under(e.Path, victim):
			p.dstState[j] = replaced
		default:
			p.dstState[j] = gone
		}
	}
	for i := range p.src {
		e := &p.src[i]
		for j < len(p.dst) && compare(p.dst[j].Path, e.Path) < 0 {
			alone(j)
			j++
		}
		p.partner[i] = -1
		if i > 0 && p.src[i-1].Path == e.Path {
			p.partner[i] = p.partner[i-1]
			continue
		}
		matches := j < len(p.dst) && p.dst[j].Path == e.Path
		if p.srcState[i] == out {
			if !under(e.Path, shade) {
				shade = e.Path
			}
		}
		if !matches {
			continue
		}
		p.partner[i] = int32(j)
		if p.dst[j].Type != e.Type && p.srcState[i] == in && p.dstState[j] == in && p.o.Delete {
			p.dstState[j] = replaced
			victim = e.Path
		}
		j++
	}
	for ; j < len(p.dst); j++ {
		alone(j)
	}
}

// hold keeps directories of the destination that are not empty when what is to
// be deleted in them is, and lists the others.
func (p *planner) hold() {
	held := make(map[string]bool)
	kept := make(map[string]bool) // in spite of what was to come there
	for j := len(p.dst) - 1; j >= 0; j-- {
		e := &p.dst[j]
		s := p.dstState[j]
		if (s == gone || s == replaced) && held[e.Path] {
			p.dstState[j] = through
			kept[e.Path] = s == replaced
			if s == gone {
				p.plan.LeftOut = append(p.plan.LeftOut, Note{Dest: e, Why: "holds what is not deleted"})
			}
		}
		switch p.dstState[j] {
		case gone:
			p.plan.Deletes = append(p.plan.Deletes, e)
		case replaced:
			p.plan.Replaced = append(p.plan.Replaced, e)
		default:
			held[parent(e.Path)] = true
		}
	}
	if len(kept) == 0 {
		return
	}
	// What is in them stays, too.
	p.plan.Replaced = slices.DeleteFunc(p.plan.Replaced, func(e *Entry) bool {
		for dir := parent(e.Path); dir != ""; dir = parent(dir) {
			if kept[dir] {
				return true
			}
		}
		return false
	})
}
