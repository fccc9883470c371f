package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// planMove reads the arguments of mv: URLs, and where they are to be, a URL or a
// path on the same server.
func (o *options) planMove(args []string) (sources []remote, to remote, err error) {
	last := len(args) - 1
	if sources, err = o.remotes(args[:last]...); err != nil {
		return nil, to, err
	}
	if err := checkAllOwn(sources); err != nil {
		return nil, to, err
	}
	if to, err = o.destination(sources[0], args[last]); err != nil {
		return nil, to, err
	}
	for _, r := range sources {
		if r.Scheme != to.Scheme || r.Address() != to.Address() || r.User != to.User || r.Password != to.Password {
			return nil, to, &usageError{
				text: fmt.Sprintf("%s and %s: are not on the same server, or not of the same user", r, to),
				hint: "get it and put it where it is to be",
			}
		}
	}
	if len(sources) > 1 {
		err = checkInto(to)
	}
	return sources, to, err
}

// destination reads the last argument of mv. A path is one as the server knows it,
// not percent-encoded.
func (o *options) destination(source remote, arg string) (remote, error) {
	if !strings.Contains(arg, "://") {
		if arg == "" || strings.ContainsFunc(arg, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return remote{}, usagef("%q: is not a path", arg)
		}
		return source.at(arg), nil
	}
	to, err := parseRemote(arg)
	if err != nil {
		return remote{}, err
	}
	if from, _ := passwordIn(arg); from == 0 && to.Scheme == source.Scheme && to.Address() == source.Address() && to.User == source.User {
		// Nobody is asked for what the first URL has told.
		u := *to.URL
		u.Password = source.Password
		to.URL, to.account = &u, source.account
		return to, nil
	}
	all, err := o.remotes(arg)
	if err != nil {
		return remote{}, err
	}
	return all[0], nil
}

// checkInto refuses several sources for one name.
func checkInto(to remote) error {
	if to.base() == "" {
		return nil
	}
	return &usageError{
		text: to.String() + ": several files need a directory",
		hint: "end it in / for a directory",
	}
}

// move renames sources.
func (s *session) move(ctx context.Context, sources []remote, to remote) {
	sources, err := s.expand(ctx, sources)
	if err != nil {
		return
	}
	if len(sources) > 1 {
		if err := checkInto(to); err != nil {
			s.failed(ctx, "", err, "")
			return
		}
	}
	for _, r := range sources {
		if caught := interrupted(ctx); caught != nil {
			s.failed(ctx, r.String(), caught, "")
			return
		}
		target := to
		if to.base() == "" {
			_, name := splitPath(withoutSlash(r.Path))
			target = to.at(to.Path + name)
		}
		s.changed(ctx, r, &target, s.moveOne(ctx, r, target))
	}
}

var (
	errSame   = errors.New("is where it is to be already")
	errInside = errors.New("cannot be moved into itself")
)

const (
	existsHint  = "--force replaces it, if the server does"
	intoHint    = "end it in / to move into that directory"
	unclearHint = "--force does not ask; most servers then replace what is there"
	parentHint  = "the directory that it is to be in may not exist, or not be yours to list: look with xftp ls; --force does not ask"
	absentHint  = "make it with: xftp mkdir -p"
)

// moveOne renames r. Most servers replace a target that exists without a word, so
// that they are asked for it first.
func (s *session) moveOne(ctx context.Context, r, to remote) error {
	from, target := withoutSlash(r.Path), withoutSlash(to.Path)
	switch {
	case from == target:
		return errSame
	case strings.HasPrefix(target, from+"/"):
		return errInside
	}
	return s.do(ctx, r, func(conn *ftpclient.Conn) error {
		if err := checkHome(ctx, conn, from); err != nil {
			return err
		}
		if !s.o.force {
			if err := isFree(ctx, conn, to, target); err != nil {
				return err
			}
		}
		return conn.Rename(ctx, from, target)
	})
}

// isFree returns nil if the server shows that there is nothing at path, which is
// to's.
func isFree(ctx context.Context, conn *ftpclient.Conn, to remote, path string) error {
	err := conn.Exists(ctx, path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil && !conn.Usable():
		return err
	case err != nil:
		return unclear(ctx, conn, to, path, err)
	}
	if e, err := look(ctx, conn, path); err == nil && e.Type == ftpclient.EntryDir {
		return &hintedError{fmt.Errorf("%s is a directory", to), intoHint}
	}
	return &hintedError{fmt.Errorf("%s exists", to), existsHint}
}

// unclear returns the error of a target of which doubt says why it is not known
// whether it is there. Most often that is for want of its directory, which --force
// would not make.
func unclear(ctx context.Context, conn *ftpclient.Conn, to remote, path string, doubt error) error {
	hint := unclearHint
	if dir, _ := splitPath(path); dir != "" {
		switch err := conn.Exists(ctx, dir); {
		case errors.Is(err, fs.ErrNotExist):
			return &hintedError{fmt.Errorf("%s: there is no directory %s", to, dir), absentHint}
		case err != nil && !conn.Usable():
			return err
		case err != nil:
			hint = parentHint
		default:
			if e, err := look(ctx, conn, dir); err == nil && e.Type == ftpclient.EntryFile {
				return fmt.Errorf("%s: %s is not a directory", to, dir)
			}
		}
	}
	return &hintedError{fmt.Errorf("%s: %s", to, strings.TrimPrefix(describe(doubt), "exists: ")), hint}
}
