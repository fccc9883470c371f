package mirror

// A Compare says when two files of the same name are the same.
type Compare uint8

// The ways to compare.
const (
	ByTime Compare = iota // same size and time, to the second unless [Entry.Precision] says otherwise
	BySize                // same size
	ByHash                // same size, and the hash is for the caller to compare: [Plan.Check]
)

// Links says what becomes of symbolic links in the source.
type Links uint8

// What becomes of them. A link is followed by the caller, who names it in the
// source as the file that it leads to; one that still is a link is left out.
const (
	FollowLinks Links = iota
	SkipLinks         // leave them out
	KeepLinks         // make links, if they are relative and stay in the tree
)

// A Scope says whether a path takes part in the mirror.
type Scope uint8

// The scopes.
const (
	Inside  Scope = iota // it does
	Through              // a directory that does not, but what is below it may
	Outside              // it does not, nor does anything below it
)

// Options are the particulars of [New]. The zero value moves everything,
// compares by size and time, and deletes nothing.
type Options struct {
	Compare Compare
	Links   Links

	// Scope, if not nil, is asked for both trees. A directory that is Through
	// is made if something below it is to be there, and never deleted.
	Scope func(path string, isDir bool) Scope

	// Delete plans to delete what is in the destination only, and what there is
	// of another type than in the source. If MaxDelete is positive, no more
	// than that; if negative, nothing.
	Delete    bool
	MaxDelete int

	// Unstamped says that files in the destination have the times at which
	// they were written, because these cannot be set or are not to be. Then a
	// file is the same if it has the same size and is not older. It is moved if
	// that depends on an hour that the lists do not tell.
	Unstamped bool

	KeepModes bool // permissions are to be as in the source
}

// A Reason says why a file is moved.
type Reason uint8

// The reasons.
const (
	IsNew       Reason = iota // there is none in the destination
	SizeDiffers               // it has another size there
	TimeDiffers               // it has another time there
	HashDiffers               // it has another hash there
	Unknown                   // nothing tells whether it is the same
	TypeDiffers               // it is something else there
)

// String returns the reason in a word.
func (r Reason) String() string {
	return [...]string{"new", "size", "time", "hash", "unknown", "type"}[r]
}

// A Pair is a file in the source, and what has its name in the destination, or
// nil. Both point into the trees that [New] was given.
type Pair struct {
	Source, Dest *Entry
	Why          Reason
}

// A Change is what differs about a file whose bytes are the same, and is to be
// as it is in the source.
type Change struct {
	Source, Dest *Entry
	Time, Mode   bool
}

// A Note says why something is not done. Source or Dest may be nil.
type Note struct {
	Source, Dest *Entry
	Why          string
}

// Path returns the path that the note is about.
func (n Note) Path() string {
	if n.Source != nil {
		return n.Source.Path
	}
	return n.Dest.Path
}

// Work is what is to be made in the destination: first the directories, each
// after the one that it is in.
type Work struct {
	Dirs  []*Entry
	Files []Pair
	Links []*Entry // with their targets
}

// A Plan makes a destination equal to its source, in the order of the fields.
type Plan struct {
	Work               // what nothing is in the way of
	Check     []Pair   // for [ByHash]: files to be moved if their hash differs
	Changes   []Change // of files that are not moved, unless Check says so
	Replaced  []*Entry // to be deleted, deepest first, because something else comes there
	Successor Work     // what comes there
	Deletes   []*Entry // to be deleted after all that, deepest first
	Conflicts []Note   // where something of another type is in the way
	LeftOut   []Note   // what was left out, but for what is out of [Options.Scope]
	Vetoes    []string // why nothing is deleted, if anything would be
	Vetoed    int      // how much would be

	// Unsure are files that are taken for the same by a time of which one side
	// is cut to more than a second: what was changed twice within that looks
	// the same.
	Unsure []Pair

	Same     int // files that are not moved
	Timeless int // of these, how many were compared by size because a time is not told
	Outside  int // names out of scope in the source
}

// Empty reports whether there is nothing to be done: the trees are equal, but
// for what is left out, in conflict or vetoed.
func (p *Plan) Empty() bool {
	return p.Work.empty() && p.Successor.empty() && len(p.Check)+len(p.Changes)+len(p.Replaced)+len(p.Deletes) == 0
}

func (w *Work) empty() bool { return len(w.Dirs)+len(w.Files)+len(w.Links) == 0 }
