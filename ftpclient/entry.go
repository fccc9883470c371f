package ftpclient

import (
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient/listing"
)

// An Entry is one line of MLSD, MLST or LIST. Package listing reads them.
type Entry = listing.Entry

// An EntryType says what an [Entry] is.
type EntryType = listing.Type

// The types. What is none of these, or is not told, is EntryUnknown.
const (
	EntryUnknown = listing.Unknown
	EntryFile    = listing.File
	EntryDir     = listing.Dir
	EntryLink    = listing.Link    // a symbolic link
	EntryCurrent = listing.Current // the listed directory itself
	EntryParent  = listing.Parent  // its parent
	EntrySpecial = listing.Special // a device, FIFO, socket or the like
)

// parseTime reads a time of MDTM (RFC 3659, Section 2.3).
func parseTime(s string) (time.Time, bool) {
	t, _, ok := listing.ParseTime(s)
	return t, ok
}
