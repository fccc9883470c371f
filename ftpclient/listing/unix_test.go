package listing

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Whatever the owners, the size, the day and the name are, and in whichever
// language the month is, a line is read as it was made.
func TestUnixColumns(t *testing.T) {
	owners := []string{"ftp      ftp", "0        0", "1000     2024", "29       12", "root     4096", "Feb      29", "12:34    2020", "user"}
	sizes := []int64{0, 3, 12, 29, 31, 1234, 2020, 4096, 20240229, 1 << 40}
	dates := []struct{ form, want string }{
		{"%s 29 12:34", "2024-02-29T12:34:00Z"},
		{"%s 29  2020", "2020-02-29T00:00:00Z"},
		{"29 %s 12:34", "2024-02-29T12:34:00Z"},
		{"29 %s  2020", "2020-02-29T00:00:00Z"},
	}
	names := []string{"name", " name", "12:34", "2020", "2020 name", "12:34 name", "Feb 29 12:34 name", "0 Feb 29 12:34 name", "-> x", "29 Feb 2020 n"}
	febs := []string{"Feb", "2月", "2\x8c\x8e", "2월"}
	for _, year := range monthNames {
		for name := range strings.SplitSeq(strings.Fields(year)[1], "/") {
			febs = append(febs, spellings(name)...)
		}
	}
	for i, feb := range febs {
		if i == 1 { // the language has no part in the rest
			owners, names = owners[1:2], names[3:4]
		}
		for _, owner := range owners {
			for _, size := range sizes {
				for _, date := range dates {
					for _, name := range names {
						line := fmt.Sprintf("-rw-r-x---    1 %s %12d %s %s", owner, size, fmt.Sprintf(date.form, feb), name)
						e, ok := parseUnix(line, today)
						if !ok || e.Name != name || e.Size != size || e.ModTime.Format(time.RFC3339) != date.want || e.Mode != 0o650 {
							t.Fatalf("%q: %+v, %v", line, e, ok)
						}
						if user, group, two := strings.Cut(owner, " "); e.Owner != user || two && e.Group != strings.TrimLeft(group, " ") {
							t.Fatalf("%q: owner %q, group %q", line, e.Owner, e.Group)
						}
					}
				}
			}
		}
	}
}

// A link is parted where its size says, if its name or target holds an arrow.
func TestSplitLink(t *testing.T) {
	for _, name := range []string{"l", "a -> b", " -> ", "a -> ", " -> a"} {
		for _, target := range []string{"t", "c -> d", " -> x", "../x y"} {
			line := fmt.Sprintf("lrwxrwxrwx    1 ftp      ftp %12d Feb 29 12:34 %s -> %s", len(target), name, target)
			e, ok := parseUnix(line, today)
			if !ok || e.Name != name || e.Target != target || e.Type != Link || e.Size != -1 {
				t.Errorf("%q: %+v, %v", line, e, ok)
			}
		}
	}
}
