package main

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// A node is a file or a directory of a tree that tests make.
type node struct {
	path string // below the top; bytes as they are
	size int64  // isDir for a directory
}

const isDir = -1

// uglyNames are names that clients and servers are known to have trouble with.
func uglyNames() []string {
	return []string{
		// Blanks, quotes, backslashes, and what programs take for an option.
		" leading space", "  two leading", "trailing space ", "double  space", "a b", "   ",
		`"quoted"`, `double""quote`, "'single'", `back\slash`, `\`, `back\\slashes`, `..\up`,
		"-dash", "-rf", "--", "--all", "~x", "~", "~root",
		// What means something in URLs, patterns and shells.
		"file:", "a:b", "c:x", ":", "user@host", "http:%2f", "%41", "%", "%00", "%2F", "%0d%0a",
		"#", "a#b", "a?b=c", "&", "a&b", "+", "a+b", "=", ",", "|", "<x>", "$HOME", "`id`", "(x)",
		"*", "?", "a*b", "[x]", "[!x]", "[", "{a,b}", "!", "!(x)",
		// What means something in FTP.
		";type=a", ";type=d", "a;b", "x=y; z", "type=dir;size=0; x",
		"total 0", "-> x", "a -> b", "drwxr-xr-x 2 0 0 4096 Jan  1 00:00 x", "226 done", "226-", "QUIT",
		"...", ".hidden", "..x", "x..", "x.",
		// Bytes that are not UTF-8, and runes that show as something else.
		"latin-1 \xe9", "IAC \xff\xfe", "\xff", "\xff\xff", "\x80", "overlong \xc0\xaf", "surrogate \xed\xa0\x80",
		"emoji \U0001F600", "\u00e9 composed", "e\u0301 decomposed", "\u65e5\u672c\u8a9e",
		"\u202eright to left", "\ufeffmark", "a\u00a0b", "a\u2028b", "C1 \u0085",
		"tab\there", "\tleading tab", "escape \x1b[31m", "bell\a!", "delete\x7f!", "\x02", "back\bspace", "\x1c\x1d\x1e\x1f",
		// As long as names may be.
		strings.Repeat("n", 255), strings.Repeat("\u00e9", 127) + "x", strings.Repeat("x", 240),
	}
}

// uglyTree is the tree that every way of moving a tree has to carry: the ugly
// names, of files and of directories, empty directories and deep ones, files of
// no byte, of one, and of some more.
func uglyTree() []node {
	all := []node{{"one byte", 1}, {"large", 300_000}, {"empty", isDir}, {"only/empty/below", isDir}}
	for i, name := range uglyNames() {
		all = append(all, node{name, int64(i)}, node{"dirs/" + name + "/" + name, int64(1 + i)})
	}
	deep := strings.Repeat("level/", 60)
	return append(all, node{deep + "file", 60}, node{deep + "empty", isDir})
}

// wideTree is n files in one directory.
func wideTree(n int) []node {
	all := make([]node, n)
	for i := range all {
		all[i] = node{fmt.Sprintf("file %05d", i), int64(i % 5)}
	}
	return all
}

// makeNodes makes a tree below a directory, with bytes that are the same each
// time, and times in the past.
func makeNodes(t *testing.T, dir string, tree []node) {
	t.Helper()
	random := rand.NewChaCha8([32]byte{5})
	past := time.Now().Add(-48 * time.Hour).Truncate(time.Second)
	for i, n := range tree {
		path := dir + "/" + n.path
		if n.size == isDir {
			if err := os.MkdirAll(path, 0o777); err != nil {
				t.Fatal(err)
			}
			continue
		}
		data := make([]byte, n.size)
		random.Read(data)
		when := past.Add(time.Duration(i) * 7 * time.Second)
		err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, data, 0o666))
		if err := cmp.Or(err, os.Chtimes(path, when, when)); err != nil {
			t.Fatal(err)
		}
	}
}

// A way is a direction in which names go.
type way uint8

const (
	up   way = 1 << iota // the client tells the server a name
	down                 // the server tells the client one in a list, and hears it back
)

// A treeLack is what a server cannot do with some names.
type treeLack struct {
	kind   lab.Kind
	ways   way
	what   string
	has    func(name string) bool
	isDir  bool // with those of directories alone
	isFile bool // with those of files alone
	silent bool // nobody says anything of it
}

// treeLacks are all that are known. What a tree loses otherwise, xftp has lost.
var treeLacks = []treeLack{
	{kind: lab.Proftpd, ways: up, what: "makes no directory with * in its name", isDir: true, has: holds("*")},
	{kind: lab.Pureftpd, ways: up, what: "refuses backslashes", has: holds(`\`)},
	{kind: lab.Pureftpd, ways: down, what: "lists files with backslashes, and refuses them", isFile: true, has: holds(`\`)},
	{kind: lab.Pureftpd, ways: down, what: "leaves names with control characters out of its lists", has: hasControl, silent: true},
	{kind: lab.Pureftpd, ways: up, what: "would store another name for a control character, or a blank at the end, so that it is not told",
		has: func(name string) bool { return hasControl(name) || strings.HasSuffix(name, " ") }},
}

func holds(chars string) func(string) bool {
	return func(name string) bool { return strings.ContainsAny(name, chars) }
}

func hasControl(name string) bool {
	return strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == '\x7f' })
}

// lackOf returns what a server cannot do with a path, or nil. Those that are
// silent come last: what is above them was said.
func lackOf(kind lab.Kind, w way, path string, dir bool) (lack *treeLack) {
	names := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i := range treeLacks {
		l := &treeLacks[i]
		if l.kind != kind || l.ways&w == 0 {
			continue
		}
		for at, name := range names {
			ofDir := dir || at < len(names)-1
			if l.has(name) && (!l.isDir || ofDir) && (!l.isFile || !ofDir) && (lack == nil || lack.silent) {
				lack = l
			}
		}
	}
	return lack
}

// A treeResult says what has become of a tree.
type treeResult struct {
	lacks map[string]int // what the server lacks, and how many names it cost
	told  bool           // it said so of one of them
}

func (r treeResult) String() string {
	if len(r.lacks) == 0 {
		return "pass"
	}
	var all []string
	for what, n := range r.lacks {
		all = append(all, fmt.Sprintf("%d names: the server %s", n, what))
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

// checkTree compares two trees by names and hashes. What is missing must be for
// want of what the server lacks. What is there must be as it was.
func checkTree(t *testing.T, kind lab.Kind, w way, got, want string) treeResult {
	t.Helper()
	have, err := hashTree(got)
	if err != nil {
		t.Fatal(err)
	}
	wanted, err := hashTree(want)
	if err != nil {
		t.Fatal(err)
	}
	result := treeResult{lacks: make(map[string]int)}
	for path, hash := range wanted {
		lack := lackOf(kind, w, path, len(hash) < 64)
		there, ok := have[path]
		switch {
		case ok && there != hash:
			t.Errorf("%q has other bytes", path)
		case ok && lack != nil:
			t.Errorf("%q is there, though the server %s", path, lack.what)
		case !ok && lack == nil:
			t.Errorf("%q is missing", path)
		case !ok:
			result.lacks[lack.what]++
			result.told = result.told || !lack.silent
		}
	}
	for path := range have {
		if _, ok := wanted[path]; !ok {
			t.Errorf("%q is there, and should not be", path)
		}
	}
	return result
}
