package main

import (
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"golang.org/x/sys/unix"
)

// getTrees downloads remotes, each of which may be a directory with all that is
// below it, to the directory that -o names.
func (s *session) getTrees(ctx context.Context, remotes []remote) {
	s.begin(true)
	defer s.end()
	ctx, release := s.untilFull(ctx)
	defer release()
	done := make([]bool, len(remotes))
	for i, r := range remotes {
		if ctx.Err() != nil {
			break
		}
		g := &treeGet{session: s, remote: r, again: []string{r.String()}, isLast: i == len(remotes)-1}
		err := g.run(ctx)
		if err != nil && interrupted(ctx) == nil {
			s.lost(ctx, r, s.o.output, r.String(), err)
		}
		done[i] = ctx.Err() == nil || err == nil && !g.cut
	}
	s.stopped(ctx, shownAll(remotes), done)
}

// A treeGet is one tree on its way.
type treeGet struct {
	*session
	remote
	again  []string // arguments that download it again, for the hint
	isLast bool     // no other tree comes after it
	client *ftpclient.Client
	tree   *tree
	below  string // where in tree its files go, empty or with "/" at its end

	mu    sync.Mutex
	later []*download // not fetched with the small files: questions come first, or several connections
	cut   bool        // a signal has ended some file
}

func (g *treeGet) putOff(d *download) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.later = append(g.later, d)
}

func (g *treeGet) run(ctx context.Context) (err error) {
	if g.client, err = g.session.client(g.remote); err != nil {
		return err
	}
	isFile := false
	if g.base() != "" {
		if isFile, err = g.isFile(ctx); err != nil {
			return err
		}
	}
	prefix := g.o.output
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	if g.tree, err = openTree(prefix); err != nil {
		return err
	}
	defer g.tree.close()
	if isFile {
		g.tally.find(-1)
		if g.isLast {
			g.tally.foundAll()
		}
		g.putOff(g.download(g.base(), g.remote, -1))
	} else {
		err = g.walk(ctx) // what was found comes all the same
	}
	g.rest(ctx)
	return err
}

// rest downloads what was put off.
func (g *treeGet) rest(ctx context.Context) {
	later := g.later
	g.later = nil
	for _, ok := range inParallel(ctx, len(later), g.o.parallel, func(i int) bool { return later[i].get(ctx, g.again) }) {
		g.cut = g.cut || !ok
	}
}

// isFile asks the server whether a URL without a slash at its end is a file.
// What does not exist is none.
func (g *treeGet) isFile(ctx context.Context) (isFile bool, err error) {
	err = g.client.Do(ctx, func(conn *ftpclient.Conn) error {
		entry, err := conn.MLST(ctx, g.Path)
		if err == nil {
			isFile = entry.Type == ftpclient.EntryFile
			return nil
		}
		if !conn.Usable() {
			return err
		}
		// The server has no MLST (RFC 3659, Section 7). Few tell the size of a
		// directory.
		_, err = conn.Size(ctx, g.Path)
		isFile = err == nil
		if conn.Usable() {
			err = nil
		}
		return err
	})
	return isFile, err
}

// walk downloads the small files as they are found, and notes the others.
func (g *treeGet) walk(ctx context.Context) error {
	if g.base() != "" {
		if err := g.tree.make(g.base()); err != nil {
			return err
		}
		g.below = g.base() + "/"
	}
	var found bool
	var ended error
	small := func(yield func(ftpclient.Download) bool) {
		defer func() {
			if g.isLast {
				g.tally.foundAll()
			}
		}()
		refused := make(map[string]bool) // directories that cannot be made here
		opts := &ftpclient.WalkOptions{
			Parallel: g.o.parallel,
			Skip:     func(dir ftpclient.Entry) bool { return isTemporary(dir.Name) },
		}
		for e, err := range g.client.Walk(ctx, g.walked(), opts) {
			found = true
			parent, _ := splitPath(e.Path)
			switch {
			case err != nil && ctx.Err() != nil:
				return
			case err != nil && e.Name == "":
				if ended == nil {
					ended = err
				}
			case refused[parent]:
				refused[e.Path] = true
			case err != nil:
				g.refuse(ctx, e.Path, err)
			case e.Type == ftpclient.EntryDir:
				if err := g.enter(e.Path); err != nil {
					refused[e.Path] = true
					g.refuse(ctx, e.Path, err)
				}
			default:
				if d := g.find(ctx, e); d != nil && !yield(*d) {
					return
				}
			}
		}
	}
	if err := g.client.Download(ctx, iter.Seq[ftpclient.Download](small), g.o.parallel); err != nil && ended == nil {
		ended = err
	}
	if found || ended != nil || g.Path == "" || ctx.Err() != nil {
		return ended
	}
	// Some servers, such as vsftpd, list what does not exist as if it were empty.
	return g.client.Do(ctx, func(conn *ftpclient.Conn) error { return conn.ChangeDir(ctx, g.Path) })
}

// enter makes a directory of the tree.
func (g *treeGet) enter(path string) error {
	if _, name := splitPath(path); isTemporary(name) {
		return errTemporary
	}
	return g.tree.make(g.below + path)
}

// refuse reports what is in the server's list and cannot be fetched.
func (g *treeGet) refuse(ctx context.Context, path string, err error) {
	if errors.Is(err, errTemporary) {
		g.out.note("%s %s: %v, left out", g.verb, g.join(path), err)
		return
	}
	r := g.remote
	if path != "" { // or else a name that may not be used, not even in a URL
		r = g.join(path)
	}
	g.lost(ctx, r, g.tree.shown(g.below+path), r.String(), err)
	if interrupted(ctx) != nil {
		g.lose()
	}
}

// find begins the way of a file that was found. It returns nil if the file is
// not fetched now.
func (g *treeGet) find(ctx context.Context, e ftpclient.Entry) *ftpclient.Download {
	_, name := splitPath(e.Path)
	if isTemporary(name) {
		g.refuse(ctx, e.Path, errTemporary)
		return nil
	}
	d := g.download(g.below+e.Path, g.join(e.Path), e.Size)
	d.state.ModTime, d.dated = e.ModTime, e.Facts["modify"] != "" && !e.ModTime.IsZero()
	if e.Type != ftpclient.EntryFile {
		d.isLink = true
		d.state.Size = -1 // it would be that of the link
	}
	if d.Type == ftpclient.ASCII {
		d.state.Size = -1
	}
	if len(name) > maxName {
		g.refuse(ctx, e.Path, &os.PathError{Op: "create", Path: d.shownPath(), Err: unix.ENAMETOOLONG})
		return nil
	}
	whole, begun := false, false
	if g.o.resume {
		whole, begun = d.there()
	}
	if whole {
		return nil
	}
	return g.queue(ctx, d, begun)
}

// queue returns a file that is fetched now, or puts it off and returns nil. Begun
// says that there is a part of it.
func (g *treeGet) queue(ctx context.Context, d *download, begun bool) *ftpclient.Download {
	size := d.state.Size
	g.tally.find(size)
	if begun || d.isLink || size > recordAbove && (!d.dated || segmentsFor(g.o.segments, size) > 1) {
		g.putOff(d)
		return nil
	}
	return g.small(ctx, d)
}

func (g *treeGet) download(rel string, r remote, size int64) *download {
	return &download{session: g.session, client: g.client, remote: r, tree: g.tree, rel: rel,
		state: partState{URL: r.source(), Size: size}}
}

// checkTrees refuses what cannot be meant as trees and where they go.
func checkTrees(remotes []remote, output string) error {
	if output == "-" || toStdout(output) {
		return usagef("-o %s: a tree cannot be written there", output)
	}
	if info, err := os.Stat(output); err == nil && !info.IsDir() {
		return usagef("-o %s: is not a directory, as -r needs", output)
	}
	from := make(map[string]remote)
	for _, r := range remotes {
		if r.base() == "" {
			continue
		}
		name, err := r.localName()
		if err != nil {
			return err
		}
		path := filepath.Join(output, name)
		if other, ok := from[path]; ok {
			return usagef("%s and %s would both become %s", other, r, path)
		}
		from[path] = r
	}
	return nil
}
