package mirror

import (
	"strings"
	"time"
)

// A Type says what an [Entry] is.
type Type uint8

// The types. What is none of the others is neither moved nor deleted.
const (
	Other Type = iota
	File
	Dir
	Link // a symbolic link
)

// String returns the type with its article, as "a file".
func (t Type) String() string {
	switch t {
	case File:
		return "a file"
	case Dir:
		return "a directory"
	case Link:
		return "a link"
	default:
		return "neither file nor directory"
	}
}

// An Entry is what a list tells of one name in a tree.
type Entry struct {
	Path string // below the top, with slashes between names
	Type Type

	// Mode holds the permission bits, or is -1 if they are not told.
	Mode int16

	Size   int64  // of a file in bytes, or -1 if it is not told
	Target string // of a link

	// ModTime is when a file was last changed, or zero if that is not told. What
	// it is cut to is Precision, zero for an exact time. No list tells that a file
	// system keeps whole numbers of two seconds (FAT): unless Precision does, a file
	// with an odd second is moved each time.
	ModTime   time.Time
	Precision time.Duration

	// Doubt is by how much ModTime may be wrong, either way, because nothing tells
	// in which zone it was listed. It counts with [Options.Unstamped] alone: where
	// times are set, they are set as they are listed.
	Doubt time.Duration

	// Out, if not empty, says why the entry is left out of the mirror, with all
	// that is below it. A name that is left out in one tree is not touched in
	// the other.
	Out string
}

// A Tree is what is below a directory. [New] sorts the entries.
type Tree struct {
	Entries []Entry

	// Doubts say why there may be more in the tree than the entries, or other
	// things: a directory that could not be listed, a line that was not understood.
	// Any doubt keeps [New] from planning to delete.
	Doubts []string
}

// compare orders paths so that each directory is followed by all that is below
// it.
func compare(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return rank(a[i]) - rank(b[i])
		}
	}
	return len(a) - len(b)
}

func rank(c byte) int {
	if c == '/' {
		return 0
	}
	return int(c) + 1
}

// under reports whether path is below dir, which is not empty.
func under(path, dir string) bool {
	return dir != "" && len(path) > len(dir) && path[len(dir)] == '/' && path[:len(dir)] == dir
}

// parent returns the directory of a path, or "".
func parent(path string) string { return path[:max(strings.LastIndexByte(path, '/'), 0)] }

// isLocal reports whether path names something below the top of a tree: names
// that are not empty, "." or "..", with single slashes between them.
func isLocal(path string) bool {
	for name := range strings.SplitSeq(path, "/") {
		if name == "" || name == "." || name == ".." || strings.IndexByte(name, 0) >= 0 {
			return false
		}
	}
	return true
}

// isLocalTarget reports whether a link at path that leads to target stays in the
// tree, whatever links there are in it. Behind a name, ".." is refused: the name
// may be a link itself, and what is above where it leads is not known.
func isLocalTarget(path, target string) bool {
	if target == "" || target[0] == '/' || strings.IndexByte(target, 0) >= 0 {
		return false
	}
	depth, named := strings.Count(path, "/"), false
	for name := range strings.SplitSeq(target, "/") {
		switch name {
		case "", ".":
		case "..":
			if depth--; named || depth < 0 {
				return false
			}
		default:
			named = true
		}
	}
	return true
}
