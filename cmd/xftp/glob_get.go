package main

import (
	"context"
	"errors"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// planGet returns the work of downloading remotes to where -o says.
func (o *options) planGet(remotes []remote) (work, error) {
	if o.trees {
		if err := checkTrees(remotes, o.output); err != nil {
			return nil, err
		}
		return func(ctx context.Context, s *session) { s.getTrees(ctx, remotes) }, nil
	}
	targets, err := planTargets(remotes, o.output)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, s *session) { s.get(ctx, remotes, targets) }, nil
}

// anyGlob reports whether the names of some files have to be asked for.
func (o *options) anyGlob(remotes []remote) bool {
	for _, r := range remotes {
		if !o.noGlob && r.glob().isGlob() {
			return true
		}
	}
	return false
}

var errIsDir = errors.New("is a directory")

// getMatches downloads what remotes stand for, some of which are globs.
// Directories that globs have matched are left out, with an error, but with -r.
func (s *session) getMatches(ctx context.Context, remotes []remote) {
	matched, err := s.expand(ctx, remotes)
	if err != nil {
		return
	}
	found := matched[:0:0]
	for _, r := range matched {
		if r.entry != nil && r.entry.Type == ftpclient.EntryDir && !s.o.trees {
			hint := "directories come with -r"
			if s.o.output == "-" {
				hint = "" // not there
			}
			s.failed(ctx, r.String(), errIsDir, hint)
			continue
		}
		found = append(found, r)
	}
	if len(found) == 0 {
		return
	}
	do, err := s.o.planGet(found)
	if err != nil {
		s.failed(ctx, "", err, "")
		return
	}
	do(ctx, s)
}
