package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestNameKey(t *testing.T) {
	for _, same := range [][2]string{
		{"README.txt", "readme.TXT"}, {"caf\u00e9", "cafe\u0301"}, {"\u00e9.txt", "_.txt"}, {"\u00e9.txt", "?.txt"},
		{"\uac00b", "\u1100\u1161b"}, {"a.", "a"}, {" a ", "a"}, {"\xe9.txt", "\u00e9.txt"},
	} {
		if a, b := nameKey(same[0]), nameKey(same[1]); a != b {
			t.Errorf("%q is %q, %q is %q", same[0], a, same[1], b)
		}
	}
	for _, other := range [][2]string{{"a", "b"}, {".a", "a"}, {"a-b", "ab"}, {"a.txt", "a"}} {
		if a, b := nameKey(other[0]), nameKey(other[1]); a == b {
			t.Errorf("%q and %q are %q", other[0], other[1], a)
		}
	}
}

func TestParting(t *testing.T) {
	for _, test := range [][5]string{
		{"a", "A", "", "a", "A"}, {"d/a", "D/a", "", "d", "D"}, {"d/e/a", "d/E/A", "d", "e", "E"}, {"d/a", "d/A", "d", "a", "A"},
	} {
		if dir, a, b := parting(test[0], test[1]); dir != test[2] || a != test[3] || b != test[4] {
			t.Errorf("%q and %q part in %q: %q, %q", test[0], test[1], dir, a, b)
		}
	}
}

// A file that has only changed the case of its name is not sent and then deleted under
// the old one, where the server takes both for the same.
func TestMirrorUpIgnoredCase(t *testing.T) {
	t.Parallel()
	m := newFaultyMirror(t, nil)
	m.folds = true
	m.write(m.local, "README", "fresh", 1)
	m.write(m.local, "Dir/a", "fresh", 1)
	m.write(m.root, "readme", "stale", 3)
	m.write(m.root, "dir/A", "stale", 3)
	m.write(m.root, "dir/old", "old", 3)
	_, stderr := m.run(1, "--delete", "HERE", "SERVER")
	m.says(stderr, `readme: is not deleted: may be what the server has for README: "README" is not listed now`,
		`dir/A: is not deleted: may be what the server has for Dir/a: "Dir" is not listed now`)
	m.holds(m.root, "readme", "fresh")
	m.holds(m.root, "dir/A", "fresh")
	if _, err := os.Stat(filepath.Join(m.root, "dir/old")); err == nil {
		t.Errorf("dir/old is there")
	}
}

// Where the server has both names, the old one goes.
func TestMirrorUpOtherCase(t *testing.T) {
	t.Parallel()
	m := newFaultyMirror(t, nil)
	m.write(m.local, "README", "fresh", 1)
	m.write(m.local, "Dir/a", "fresh", 1)
	m.write(m.root, "readme", "stale", 3)
	m.write(m.root, "dir/A", "stale", 3)
	m.run(0, "--delete", "HERE", "SERVER")
	want, err := hashTree(m.local)
	if err != nil {
		t.Fatal(err)
	}
	got, err := hashTree(m.root)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) || got["/Dir/a"] != want["/Dir/a"] {
		t.Errorf("%v, want %v", got, want)
	}
}
