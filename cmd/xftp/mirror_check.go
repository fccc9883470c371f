package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/mirror"
)

// checkHashes compares files of the same size by the server's hash, and has the
// plan move those that differ, or of which the server tells none.
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
	root, err := os.OpenRoot(m.local)
	if err != nil {
		return err
	}
	defer root.Close()
	f, err := root.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return checkHash(ctx, sum, f)
}

// stillThere asks the server for each name that is to be deleted here, and
// returns why none is: a list from which one name was lost looks like any other.
func (m *mirroring) stillThere(ctx context.Context, plan *mirror.Plan) (why []string) {
	entries := make([]*mirror.Entry, 0, len(plan.Replaced)+len(plan.Deletes))
	for _, e := range plan.Replaced {
		if m.typeChanged(plan, e.Path) {
			continue // it is there, as something else
		}
		entries = append(entries, e)
	}
	entries = append(entries, plan.Deletes...)
	answers := make([]error, len(entries))
	for i := range answers {
		answers[i] = errNotBegun
	}
	m.askEach(ctx, len(entries), func(conn *ftpclient.Conn, i int) error {
		answers[i] = exists(ctx, conn, m.join(entries[i].Path).Path)
		return answers[i]
	})
	for i, err := range answers {
		switch {
		case err == nil:
			why = append(why, fmt.Sprintf("the server has %s, which its lists left out", m.join(entries[i].Path)))
		case !errors.Is(err, fs.ErrNotExist):
			why = append(why, fmt.Sprintf("whether the server has %s is not known (%s)", m.join(entries[i].Path), describe(err)))
		}
	}
	return why
}

// typeChanged says whether something else is to come where path is.
func (m *mirroring) typeChanged(plan *mirror.Plan, path string) bool {
	for _, e := range plan.Successor.Dirs {
		if e.Path == path {
			return true
		}
	}
	for _, p := range plan.Successor.Files {
		if p.Source.Path == path {
			return true
		}
	}
	for _, e := range plan.Successor.Links {
		if e.Path == path {
			return true
		}
	}
	return false
}

// exists returns nil if the server has something of a name, and fs.ErrNotExist if
// it says that it has not.
func exists(ctx context.Context, conn *ftpclient.Conn, path string) error {
	_, err := conn.MLST(ctx, path)
	return err
}
