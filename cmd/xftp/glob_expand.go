package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/listing"
)

// maxMatches is how many names a glob may stand for at any of its slashes.
const maxMatches = 100_000

// A match is what a glob stands for.
type match struct {
	path  string          // on the server
	entry ftpclient.Entry // its last name, or none behind a slash at the end
}

// A lister lists a directory for a glob: "" is the one that the login begins in.
// Entries beside an error are those that were understood all the same.
type lister func(dir string) ([]ftpclient.Entry, error)

// expand returns what g stands for, sorted. Names are those of entries that can be
// names in a directory. An entry that is called exactly as the glob is the one
// that is meant. Errors of list, and names that lead elsewhere, are given to
// doubt, and what there is besides is used; only the error of too many matches is
// returned.
func (g glob) expand(list lister, doubt func(dir string, err error)) ([]match, error) {
	last := len(g) - 1
	first := slices.IndexFunc(g, func(n globName) bool { return n.pattern != nil })
	found := []match{{path: g.prefix()}}
	for i := first; i <= last; i++ {
		if i == last && g[i].name == "" {
			break // "dir*/": the slash is there already
		}
		var next []match
		for _, at := range found {
			dir := at.path
			if dir != "/" {
				dir = strings.TrimSuffix(dir, "/")
			}
			entries, err := list(dir)
			if err != nil && (at.entry.Type == ftpclient.EntryDir || i == first) {
				doubt(dir, err) // else it may be no directory
			}
			for _, e := range g[i].among(entries, func(err error) { doubt(dir, err) }) {
				m := match{at.path + e.Name, e}
				if i < last {
					if e.Type != ftpclient.EntryDir && (g[i+1].name == "" || e.Type != ftpclient.EntryLink && e.Type != ftpclient.EntryUnknown) {
						continue
					}
					m.path += "/"
				}
				next = append(next, m)
			}
			if len(next) > maxMatches {
				return nil, fmt.Errorf("matches more than %d names", maxMatches)
			}
		}
		found = next
	}
	slices.SortFunc(found, func(a, b match) int { return strings.Compare(a.path, b.path) })
	return found, nil
}

// among returns the entries that g stands for.
func (g globName) among(entries []ftpclient.Entry, doubt func(error)) []ftpclient.Entry {
	var found []ftpclient.Entry
	for _, e := range entries {
		switch {
		case e.Type == ftpclient.EntryCurrent || e.Type == ftpclient.EntryParent:
		case e.Problem != "" || listing.NameProblem(e.Name) != "":
			if e.Name != "" && g.matches(e.Name) {
				doubt(&nameError{listing.NameProblem(e.Name), e.Name})
			}
		case e.Name == g.name:
			return []ftpclient.Entry{e}
		case g.matches(e.Name):
			found = append(found, e)
		}
	}
	return found
}

// errNoMatch is why a glob gives nothing.
var errNoMatch = errors.New("nothing matches")

// noMatchHint says what can be done about it.
const noMatchHint = "names that begin with a dot need one here; --no-glob takes *, ? and [ as they are"

// expand returns what remotes stand for: those whose path is a glob give what
// the server lists, sorted, each once, and others themselves. A glob that gives
// nothing is reported, as are lists that were not understood. The error is not
// nil only if a signal has ended ctx, and reported too.
func (s *session) expand(ctx context.Context, remotes []remote) ([]remote, error) {
	var all []remote
	given := make(map[string]bool)
	for _, r := range remotes {
		g := r.glob()
		if s.o.noGlob || !g.isGlob() {
			all = append(all, r)
			continue
		}
		found, err := s.matches(ctx, r, g)
		if caught := interrupted(ctx); caught != nil {
			return nil, s.failed(ctx, r.String(), caught, "")
		}
		if err == nil && len(found) == 0 {
			err = &hintedError{errNoMatch, noMatchHint}
		}
		if err != nil {
			s.failed(ctx, r.String(), err, "")
			continue
		}
		for _, m := range found {
			to := r.at(m.path)
			to.entry = &m.entry
			to.matched = m.path[len(g.prefix()):]
			if key := to.String(); !given[key] {
				given[key] = true
				all = append(all, to)
			}
		}
	}
	return all, nil
}

// prefix returns the directories of g before the first name that stands for
// others.
func (g glob) prefix() string {
	prefix := ""
	for _, n := range g {
		if n.pattern != nil {
			break
		}
		prefix += n.name + "/"
	}
	return prefix
}

// matches asks the server what g, which is r, stands for.
func (s *session) matches(ctx context.Context, r remote, g glob) ([]match, error) {
	client, err := s.client(r)
	if err != nil {
		return nil, err
	}
	list := func(dir string) ([]ftpclient.Entry, error) { return listDirectory(ctx, client, dir) }
	return g.expand(list, func(dir string, err error) {
		if ctx.Err() == nil {
			s.failed(ctx, r.at(dir).String(), err, "")
		}
	})
}

// listDirectory returns what is in a directory, "" being the one that the login
// begins in. Entries beside an error are those that were understood.
func listDirectory(ctx context.Context, client *ftpclient.Client, dir string) (entries []ftpclient.Entry, err error) {
	err = client.Do(ctx, func(conn *ftpclient.Conn) (err error) {
		entries, err = conn.Entries(ctx, dir)
		return err
	})
	return entries, err
}
