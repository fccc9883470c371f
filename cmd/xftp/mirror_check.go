package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/mirror"
)

// checkHashes compares files of the same size by the server's hash, and has the
// plan move those that differ. That the server tells none is an error of the file.
func (m *mirroring) checkHashes(ctx context.Context, plan *mirror.Plan) {
	differ := make(map[string]bool)
	var mu sync.Mutex
	inParallel(ctx, len(plan.Check), m.o.parallel, func(i int) bool {
		err := m.sameHash(ctx, plan.Check[i].Source.Path)
		if err == nil {
			return true
		}
		mu.Lock()
		defer mu.Unlock()
		if kindOf(err) == ftpclient.KindHash {
			differ[plan.Check[i].Source.Path] = true
		} else if ctx.Err() == nil {
			m.fails(ctx, m.join(plan.Check[i].Source.Path).String(), err)
		}
		return false
	})
	for _, p := range plan.Check {
		if differ[p.Source.Path] {
			p.Why = mirror.HashDiffers
			plan.Files = append(plan.Files, p)
			plan.Same--
		}
	}
	plan.Check = nil
	changes := plan.Changes[:0]
	for _, c := range plan.Changes {
		if !differ[c.Source.Path] {
			changes = append(changes, c)
		}
	}
	plan.Changes = changes
}

// sameHash returns nil if a file here has the hash that the server tells.
func (m *mirroring) sameHash(ctx context.Context, path string) error {
	sum, err := hashOf(ctx, m.client, m.join(path).Path)
	if err != nil {
		return err
	}
	f, err := m.openHere(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return checkHash(ctx, sum, f)
}

// openHere opens a file here for reading. On the way up it may be a link to anywhere,
// as for the upload.
func (m *mirroring) openHere(path string) (*os.File, error) {
	if m.up {
		f, _, err := openSource(joinPath(m.local, path))
		return f, err
	}
	root, err := os.OpenRoot(m.local)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.Open(path)
}

// stillThere asks the server for each name that is to be deleted here. If it has
// one, its lists cannot be relied on, and why says that nothing is to be deleted: a
// list from which one name was lost looks like any other. A name about which it
// gives no clear answer stays, with the directories that it is in.
func (m *mirroring) stillThere(ctx context.Context, plan *mirror.Plan) (why []string) {
	entries := make([]*mirror.Entry, 0, len(plan.Replaced)+len(plan.Deletes))
	comes := successors(plan)
	for _, e := range plan.Replaced {
		// Or else it is there, as something else, or below what is no directory.
		if !comes[e.Path] && !below(comes, e.Path) {
			entries = append(entries, e)
		}
	}
	if why = m.stillDirs(ctx, plan); len(why) > 0 {
		return why
	}
	replaced := len(entries)
	entries = append(entries, plan.Deletes...)
	doomed := len(entries)
	entries = append(entries, m.around(entries)...)
	answers := make([]error, len(entries))
	for i := range answers {
		answers[i] = errNotBegun
	}
	err := m.client.Operate(ctx, func(yield func(ftpclient.Operation) bool) {
		for i, e := range entries {
			o := ftpclient.OpExists(m.join(e.Path).Path)
			o.Done = func(err error) { answers[i] = err }
			if !yield(o) {
				return
			}
		}
	}, m.o.parallel)
	if err != nil {
		return []string{describe(err)}
	}
	// What is in a directory that is not there is not there: its list, by which a
	// name would be looked for, cannot be had.
	absent := make(map[string]bool)
	for i, err := range answers {
		if errors.Is(err, fs.ErrNotExist) {
			absent[entries[i].Path] = entries[i].Type == mirror.Dir
		}
	}
	stays := make(map[string]bool)
	for i, err := range answers {
		subject := m.join(entries[i].Path)
		switch {
		case err == nil:
			why = append(why, fmt.Sprintf("the server has %s, which its lists left out", subject))
		case errors.Is(err, fs.ErrNotExist), i >= doomed, below(absent, entries[i].Path):
		case i < replaced:
			why = append(why, fmt.Sprintf("whether the server has %s is not clear (%s)", subject, describe(err)))
		default:
			stays[entries[i].Path] = true
			hold(stays, entries[i].Path)
			m.fails(ctx, joinPath(m.local, entries[i].Path), fmt.Errorf("is not deleted: %w", err))
		}
	}
	plan.Deletes = slices.DeleteFunc(plan.Deletes, func(e *mirror.Entry) bool { return stays[e.Path] })
	return why
}

// around returns the directories here that entries are in, that are not deleted
// themselves and that the server's lists do not have.
func (m *mirroring) around(entries []*mirror.Entry) []*mirror.Entry {
	known := make(map[string]bool)
	for i := range m.there.Entries {
		known[m.there.Entries[i].Path] = true
	}
	for _, e := range entries {
		known[e.Path] = true
	}
	holds := make(map[string]bool)
	for _, e := range entries {
		hold(holds, e.Path)
	}
	var dirs []*mirror.Entry
	for i := range m.here.Entries {
		if e := &m.here.Entries[i]; holds[e.Path] && !known[e.Path] {
			dirs = append(dirs, e)
		}
	}
	return dirs
}

// below says whether path is in one of dirs.
func below(dirs map[string]bool, path string) bool {
	for dir, _ := splitPath(path); dir != ""; dir, _ = splitPath(dir) {
		if dirs[dir] {
			return true
		}
	}
	return false
}

// successors returns the paths of what is to come where something else is.
func successors(plan *mirror.Plan) map[string]bool {
	comes := make(map[string]bool)
	for _, e := range slices.Concat(plan.Successor.Dirs, plan.Successor.Links) {
		comes[e.Path] = true
	}
	for _, p := range plan.Successor.Files {
		comes[p.Source.Path] = true
	}
	return comes
}

// stillDirs asks the server about each directory here in whose place a file is to
// come, by its lists. Why says which is a directory there all the same, or is not
// known to be a file.
func (m *mirroring) stillDirs(ctx context.Context, plan *mirror.Plan) (why []string) {
	for _, p := range plan.Successor.Files {
		if p.Dest == nil || p.Dest.Type != mirror.Dir {
			continue
		}
		r := m.join(p.Source.Path)
		err := m.client.Do(ctx, func(conn *ftpclient.Conn) error {
			e, err := conn.MLST(ctx, r.Path)
			switch {
			case err == nil && e.Type == ftpclient.EntryFile:
				return nil
			case err == nil && e.Type == ftpclient.EntryDir:
				return errIsDir
			case !conn.Usable():
				return err
			}
			_, err = conn.Size(ctx, r.Path) // which directories have none of
			return err
		})
		if err != nil {
			why = append(why, fmt.Sprintf("whether %s is a file is not clear (%s)", r, describe(err)))
		}
	}
	return why
}
