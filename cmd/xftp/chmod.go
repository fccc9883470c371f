package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
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
			c.apply(ctx, []remote{r})
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

// apply sets the permissions of some, which are at one site.
func (c *modeChange) apply(ctx context.Context, some []remote) {
	if len(some) == 0 || c.broken {
		return
	}
	operations := make([]ftpclient.Operation, len(some))
	for i, r := range some {
		path := withoutSlash(r.Path)
		if path == "" {
			path = "." // which the command needs
		}
		operations[i] = ftpclient.OpChmod(path, c.mode)
	}
	for i, err := range c.operate(ctx, some[0], operations) {
		if err == nil {
			c.ended(ctx, some[i], nil)
		}
		c.settle(ctx, some[i], err)
	}
}

// settle reports an error of r, but for what comes after one that all have.
func (c *modeChange) settle(ctx context.Context, r remote, err error) {
	if err != nil && err != errNotBegun && !c.broken {
		c.ended(ctx, r, err)
	}
}

// ended reports what became of r.
func (c *modeChange) ended(ctx context.Context, r remote, err error) {
	c.broken = c.broken || isOver(err)
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
		c.trees(ctx, []remote{r}, 0)
	default:
		c.apply(ctx, []remote{r})
	}
}

// ownerUse are the permissions without which the owner cannot list a directory,
// nor reach what is in it.
const ownerUse = 0o500

// trees sets the permissions of directories and of all that is in them: first their
// own if they let one in, or else last. Links stay as they are: the server would
// follow them.
func (c *modeChange) trees(ctx context.Context, dirs []remote, depth int) {
	first := c.mode&ownerUse == ownerUse
	if first {
		c.apply(ctx, dirs)
	}
	if c.broken {
		return
	}
	files, below := c.list(ctx, dirs, depth)
	c.apply(ctx, files)
	for some := range slices.Chunk(below, atOnce) {
		if c.broken {
			return
		}
		c.trees(ctx, some, depth+1)
	}
	if !first {
		c.apply(ctx, dirs)
	}
}

// list returns what is in directories, but for links: files, and directories.
func (c *modeChange) list(ctx context.Context, dirs []remote, depth int) (files, below []remote) {
	entries := make([][]ftpclient.Entry, len(dirs))
	errs := c.ask(ctx, len(dirs), func(i int) (err error) {
		entries[i], err = c.below(ctx, dirs[i], depth)
		return err
	})
	for i, r := range dirs {
		c.settle(ctx, r, errs[i])
		for _, e := range entries[i] {
			switch {
			case e.Type == ftpclient.EntryCurrent, e.Type == ftpclient.EntryParent, e.Type == ftpclient.EntryLink:
			case e.Problem != "":
				c.ended(ctx, r, badName(e))
			case e.Type == ftpclient.EntryDir:
				below = append(below, r.join(e.Name))
			default:
				files = append(files, r.join(e.Name))
			}
		}
	}
	return files, below
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
