package listing

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// A Type says what an [Entry] is.
type Type uint8

// The types. What is none of these, or is not told, is Unknown.
const (
	Unknown Type = iota
	File
	Dir
	Link    // a symbolic link
	Current // the listed directory itself
	Parent  // its parent
	Special // a device, FIFO, socket or the like, which cannot be moved
)

var typeNames = [...]string{"unknown", "file", "dir", "link", "current", "parent", "special"}

// String returns the type in lower case.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return fmt.Sprintf("Type(%d)", uint8(t))
}

// An Entry is one line of a list, which a few dialects break in two.
type Entry struct {
	Name   string // as the server gives it
	Path   string // for the use of who walks a tree; empty here
	Type   Type
	Size   int64  // in bytes, or -1 if not told
	Target string // of a link, if told

	// ModTime is when it was last changed, or zero if not told. If UTC is set,
	// it is that. If not, it is what the server's clock showed, in a zone that
	// is not known, taken for UTC.
	ModTime time.Time
	UTC     bool

	// Precision is what ModTime is cut to: 24 hours, a minute, a second, or a
	// fraction of one. Zero if ModTime is.
	Precision time.Duration

	// Mode holds the permissions as chmod(1) takes them in octal, set-id bits
	// included, or is -1 if not told.
	Mode         int
	Owner, Group string // names or numbers; empty if not told

	// Facts holds everything that MLSD, MLST or EPLF told, the names in lower
	// case. It is nil for other lists.
	Facts map[string]string

	// Problem says, in lower case, why the entry cannot be used: the line was
	// not understood, and then it is Unknown without a Name, or it was, and the
	// name cannot be one in a directory. Empty otherwise.
	Problem string
	Line    string // what was sent, if there is a Problem
}

// newEntry returns an entry of which nothing is told.
func newEntry(name string, kind Type) Entry {
	return Entry{Name: name, Type: kind, Size: -1, Mode: -1}
}

// notUnderstood returns the entry for a line that is not.
func notUnderstood(problem, line string) Entry {
	e := newEntry("", Unknown)
	e.Problem, e.Line = problem, line
	return e
}

// checked returns e with what is wrong with its name. line is where it is from.
func (e Entry) checked(line string) Entry {
	if e.Problem != "" || e.Type == Current || e.Type == Parent {
		return e
	}
	if e.Problem = NameProblem(e.Name); e.Problem != "" {
		e.Line = line
	}
	return e
}

// NameProblem says what keeps name from being that of something in a directory,
// there and here, or returns "". A name that a server sends is one component of a path:
// one with a slash, or "..", would lead elsewhere, and one with a line break or a
// NUL would end a command early. A backslash is a character like others, but on
// Windows.
func NameProblem(name string) string {
	switch i := strings.IndexAny(name, "/\x00\r\n"+string(os.PathSeparator)); {
	case name == "":
		return "an empty name"
	case name == "." || name == "..", i >= 0 && os.IsPathSeparator(name[i]):
		return "a name that leads elsewhere"
	case i < 0:
		return ""
	case name[i] == 0:
		return "a name with a NUL"
	default:
		return "a name with a line break"
	}
}
