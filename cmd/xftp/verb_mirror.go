package main

import (
	"context"
	"os"
	"strconv"
	"strings"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/mirror"
	"github.com/spf13/cobra"
)

// mirrorOptions are the flags that only mirror has.
type mirrorOptions struct {
	deletes          bool
	dryRun           bool
	include, exclude []string
	maxDelete        int // -1 = any number
	compare, links   string
	noTimes, noPerms bool
}

// What --compare and --links take.
var (
	compareWords = []string{"time", "size", "hash"}
	linkWords    = []string{"follow", "skip", "keep"}
)

func newMirror(out *output) *cobra.Command {
	o := new(options)
	mo := &mirrorOptions{compare: "time", links: "follow"}
	cmd := &cobra.Command{
		Use:   "mirror SRC DST",
		Short: "Make one directory equal to another",
		Long: `Mirror makes the directory DST equal to the directory SRC. One of them is a URL,
the other is here; a slash at the end makes no difference. What is the same does
not move: a second run moves nothing. Files appear under their names when they
are complete, with the time and the permissions of SRC. On a server, which gets
them after the name, neither may be possible: then a file is taken for the same if
it has the same size and is not older. Files here get their time before the name,
so that one that was cut short is never taken for whole.

--compare says when a file is the same: with the same size and time (time), with
the same size (size), or with the same size and the server's hash (hash).

--delete also deletes in DST what is not in SRC, and replaces what is of another
type there. That comes last. Nothing is deleted, and the exit code is 1, if any list
could not be had or held a line that was not understood, if any file could not be
moved, if SRC is empty, or if there is more to delete than --max-delete says. Where
SRC is a server, it is first asked for each name that is to go, and if it has one of
them all the same, or gives no clear answer, nothing is deleted either. On a server
what may be another name of something in SRC, as where it ignores case, goes only if
it then lists both. --dry-run asks, and changes nothing: whether a server takes times
it does not try.

--exclude leaves out what a glob names, and all that is in it; --include leaves out
everything else. A glob with a slash is for paths from the top, as in
'pub/**/*.iso', one without for names anywhere; with a slash at its end it is for
directories only. What is left out is not touched in DST either.

--links says what becomes of symbolic links: the file that one leads to is moved
(follow; links to directories are left out), they are left out (skip), or made here
too, if they stay in the directory (keep).

--json prints an object for each file that was moved, as get and put do, one with
"action" for whatever else was done (with --dry-run, would be done, moves too), and at
the end one whose action is "summary".`,
		Example: `  sudo xftp mirror ftp://192.0.2.1/pub/ pub --iface eth1 --address 192.0.2.7/24
  xftp mirror --delete --dry-run site ftpes://user:password@host/www/ --net kernel
  xftp mirror --exclude '*.iso' --exclude /tmp/ --parallel 4 ftp://host/pub pub --net kernel`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return &usageError{"needs SRC and DST, one of them a URL", "see: " + cmd.CommandPath() + " --help"}
			}
			return nil
		},
	}
	newVerb(cmd, o, out, func(args []string) (work, error) {
		m, err := planMirror(args, o, mo)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, s *session) {
			m.session = s
			m.runAll(ctx)
		}, nil
	})
	f := cmd.Flags()
	f.BoolVar(&mo.deletes, "delete", false, "delete in DST what is not in SRC")
	f.BoolVar(&mo.dryRun, "dry-run", false, "print what would be done, one line for each action, and do nothing")
	f.StringArrayVar(&mo.include, "include", nil, "leave out what `GLOB` does not name; may be repeated")
	f.StringArrayVar(&mo.exclude, "exclude", nil, "leave out what `GLOB` names; may be repeated")
	f.Var((*deleteCount)(&mo.maxDelete), "max-delete", "delete nothing if there are more than `N` to delete, or any")
	f.Var(&choice{&mo.compare, compareWords}, "compare", "what makes two files the same: size and time (time), size, or size and hash (hash)")
	f.Var(&choice{&mo.links, linkWords}, "links", "move what links lead to (follow), leave links out (skip), or make them (keep)")
	f.BoolVar(&mo.noTimes, "no-times", false, "leave the times of files as they get them")
	f.BoolVar(&mo.noPerms, "no-perms", false, "leave the permissions of files as they get them")
	f.BoolVarP(&o.resume, "continue", "c", false, "continue what was interrupted")
	f.Var((*fileCount)(&o.parallel), "parallel", "`N` files at a time, each over a connection of its own")
	f.Lookup("json").Usage = "print JSON objects: one per transfer, other action, and summary"
	mo.maxDelete = -1
	typed(f, "delete")
	o.addLimitFlag(cmd)
	o.addVerifyFlag(cmd)
	completeWords(cmd, "compare", compareWords)
	completeWords(cmd, "links", linkWords)
	return cmd
}

// deleteCount is the value of --max-delete.
type deleteCount int

func (c *deleteCount) String() string {
	if *c < 0 {
		return "any"
	}
	return strconv.Itoa(int(*c))
}
func (c *deleteCount) Type() string { return "N" }
func (c *deleteCount) Set(s string) error {
	if s == "any" {
		*c = -1
		return nil
	}
	return setNumber((*int)(c), s, 0, 1<<30)
}

// isURL says whether an argument of mirror is meant as one. A directory may be
// called "a:b" or "file:".
func isURL(arg string) bool { return strings.Contains(arg, "://") }

// planMirror reads the arguments.
func planMirror(args []string, o *options, mo *mirrorOptions) (*mirroring, error) {
	src, dst := args[0], args[1]
	m := &mirroring{mo: mo, args: []string{src, dst}}
	url := src
	switch {
	case isURL(src) && isURL(dst):
		return nil, usagef("%s and %s are both URLs; mirror needs a directory here", redactURL(src), redactURL(dst))
	case isURL(src):
		m.local = dst
	case isURL(dst):
		m.local, m.up, url = src, true, dst
	default:
		return nil, usagef("neither %s nor %s is a URL", redactURL(src), redactURL(dst))
	}
	if m.local == "" {
		return nil, usagef("the name of a directory is empty")
	}
	info, err := os.Stat(m.local)
	switch {
	case err == nil && !info.IsDir():
		return nil, usagef("%s: is not a directory", m.local)
	case err != nil && (m.up || !os.IsNotExist(err)):
		return nil, usagef("%v", err)
	}
	remotes, err := o.remotes(url)
	if err != nil {
		return nil, err
	}
	if m.remote = remotes[0]; m.Type == ftpclient.ASCII {
		return nil, usagef("%s: sizes cannot be compared in type a", m.remote)
	}
	if m.up {
		m.args[1] = m.remote.String()
	} else {
		m.args[0] = m.remote.String()
	}
	if m.filter, err = newPathFilter(mo.include, mo.exclude); err != nil {
		return nil, err
	}
	return m, nil
}

// planOptions are the flags as the planner wants them.
func (m *mirroring) planOptions() *mirror.Options {
	o := &mirror.Options{
		Scope:     m.filter.scope,
		Delete:    m.mo.deletes,
		MaxDelete: m.mo.maxDelete,
		Unstamped: m.mo.noTimes || m.unstamped,
		KeepModes: !m.mo.noPerms,
	}
	switch {
	case m.mo.maxDelete < 0:
		o.MaxDelete = 0
	case m.mo.maxDelete == 0:
		o.MaxDelete = -1
	}
	switch m.mo.compare {
	case "size":
		o.Compare = mirror.BySize
	case "hash":
		o.Compare = mirror.ByHash
	}
	switch m.mo.links {
	case "skip":
		o.Links = mirror.SkipLinks
	case "keep":
		o.Links = mirror.KeepLinks
	}
	return o
}
