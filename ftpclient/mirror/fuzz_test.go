package mirror_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient/mirror"
)

// dice are the bytes of a fuzzer, and zeros behind them.
type dice []byte

func (d *dice) roll(n int) int {
	if len(*d) == 0 {
		return 0
	}
	b := (*d)[0]
	*d = (*d)[1:]
	return int(b) % n
}

var (
	names    = []string{"a", "b", "-f", "~", "file:", "a:b", " c", "d ", "..x", "a-", "\\", "*", "é", "\xff"}
	hostile  = []string{"..", ".", "", "../x", "/x", "a/../b", "a//b", "a/", "x/y/z", "a\x00b"}
	targets  = []string{"a", "../a", "../../a", "/etc", "a/../b", "a/..", "./b", ""}
	stamps   = []int64{1e9, 1e9 + 1, 1e9 + 59, 1e9 + 3600, 2e9}
	spans    = []time.Duration{0, time.Second, time.Minute, 24 * time.Hour}
	maximums = []int{0, 0, 0, 1, -1}
)

// tree makes a tree. What a list should not hold is in it now and then.
func (d *dice) tree() *mirror.Tree {
	t := new(mirror.Tree)
	dirs := []string{""}
	for range d.roll(16) {
		path := dirs[d.roll(len(dirs))] + names[d.roll(len(names))]
		e := mirror.Entry{Path: path, Type: mirror.File, Size: int64(d.roll(4)) - 1, Mode: int16(d.roll(3)) - 1}
		if when := d.roll(len(stamps) + 1); when > 0 {
			e.ModTime, e.Precision = time.Unix(stamps[when-1], 0), spans[d.roll(len(spans))]
			e.ModTime = e.ModTime.Truncate(max(e.Precision, time.Second))
		}
		switch d.roll(16) {
		case 0, 1, 2, 3, 4:
			e = mirror.Entry{Path: path, Type: mirror.Dir, Size: -1, Mode: -1}
			dirs = append(dirs, path+"/")
		case 5, 6:
			e = mirror.Entry{Path: path, Type: mirror.Link, Size: -1, Mode: -1, Target: targets[d.roll(len(targets))]}
		case 7:
			e.Type = mirror.Other
		case 8:
			e.Out = "left out"
		case 9:
			e.Path = hostile[d.roll(len(hostile))]
		}
		// Most trees name nothing twice.
		if d.roll(16) == 0 || !slices.ContainsFunc(t.Entries, func(o mirror.Entry) bool { return o.Path == e.Path }) {
			t.Entries = append(t.Entries, e)
		}
	}
	if d.roll(16) == 1 {
		t.Doubts = []string{"a line that was not understood"}
	}
	return t
}

func (d *dice) options() *mirror.Options {
	o := &mirror.Options{
		Compare: mirror.Compare(d.roll(3)), Links: mirror.Links(d.roll(3)),
		Delete: d.roll(4) != 0, MaxDelete: maximums[d.roll(len(maximums))],
		Unstamped: d.roll(4) == 1, KeepModes: d.roll(2) == 1,
	}
	switch special := names[d.roll(len(names))]; d.roll(4) {
	case 1: // excluded
		o.Scope = func(path string, _ bool) mirror.Scope {
			if slices.Contains(strings.Split(path, "/"), special) {
				return mirror.Outside
			}
			return mirror.Inside
		}
	case 2: // included
		o.Scope = func(path string, isDir bool) mirror.Scope {
			switch {
			case slices.Contains(strings.Split(path, "/"), special):
				return mirror.Inside
			case isDir:
				return mirror.Through
			default:
				return mirror.Outside
			}
		}
	case 3: // excluded, if it is a directory
		o.Scope = func(path string, isDir bool) mirror.Scope {
			if isDir && strings.HasSuffix("/"+path, "/"+special) {
				return mirror.Outside
			}
			return mirror.Inside
		}
	}
	return o
}

// checkPlan plans, carries out on a model, and plans again.
func checkPlan(t *testing.T, seed []byte) {
	d := dice(seed)
	src, dst, o := d.tree(), d.tree(), d.options()
	differs := d.roll(2) == 1
	before := modelOf(dst)
	after := maps.Clone(before)
	p := mirror.New(src, dst, o)
	clean := len(src.Doubts)+len(dst.Doubts) == 0 && !slices.ContainsFunc(p.LeftOut, func(n mirror.Note) bool {
		return slices.Contains([]string{"is named twice", "is in no directory", "is a name that leads elsewhere"}, n.Why)
	})
	if deletes := len(p.Deletes) + len(p.Replaced); deletes > 0 {
		switch {
		case !o.Delete, !clean, len(src.Entries) == 0, o.MaxDelete < 0, o.MaxDelete > 0 && deletes > o.MaxDelete:
			t.Fatalf("deletes %d", deletes)
		case p.Vetoed > 0 || len(p.Vetoes) > 0:
			t.Fatalf("deletes %d in spite of %q", deletes, p.Vetoes)
		}
	}
	if p.Vetoed > 0 && clean && len(src.Entries) > 0 && (o.MaxDelete == 0 || o.MaxDelete > 0 && p.Vetoed <= o.MaxDelete) {
		t.Errorf("deletes nothing, because of %q", p.Vetoes)
	}
	for _, e := range p.Replaced {
		if blocked(p, e.Path) {
			t.Errorf("deletes %q, and puts nothing there", e.Path)
		}
	}
	if err := after.apply(p, o, func(string) bool { return differs }); err != nil {
		t.Fatal(err)
	}
	untouched(t, src, before, after, o)

	// What could be done is done.
	source := modelOf(src)
	if sound(src) && sound(dst) {
		for path, e := range after {
			if got, ok := source[path]; o.Delete && p.Vetoed == 0 && !ok && !kept(p, path) && outside(src, after, o, path) == "" {
				t.Errorf("%q (%v) is left over; the source has %v", path, e.Type, got)
			}
		}
		for path, e := range source {
			got, ok := after[path]
			if outside(src, after, o, path) != "" || o.Scope != nil && e.Type == mirror.Dir || blocked(p, path) {
				continue
			}
			if !ok || got.Type != e.Type || e.Type == mirror.Link && got.Target != e.Target || got.Size != e.Size && e.Size >= 0 && got.Size >= 0 {
				t.Errorf("%q is %+v, and %+v in the source", path, got, e)
			}
		}
	}

	// The second plan has nothing to do, but where nothing tells that.
	again := mirror.New(src, after.tree(), o)
	again.Check = nil
	again.Files = slices.DeleteFunc(again.Files, func(f mirror.Pair) bool { return f.Why == mirror.Unknown })
	if !again.Empty() && p.Vetoed == 0 && sound(src) && sound(dst) {
		t.Errorf("the second plan: %+v", again)
	}
	if t.Failed() {
		t.Logf("src %+v\ndst %+v\noptions %+v\nplan %+v", src.Entries, dst.Entries, o, p)
	}
}

// sound reports whether a tree holds only what a tree can hold.
func sound(t *mirror.Tree) bool { return len(modelOf(t)) == len(t.Entries) }

// outside says why a path takes no part: it is left out on either side, or below
// what is.
func outside(src *mirror.Tree, dst model, o *mirror.Options, path string) string {
	for at := path; at != ""; at = dirOf(at) {
		for _, e := range append(slices.Clone(src.Entries), dst[at]) {
			switch {
			case e.Path != at:
			case e.Out != "", e.Type == mirror.Other:
				return "is left out"
			case o.Scope != nil && (o.Scope(at, e.Type == mirror.Dir) == mirror.Outside || at == path && o.Scope(at, e.Type == mirror.Dir) == mirror.Through):
				return "is out of scope"
			}
		}
		for _, e := range src.Entries {
			if e.Path == at && e.Type == mirror.Link && o.Links != mirror.KeepLinks {
				return "is a link in the source"
			}
			if e.Path == at && e.Type == mirror.Link && !slices.Contains([]string{"a", "./b"}, e.Target) {
				return "is a link that leads out, perhaps"
			}
		}
	}
	return ""
}

// untouched fails if anything that is left out was.
func untouched(t *testing.T, src *mirror.Tree, before, after model, o *mirror.Options) {
	t.Helper()
	for path, e := range before {
		if why := outside(src, before, o, path); why != "" && why != "is a link that leads out, perhaps" && after[path] != e {
			t.Errorf("%q %s, was %+v and is %+v", path, why, e, after[path])
		}
	}
}

// kept reports whether a plan says why a path, or something in it or around it,
// stays.
func kept(p *mirror.Plan, path string) bool {
	return slices.ContainsFunc(slices.Concat(p.LeftOut, p.Conflicts), func(n mirror.Note) bool {
		return n.Path() == path || strings.HasPrefix(n.Path(), path+"/") || strings.HasPrefix(path, n.Path()+"/")
	})
}

// blocked reports whether a plan says that a path is in conflict.
func blocked(p *mirror.Plan, path string) bool {
	return slices.ContainsFunc(p.Conflicts, func(n mirror.Note) bool {
		return n.Path() == path || strings.HasPrefix(path, n.Path()+"/")
	})
}

func FuzzPlan(f *testing.F) {
	f.Add([]byte{})
	f.Fuzz(checkPlan)
}

// TestPlans is the fuzzer with dice of its own.
func TestPlans(t *testing.T) {
	r := rand.New(rand.NewChaCha8([32]byte{1}))
	for range 4000 {
		seed := make([]byte, 300)
		for i := range seed {
			seed[i] = byte(r.Uint32())
		}
		checkPlan(t, seed)
		if t.Failed() {
			return
		}
	}
}
