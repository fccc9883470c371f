package listing

import (
	"strings"
	"time"
)

// readVMS reads what the DIRECTORY command of OpenVMS prints. Names have a
// version behind a semicolon; directories are files of type DIR. A name that is
// too long for its column has the rest of its entry in the next line:
//
//	NAME.TXT;3      2/4     29-FEB-2024 12:34:56.78  [GROUP,OWNER]  (RWED,RWED,RE,)
//	A_NAME_THAT_IS_TOO_LONG.TXT;1
//	                12/12   29-FEB-2024 12:34:56.78  [GROUP,OWNER]  (RWED,RWED,RE,)
//	SUB.DIR;1       %RMS-E-PRV, insufficient privilege or file protection violation
//
// The sizes are in blocks of 512 bytes, and so not told. A directory has the name
// that serves to enter it, without type and version.
func readVMS(now time.Time) reader {
	return func(lines []string) (Entry, int) {
		if isVMSHeading(lines[0]) {
			return Entry{}, 1
		}
		name, rest, ok := splitVersion(lines[0])
		if !ok {
			return Entry{}, 0
		}
		n := 1
		if strings.Trim(rest, " \t") == "" {
			if len(lines) < 2 {
				return Entry{}, 0
			}
			rest, n = lines[1], 2
		}
		e := newEntry(name, File)
		if !e.vmsColumns(rest, now) {
			return Entry{}, 0
		}
		bare := bareVersion(name)
		if i := len(bare) - len(".DIR"); i > 0 && strings.EqualFold(bare[i:], ".DIR") {
			e.Type, e.Name = Dir, name[:i]
		}
		return e, n
	}
}

// vmsHeadings are what the lines begin with that name the directory and sum up.
var vmsHeadings = []string{"Directory ", "Total of ", "Grand total of "}

func isVMSHeading(line string) bool {
	for _, heading := range vmsHeadings {
		if strings.HasPrefix(line, heading) && !strings.Contains(line, ";") {
			return true
		}
	}
	return false
}

// splitVersion parts a name with its version from what is behind. In a name a
// space is written "^ ".
func splitVersion(line string) (name, rest string, ok bool) {
	for i := 1; i < len(line); i++ {
		if line[i] == ' ' && line[i-1] != '^' {
			return "", "", false
		}
		if line[i] != ';' || line[i-1] == '^' {
			continue
		}
		end := i + 1
		for end < len(line) && line[end] >= '0' && line[end] <= '9' {
			end++
		}
		if end == i+1 || end < len(line) && !isSpace(line[end]) || isSpace(line[0]) {
			return "", "", false
		}
		return line[:end], line[end:], true
	}
	return "", "", false
}

// vmsColumns reads what is behind the name: blocks, a date, owner and
// protection, in this order or another, or what kept the server from telling.
func (e *Entry) vmsColumns(rest string, now time.Time) bool {
	f := words(rest)
	if len(f) == 0 {
		return false
	}
	blocks := false
	for i := 0; i < len(f); i++ {
		s := f[i].text
		used, allocated, slash := strings.Cut(s, "/")
		switch {
		case i == 0 && strings.HasPrefix(s, "%"): // a message
			return true
		case !blocks && digits(used) && (!slash || digits(allocated)):
			blocks = true
		case e.ModTime.IsZero() && isVMSDate(s):
			when, t, taken := parseDate(f[i:], now)
			if taken == 0 {
				return false
			}
			e.date(when, t)
			i += taken - 1
		case strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]"):
			e.Group, e.Owner, slash = strings.Cut(s[1:len(s)-1], ",")
			if !slash {
				e.Owner, e.Group = e.Group, ""
			}
		case strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")"):
		case !e.ModTime.IsZero() && e.Owner == "": // an owner without brackets
			e.Owner = s
		default:
			return false
		}
	}
	return blocks || !e.ModTime.IsZero()
}

// isVMSDate reports whether s is a date as 29-FEB-2024.
func isVMSDate(s string) bool { return strings.Count(s, "-") == 2 }

// bareVersion returns name without its version.
func bareVersion(name string) string { return name[:strings.LastIndexByte(name, ';')] }

// dropVersions gives the newest version of each file the name without a version,
// by which servers take it for the newest. Others keep theirs.
func dropVersions(entries []Entry) {
	type newest struct{ at, version int }
	found := make(map[string]newest)
	for i, e := range entries {
		if e.Type != File || e.Problem != "" {
			continue
		}
		bare := bareVersion(e.Name)
		version, ok := parseSmall(e.Name[len(bare)+1:], 9)
		if last, seen := found[bare]; ok && (!seen || version > last.version) {
			found[bare] = newest{i, version}
		}
	}
	for bare, n := range found {
		if NameProblem(bare) == "" {
			entries[n.at].Name = bare
		}
	}
}
