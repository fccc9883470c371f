package mirror

import "fmt"

// A maker goes through the source in order.
type maker struct {
	*planner
	blocked string   // what is below it cannot be made
	reason  *Note    // why, until that is noted
	late    string   // what is below it comes when what is replaced is gone
	pending []*Entry // directories that are made if something in them is
}

// make says what is to be made.
func (p *planner) make() {
	m := &maker{planner: p}
	for i := range p.src {
		e := &p.src[i]
		if p.srcState[i] == out {
			continue
		}
		if under(e.Path, m.blocked) {
			if m.reason != nil && p.srcState[i] == in {
				p.plan.Conflicts = append(p.plan.Conflicts, *m.reason)
				m.reason = nil
			}
			continue
		}
		m.one(e, p.srcState[i], p.partner[i])
	}
}

// one says what is to be done for one entry, which has the partner at j.
func (m *maker) one(e *Entry, s state, j int32) {
	if j < 0 {
		m.create(e, s, nil)
		return
	}
	d := &m.dst[j]
	switch {
	case m.dstState[j] == replaced:
		if !under(e.Path, m.late) {
			m.late = e.Path
		}
		m.create(e, s, d)
	case d.Type != e.Type:
		m.block(e, s, Note{e, d, m.conflict(e, d, m.dstState[j])})
	case m.dstState[j] == out:
		m.block(e, s, Note{e, d, "is left out in the destination"})
	case e.Type == File:
		m.compare(e, d)
	case e.Type == Link && e.Target != d.Target:
		m.plan.Links = append(m.plan.Links, e)
	}
}

// conflict says why something of another type is not replaced.
func (m *maker) conflict(e, d *Entry, s state) string {
	text := fmt.Sprintf("is %v in the source and %v in the destination", e.Type, d.Type)
	switch {
	case s == out:
		return text + ", which is left out"
	case m.o.Delete:
		return text + ", which holds what is not deleted"
	default:
		return text + ", which only a mirror that deletes replaces"
	}
}

func (m *maker) block(e *Entry, s state, why Note) {
	m.blocked = e.Path
	if s == through {
		m.reason = &why
		return
	}
	m.plan.Conflicts = append(m.plan.Conflicts, why)
}

// create makes what is not there. d is what it replaces, or nil.
func (m *maker) create(e *Entry, s state, d *Entry) {
	w := &m.plan.Work
	if e.Path == m.late || under(e.Path, m.late) {
		w = &m.plan.Successor
	}
	for len(m.pending) > 0 && !under(e.Path, m.pending[len(m.pending)-1].Path) {
		m.pending = m.pending[:len(m.pending)-1]
	}
	if s == through {
		m.pending = append(m.pending, e)
		return
	}
	w.Dirs = append(w.Dirs, m.pending...)
	m.pending = m.pending[:0]
	switch e.Type {
	case Dir:
		w.Dirs = append(w.Dirs, e)
	case Link:
		w.Links = append(w.Links, e)
	default:
		why := IsNew
		if d != nil {
			why = TypeDiffers
		}
		w.Files = append(w.Files, Pair{e, d, why})
	}
}
