package mirror_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient/mirror"
)

// A model is a file system, by path. It refuses what a real one refuses.
type model map[string]mirror.Entry

func modelOf(t *mirror.Tree) model {
	m := make(model)
	for _, e := range t.Entries {
		if _, twice := m[e.Path]; !twice && local(e.Path) && m.isDir(dirOf(e.Path)) {
			m[e.Path] = e
		}
	}
	return m
}

// tree lists the model.
func (m model) tree() *mirror.Tree {
	t := new(mirror.Tree)
	for _, path := range slices.Sorted(maps.Keys(m)) {
		t.Entries = append(t.Entries, m[path])
	}
	return t
}

func local(path string) bool {
	for name := range strings.SplitSeq(path, "/") {
		if name == "" || name == "." || name == ".." || strings.Contains(name, "\x00") {
			return false
		}
	}
	return true
}

func dirOf(path string) string { return path[:max(strings.LastIndexByte(path, '/'), 0)] }

func (m model) isDir(path string) bool { return path == "" || m[path].Type == mirror.Dir }

// write is when files are written whose time is not set.
var write = time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)

// apply does what a plan says. contents tells whether two files of the same size
// differ.
func (m model) apply(p *mirror.Plan, o *mirror.Options, differ func(path string) bool) error {
	work := func(w *mirror.Work) error {
		for _, e := range w.Dirs {
			if _, there := m[e.Path]; there || !m.isDir(dirOf(e.Path)) || !local(e.Path) {
				return fmt.Errorf("mkdir %q", e.Path)
			}
			m[e.Path] = mirror.Entry{Path: e.Path, Type: mirror.Dir, Size: -1, Mode: -1}
		}
		for _, f := range w.Files {
			if err := m.store(f.Source, o); err != nil {
				return err
			}
		}
		for _, e := range w.Links {
			if old, there := m[e.Path]; there && old.Type != mirror.Link || !m.isDir(dirOf(e.Path)) || !local(e.Path) {
				return fmt.Errorf("link %q", e.Path)
			}
			m[e.Path] = *e
		}
		return nil
	}
	remove := func(entries []*mirror.Entry) error {
		for _, e := range entries {
			if old, there := m[e.Path]; !there || old.Type != e.Type || !local(e.Path) {
				return fmt.Errorf("delete %q", e.Path)
			}
			for path := range m {
				if dirOf(path) == e.Path {
					return fmt.Errorf("delete %q, which holds %q", e.Path, path)
				}
			}
			delete(m, e.Path)
		}
		return nil
	}
	if err := work(&p.Work); err != nil {
		return err
	}
	for _, c := range p.Changes {
		e := m[c.Source.Path]
		if c.Time {
			e.ModTime, e.Precision = c.Source.ModTime, 0
		}
		if c.Mode {
			e.Mode = c.Source.Mode
		}
		m[e.Path] = e
	}
	for _, f := range p.Check {
		if differ(f.Source.Path) {
			if err := m.store(f.Source, o); err != nil {
				return err
			}
		}
	}
	if err := remove(p.Replaced); err != nil {
		return err
	}
	if err := work(&p.Successor); err != nil {
		return err
	}
	return remove(p.Deletes)
}

func (m model) store(e *mirror.Entry, o *mirror.Options) error {
	if old, there := m[e.Path]; there && old.Type != mirror.File || !m.isDir(dirOf(e.Path)) || !local(e.Path) {
		return fmt.Errorf("store %q", e.Path)
	}
	stored := *e
	if stored.Mode < 0 || !o.KeepModes {
		stored.Mode = 0o644
	}
	if o.Unstamped || e.ModTime.IsZero() {
		stored.ModTime = write
	}
	stored.Precision = 0
	m[e.Path] = stored
	return nil
}
