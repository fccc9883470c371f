package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// parseMode reads permissions as chmod(1) takes them in octal.
func parseMode(arg string) (fs.FileMode, error) {
	n, err := strconv.ParseUint(arg, 8, 16)
	if err != nil || len(arg) < 3 || n > 0o7777 {
		return 0, usagef("%q: is no mode of three or four octal digits, as 644", arg)
	}
	mode := fs.FileMode(n & 0o777)
	for bit, flag := range map[uint64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if n&bit != 0 {
			mode |= flag
		}
	}
	return mode, nil
}

// chmod sets the permissions of remotes, with -R also of what is below them.
func (s *session) chmod(ctx context.Context, remotes []remote, mode fs.FileMode) {
	s.each(ctx, remotes, func(r remote) {
		c := &modeChange{session: s, mode: mode}
		if !s.o.trees {
			c.one(ctx, r)
			return
		}
		c.top(ctx, r)
		if c.set+c.refused > 1 && c.refused > 0 && interrupted(ctx) == nil {
			s.failed(ctx, r.String(), fmt.Errorf("%d set, %d not", c.set, c.refused), "")
		}
	})
}

// A modeChange is one argument of chmod.
type modeChange struct {
	*session
	mode         fs.FileMode
	set, refused int
	broken       bool // the server cannot be asked any more
}

// one sets the permissions of r.
func (c *modeChange) one(ctx context.Context, r remote) {
	path := withoutSlash(r.Path)
	if path == "" {
		path = "." // which the command needs
	}
	c.ended(ctx, r, c.do(ctx, r, func(conn *ftpclient.Conn) error { return conn.Chmod(ctx, path, c.mode) }))
}

// ended reports what became of r.
func (c *modeChange) ended(ctx context.Context, r remote, err error) {
	c.broken = c.broken || err != nil && !isRefused(err) && !isKnown(err)
	if errors.Is(err, errors.ErrUnsupported) {
		c.broken = true // all others would be refused in the same words
		err = &hintedError{err, "the server does not have that command, or not for this user"}
	}
	if c.changed(ctx, r, nil, err) == nil {
		c.set++
	} else {
		c.refused++
	}
}

// top sets the permissions of what was named, and of all below it.
func (c *modeChange) top(ctx context.Context, r remote) {
	var e ftpclient.Entry
	err := c.do(ctx, r, func(conn *ftpclient.Conn) (err error) {
		if r.entry != nil {
			e = *r.entry
			return nil
		}
		e, err = look(ctx, conn, r.Path)
		return err
	})
	switch {
	case err != nil:
		c.ended(ctx, r, err)
	case e.Type == ftpclient.EntryDir:
		c.tree(ctx, r, 0)
	default:
		c.one(ctx, r)
	}
}

// ownerUse are the permissions without which the owner cannot list a directory,
// nor reach what is in it.
const ownerUse = 0o500

// tree sets the permissions of a directory and of all that is in it: first its own
// if they let one in, or else last. Links stay as they are: the server would
// follow them.
func (c *modeChange) tree(ctx context.Context, r remote, depth int) {
	first := c.mode&ownerUse == ownerUse
	if first {
		c.one(ctx, r)
	}
	entries, err := c.below(ctx, r, depth)
	if err != nil {
		c.ended(ctx, r, err)
	}
	for _, e := range entries {
		if c.broken {
			return
		}
		switch e.Type {
		case ftpclient.EntryCurrent, ftpclient.EntryParent, ftpclient.EntryLink:
			continue
		}
		if e.Problem != "" {
			c.ended(ctx, r, badName(e))
			continue
		}
		if e.Type == ftpclient.EntryDir {
			c.tree(ctx, r.join(e.Name), depth+1)
		} else {
			c.one(ctx, r.join(e.Name))
		}
	}
	if !first && !c.broken {
		c.one(ctx, r)
	}
}

// below lists a directory.
func (c *modeChange) below(ctx context.Context, r remote, depth int) ([]ftpclient.Entry, error) {
	if depth == maxDepth {
		return nil, errTooDeep
	}
	client, err := c.client(r)
	if err != nil {
		return nil, err
	}
	return listDirectory(ctx, client, withoutSlash(r.Path))
}
