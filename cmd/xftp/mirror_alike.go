package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/mirror"
)

// nameKey returns the same for names that some server takes for one: in other
// letters, in another form of Unicode, with blanks or dots around, or with
// something else for a character that it cannot write. It may do so for others.
func nameKey(name string) string {
	name = strings.TrimRight(strings.TrimSpace(name), " .")
	key := make([]byte, 0, len(name))
	for _, r := range name {
		switch {
		case unicode.Is(unicode.Mn, r): // a mark on the character before, which may be one with it
			if len(key) > 0 {
				key = key[:len(key)-1]
			}
		case r < utf8.RuneSelf && r != '?' && r != '_':
			key = append(key, byte(unicode.ToLower(r)))
		}
	}
	return string(key)
}

// pathKey is nameKey for each name of a path.
func pathKey(path string) string {
	names := strings.Split(path, "/")
	for i, name := range names {
		names[i] = nameKey(name)
	}
	return strings.Join(names, "/")
}

// parting returns the directory in which the ways to two paths part, and the names
// of both there.
func parting(a, b string) (dir, nameA, nameB string) {
	as, bs := strings.Split(a, "/"), strings.Split(b, "/")
	i := 0
	for i < min(len(as), len(bs))-1 && as[i] == bs[i] {
		i++
	}
	return strings.Join(as[:i], "/"), as[i], bs[i]
}

// distinct keeps from being deleted on the server what may be there under another
// name of something that is here: a server may ignore case, and to delete "readme"
// would then delete the "README" that was just sent. Where names are alike, the
// directory has to list both. why says that nothing is to be deleted.
func (m *mirroring) distinct(ctx context.Context, plan *mirror.Plan) (why []string) {
	alike := m.alike(slices.Concat(plan.Replaced, plan.Deletes))
	lists := make(map[string]*nameList)
	stays := make(map[string]bool)
	for i, e := range slices.Concat(plan.Replaced, plan.Deletes) {
		var err error
		for _, other := range alike[e.Path] {
			dir, ours, theirs := parting(other, e.Path)
			if lists[dir] == nil {
				lists[dir] = m.namesOf(ctx, dir)
			}
			if err = lists[dir].both(ours, theirs); err != nil {
				err = fmt.Errorf("may be what the server has for %s: %w", other, err)
				break
			}
		}
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return []string{describe(err)}
		case i < len(plan.Replaced):
			why = append(why, fmt.Sprintf("%s %s", m.join(e.Path), describe(err)))
		default:
			stays[e.Path] = true
			hold(stays, e.Path)
			m.fails(ctx, m.join(e.Path).String(), fmt.Errorf("is not deleted: %w", err))
		}
	}
	plan.Deletes = slices.DeleteFunc(plan.Deletes, func(e *mirror.Entry) bool { return stays[e.Path] })
	return why
}

// alike returns the paths here whose names are like those of some entries, by the
// paths of these.
func (m *mirroring) alike(entries []*mirror.Entry) map[string][]string {
	byKey := make(map[string][]string)
	for _, e := range entries {
		key := pathKey(e.Path)
		byKey[key] = append(byKey[key], e.Path)
	}
	all := make(map[string][]string)
	for i := range m.here.Entries {
		e := &m.here.Entries[i]
		if e.Out != "" || e.Type != mirror.File && e.Type != mirror.Dir || m.filter.scope(e.Path, e.Type == mirror.Dir) == mirror.Outside {
			continue
		}
		for _, path := range byKey[pathKey(e.Path)] {
			if path != e.Path {
				all[path] = append(all[path], e.Path)
			}
		}
	}
	return all
}

// A nameList is the names in a directory on the server, or why they are not known.
type nameList struct {
	names map[string]bool
	err   error
}

// namesOf lists a directory on the server.
func (m *mirroring) namesOf(ctx context.Context, dir string) *nameList {
	l := &nameList{names: make(map[string]bool)}
	l.err = m.client.Do(ctx, func(conn *ftpclient.Conn) error {
		path := m.walked()
		if dir != "" {
			path = m.join(dir).Path
		}
		entries, err := conn.Entries(ctx, path)
		for _, e := range entries {
			l.names[e.Name] = true
		}
		return err
	})
	return l
}

// both returns nil if the list has both names.
func (l *nameList) both(a, b string) error {
	for _, name := range []string{a, b} {
		switch {
		case l.names[name]:
		case l.err != nil:
			return l.err
		default:
			return fmt.Errorf("%q is not listed now", name)
		}
	}
	return nil
}
