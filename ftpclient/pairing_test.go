package ftpclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// bubble runs a test in which time passes as soon as all wait for it.
func bubble(t *testing.T, name string, test func(*testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

// verb returns the command of a line.
func verb(line string) string {
	v, _, _ := strings.Cut(line, " ")
	return v
}

// at returns a Fault function for the nth command of the first session, which
// is noted in seen.
func at(n int, fault ftptest.Fault, seen *string) func(int, int, string) ftptest.Fault {
	return func(session, k int, line string) ftptest.Fault {
		if session != 0 || k != n {
			return ftptest.Fault{}
		}
		*seen = line
		return fault
	}
}

// Whatever command is refused, and however, each file is found whole or has
// an error of its own: no reply is taken for that to another command.
func TestRefusedAnywhere(t *testing.T) {
	for _, way := range []string{"passive", "active", "no pipelining", "far ahead", "no EPSV"} {
		for _, reply := range []string{"550 no", "500 what", "502 what", "425 no ports", "450 busy", "421 bye", "553 no", "501 no", "200 ok", "226 done", "350 well", "1 nonsense"} {
			for _, told := range []bool{true, false} {
				bubble(t, fmt.Sprintf("%s/%s/told=%v", way, reply, told), func(t *testing.T) {
					const login = 2
					for n := login; ; n++ {
						f := &field{Site: &ftptest.Site{Files: files(6)}}
						ways[way](f)
						var hit string
						f.Fault = at(n, ftptest.Fault{Reply: reply}, &hit)
						c := f.open(t)
						err := f.fetch(t.Context(), c, told, 1)
						if hit == "" {
							f.check(t, nil)
							break
						}
						if err != nil {
							t.Errorf("%s: %v", hit, err)
						}
						f.checkWhole(t, hit, 1)
					}
				})
			}
		}
	}
}

// checkWhole makes sure that at most so many files failed, and that the others
// are whole; and that none failed whose server only went away.
func (f *field) checkWhole(t *testing.T, what string, most int) {
	t.Helper()
	var failed []string
	for path, content := range f.Files {
		err, done := f.errs[path]
		switch {
		case !done:
			t.Errorf("%s: %s is not done", what, path)
		case f.opened[path] > 1:
			t.Errorf("%s: %s was opened twice", what, path)
		case err != nil:
			failed = append(failed, fmt.Sprintf("%s: %v", path, err))
		case f.got[path].String() != content:
			t.Errorf("%s: %s has other bytes", what, path)
		}
	}
	if len(failed) > most {
		t.Errorf("%s: failed: %q", what, failed)
	}
}

// A connection that is lost at any command costs at most the file that was
// under way.
func TestLostAnywhere(t *testing.T) {
	for _, way := range []string{"passive", "active", "no pipelining", "far ahead"} {
		for name, fault := range map[string]ftptest.Fault{
			"hangup": {Hangup: true}, "421": {Reply: "421 bye"}, "after a refusal": {Reply: "450 no", Hangup: true}, "in the data": {Cut: true},
		} {
			for _, parallel := range []int{1, 3} {
				bubble(t, fmt.Sprintf("%s/%s/%d", way, name, parallel), func(t *testing.T) {
					const login = 2
					for n := login; ; n++ {
						f := &field{Site: &ftptest.Site{Files: files(6)}}
						ways[way](f)
						var hit string
						f.Fault = at(n, fault, &hit)
						c := f.open(t)
						if err := f.fetch(t.Context(), c, true, parallel); err != nil {
							t.Errorf("%s: %v", hit, err)
						}
						if hit == "" {
							f.check(t, nil)
							return
						}
						most := 0
						if name == "after a refusal" || name == "in the data" && verb(hit) == "RETR" {
							most = 1
						}
						f.checkWhole(t, hit, most)
					}
				})
			}
		}
	}
}

// Files that are not there, or whose writers fail, fail alone, wherever they
// stand.
func TestFilesFailAlone(t *testing.T) {
	for _, way := range slices.Sorted(maps.Keys(ways)) {
		for failing := range 6 {
			bubble(t, fmt.Sprintf("%s/%d", way, failing), func(t *testing.T) {
				f := &field{Site: &ftptest.Site{Files: files(6)}}
				ways[way](f)
				c := f.open(t)
				paths := slices.Sorted(maps.Keys(f.Files))
				err := c.Download(t.Context(), func(yield func(ftpclient.Download) bool) {
					for i, path := range paths {
						d := f.download(path, int64(len(f.Files[path])))
						if i == failing {
							none, unopened, full := f.download("none", 9), f.download("unopened", 9), f.download(paths[5], int64(len(f.Files[paths[5]])))
							unopened.Path, unopened.Open = paths[0], func() (io.Writer, error) { return nil, errDisk }
							full.Open, full.Done = func() (io.Writer, error) { return &brokenFile{io.Discard, 7}, nil }, f.done("full")
							bad := f.download("bad\r\nDELE f00", 1)
							if !yield(none) || !yield(unopened) || !yield(full) || !yield(bad) {
								return
							}
						}
						if !yield(d) {
							return
						}
					}
				}, 2)
				if err != nil {
					t.Fatal(err)
				}
				for path, check := range map[string]func(error) bool{
					"none": isReply(550), "unopened": is(errDisk), "full": is(errDisk),
					"bad\r\nDELE f00": func(err error) bool {
						var argument *ftpclient.ArgumentError
						return errors.As(err, &argument)
					},
				} {
					if err := f.errs[path]; err == nil || !check(err) {
						t.Errorf("%s: error %v", path, err)
					}
					delete(f.errs, path)
					delete(f.results, path)
				}
				f.check(t, nil)
			})
		}
	}
}

// A cancelled download ends, and each file that was taken is done.
func TestDownloadCancelled(t *testing.T) {
	for _, way := range slices.Sorted(maps.Keys(ways)) {
		t.Run(way, func(t *testing.T) {
			f := &field{Site: &ftptest.Site{Files: files(30)}}
			ways[way](f)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			f.Fault = func(_, _ int, line string) ftptest.Fault {
				if line == "RETR f11" {
					cancel()
				}
				return ftptest.Fault{}
			}
			c := f.open(t)
			if err := f.fetch(ctx, c, true, 2); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
			for path := range f.got {
				if _, done := f.results[path]; !done {
					t.Errorf("%s was opened and is not done", path)
				}
			}
			for path, err := range f.errs {
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("%s: %v", path, err)
				}
			}
		})
	}
}

// A site that lets nobody in ends the call, and asks for the password once.
func TestNobodyLetIn(t *testing.T) {
	f := &field{Site: &ftptest.Site{Files: files(9), Refuse: map[string]string{"PASS": "530 wrong"}}}
	c := f.open(t)
	if err := f.fetch(t.Context(), c, true, 4); !isReply(530)(err) {
		t.Errorf("error %v", err)
	}
	for path, err := range f.errs {
		if !isReply(530)(err) {
			t.Errorf("%s: %v", path, err)
		}
	}
	asked := 0
	for _, line := range f.Log() {
		if verb(line) == "PASS" {
			asked++
		}
	}
	if asked != 1 {
		t.Errorf("the password was sent %d times", asked)
	}
}

// The commands of a file are on their way while the one before it flows, and
// no round trip is wasted on what is known.
func TestDialogue(t *testing.T) {
	f := &field{Site: &ftptest.Site{Files: files(3)}}
	c := f.open(t)
	if err := f.fetch(t.Context(), c, true, 1); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"USER anonymous", "PASS anonymous@", "TYPE I",
		"SIZE f00", "MDTM f00", "EPSV", "RETR f00", "EPSV", "RETR f01", "EPSV", "RETR f02",
	}
	if got := f.Log(); !slices.Equal(got, want) {
		t.Errorf("commands %q", got)
	}
}
