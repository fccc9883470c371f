package ftpclient_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// A site that loses without a word what it gets during a transfer is found out,
// which takes the time that a reply may take, once for each connection; and no
// file is taken for another one, although they have the same length.
func TestDeaf(t *testing.T) {
	for _, way := range []string{"passive", "active", "one ahead", "far ahead", "no EPSV", "no pipelining"} {
		for _, parallel := range []int{1, 4} {
			for _, what := range []string{"listed", "unknown", "asked"} {
				bubble(t, fmt.Sprint(way, parallel, what), func(t *testing.T) {
					f := &field{Site: &ftptest.Site{Files: make(map[string]string), Deaf: true}}
					for i := range 30 {
						f.Files[fmt.Sprintf("f%02d", i)] = strings.Repeat(fmt.Sprintf("<%02d>", i), 100)
					}
					f.Times = changeTimes(f.Files)
					ways[way](f)
					c := f.open(t)
					begun := time.Now()
					if what == "asked" {
						tell := &asking{field: f}
						tell.ask(t, c, parallel)
						tell.checkTold(t)
					} else if err := f.fetch(t.Context(), c, what == "listed", parallel); err != nil {
						t.Fatal(err)
					}
					f.check(t, nil)
					if took := time.Since(begun); took > 2*time.Minute {
						t.Errorf("it took %v", took)
					}
				})
			}
		}
	}
}

// Nor is a list taken for that of another directory.
func TestDeafWalk(t *testing.T) {
	bubble(t, "walk", func(t *testing.T) {
		f := &field{Site: &ftptest.Site{Lists: make(map[string]string), Deaf: true}}
		var top strings.Builder
		for i := range 20 {
			fmt.Fprintf(&top, "type=dir; d%02d\r\n", i)
			f.Lists[fmt.Sprintf("MLSD d%02d", i)] = fmt.Sprintf("type=file;size=1; f%02d\r\n", i)
		}
		f.Lists["MLSD"] = top.String()
		c := f.open(t)
		found := 0
		for e, err := range c.Walk(t.Context(), "", nil) {
			switch dir, name, _ := strings.Cut(e.Path, "/"); {
			case err != nil:
				t.Errorf("%s: %v", e.Path, err)
			case name != "" && name[1:] != dir[1:]:
				t.Errorf("%s is in a directory that does not have it", e.Path)
			case name != "":
				found++
			}
		}
		if found != 20 {
			t.Errorf("%d files", found)
		}
	})
}
