package main

import (
	"context"
	"strings"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

const (
	mkdirHint  = "it exists, or what it is to be in does not; -p makes that too, and takes what exists; or you may not write there"
	mkdirsHint = "something on the way is no directory, or not yours to write; look with: xftp ls"
)

// makeDirs makes directories, with -p those that they are in too.
func (s *session) makeDirs(ctx context.Context, remotes []remote) {
	s.each(ctx, remotes, func(r remote) {
		err := s.do(ctx, r, func(conn *ftpclient.Conn) error {
			path := withoutSlash(r.Path)
			if s.o.parents {
				return hinted(makePath(ctx, conn, path), mkdirsHint)
			}
			return hinted(conn.MakeDir(ctx, path), mkdirHint)
		})
		s.changed(ctx, r, nil, err)
	})
}

// hinted gives a refusal the hint that it would not have by itself.
func hinted(err error, hint string) error {
	if isRefused(err) {
		return &hintedError{err, hint}
	}
	return err
}

// makePath makes a directory and those that it is in, as far as they are not
// there. Servers refuse with the same 550 to make what exists and what cannot be,
// so that only the last one tells.
func makePath(ctx context.Context, conn *ftpclient.Conn, path string) error {
	if err := makeDir(ctx, conn, path); err == nil || !conn.Usable() {
		return err
	}
	for i := 1; i < len(path); i++ {
		if path[i] != '/' || strings.HasSuffix(path[:i], "/") {
			continue
		}
		if err := conn.MakeDir(ctx, path[:i]); err != nil && !conn.Usable() {
			return err
		}
	}
	return makeDir(ctx, conn, path)
}
