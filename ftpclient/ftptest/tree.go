package ftptest

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// A tree is what a [Site] with Dirs has beside the content of its files.
type tree struct {
	dirs  map[string]bool
	times map[string]string // of modification
	modes map[string]string
}

// begin takes what the Site is given.
func (t *tree) begin(s *Site) {
	t.dirs, t.times, t.modes = map[string]bool{"": true}, make(map[string]string), make(map[string]string)
	for _, dir := range s.Dirs {
		t.dirs[dir] = true
	}
	for file := range s.Files {
		for dir := path.Dir(file); dir != "." && dir != "/"; dir = path.Dir(dir) {
			t.dirs[strings.Trim(dir, "/")] = true
		}
	}
	maps.Copy(t.times, s.Times)
}

// Modes returns what SITE CHMOD has set, by path.
func (s *Site) Modes() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.tree.modes)
}

// ModTimes returns what MDTM answers, by path.
func (s *Site) ModTimes() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.tree.times)
}

// Directories returns the directories that there are, in order, without the root.
func (s *Site) Directories() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.tree.dirs))[1:]
}

// local returns the path of an argument, from the root.
func local(arg string) string { return strings.Trim(strings.TrimPrefix(arg, "./"), "/") }

// inTree does a command that changes names, or asks about one, and returns the
// reply. The caller holds mu.
func (s *Site) inTree(verb, arg string) string {
	t := &s.tree
	name := local(arg)
	_, file := s.stored[name]
	dir := t.dirs[name]
	const no = "550 no such file"
	switch {
	case verb == "SITE" && strings.HasPrefix(arg, "CHMOD "):
		mode, name, _ := strings.Cut(strings.TrimPrefix(arg, "CHMOD "), " ")
		return s.set(t.modes, name, mode, "200 changed")
	case verb == "MFMT":
		stamp, name, _ := strings.Cut(arg, " ")
		return s.set(t.times, name, stamp, "213 Modify="+stamp+"; "+name)
	case verb == "DELE" && file:
		delete(s.stored, name)
		return "250 deleted"
	case verb == "RMD" && dir && s.list("MLSD", arg) == "":
		delete(t.dirs, name)
		return "250 removed"
	case verb == "MKD" && !file && !dir && t.dirs[parent(name)]:
		t.dirs[name] = true
		return `257 "` + name + `"`
	case verb == "CWD" && dir:
		return "250 there"
	case verb == "MLST" && (file || dir):
		return "250-this\r\n " + s.entry(name) + " " + arg + "\r\n250 end"
	case slices.Contains([]string{"DELE", "RMD", "MKD", "CWD", "MLST"}, verb):
		return no
	default:
		return "500 what"
	}
}

// set sets an attribute of what there is.
func (s *Site) set(of map[string]string, arg, value, reply string) string {
	name := local(arg)
	if _, file := s.stored[name]; !file && !s.tree.dirs[name] {
		return "550 no such file"
	}
	of[name] = value
	return reply
}

func parent(name string) string {
	if dir := path.Dir(name); dir != "." {
		return dir
	}
	return ""
}

// entry returns the facts of MLST and MLSD.
func (s *Site) entry(name string) string {
	kind := "type=dir;"
	if content, file := s.stored[name]; file {
		kind = fmt.Sprintf("type=file;size=%d;", len(content))
	}
	if stamp := s.tree.times[name]; stamp != "" {
		kind += "modify=" + stamp + ";"
	}
	return kind
}

// list returns what MLSD or LIST sends for a directory. LIST -a names the directory
// itself.
func (s *Site) list(verb, arg string) string {
	option, rest, spaced := strings.Cut(arg, " ")
	all := option == "-a"
	if all {
		arg = ""
		if spaced {
			arg = rest
		}
	}
	dir := local(arg)
	var lines strings.Builder
	line := func(name, base string) {
		if verb == "MLSD" {
			fmt.Fprintf(&lines, "%s %s\r\n", s.entry(name), base)
			return
		}
		mode, size := "drwxr-xr-x", 0
		if content, file := s.stored[name]; file {
			mode, size = "-rw-r--r--", len(content)
		}
		fmt.Fprintf(&lines, "%s 1 own grp %d Nov 23 2020 %s\r\n", mode, size, base)
	}
	if all && s.tree.dirs[dir] {
		line(dir, ".")
	}
	names := slices.AppendSeq(slices.Collect(maps.Keys(s.stored)), maps.Keys(s.tree.dirs))
	slices.Sort(names)
	for _, name := range names {
		if name != "" && parent(name) == dir {
			line(name, path.Base(name))
		}
	}
	return lines.String()
}
