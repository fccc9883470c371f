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

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// store uploads files to f, each under a name of its own first if renamed.
func (f *field) store(ctx context.Context, c *ftpclient.Client, content map[string]string, renamed bool, parallel int) error {
	return c.Upload(ctx, func(yield func(ftpclient.Upload) bool) {
		for _, path := range slices.Sorted(maps.Keys(content)) {
			u := ftpclient.Upload{
				Path: path, Done: f.done(path),
				Open: func() (io.Reader, error) {
					f.mu.Lock()
					defer f.mu.Unlock()
					f.opened[path]++
					return strings.NewReader(content[path]), nil
				},
			}
			if renamed {
				u.Path, u.Rename = path+".part", path
			}
			if !yield(u) {
				return
			}
		}
	}, parallel)
}

// checkStored compares what is on the site with what was sent. At most so many
// files may have failed.
func (f *field) checkStored(t *testing.T, what string, content map[string]string, most int) {
	t.Helper()
	stored := f.Stored()
	var failed []string
	for path, text := range content {
		err, done := f.errs[path]
		switch {
		case !done:
			t.Errorf("%s: %s is not done", what, path)
		case f.opened[path] > 1:
			t.Errorf("%s: %s was opened twice", what, path)
		case err != nil:
			failed = append(failed, fmt.Sprintf("%s: %v", path, err))
		case stored[path] != text:
			t.Errorf("%s: %s has %d other bytes than the %d sent", what, path, len(stored[path]), len(text))
		}
	}
	if len(failed) > most {
		t.Errorf("%s: failed: %q", what, failed)
	}
}

func TestUpload(t *testing.T) {
	for way, set := range ways {
		for _, renamed := range []bool{false, true} {
			for _, parallel := range []int{1, 4} {
				bubble(t, fmt.Sprintf("%s/renamed=%v/%d", way, renamed, parallel), func(t *testing.T) {
					f := &field{Site: new(ftptest.Site)}
					set(f)
					c := f.open(t)
					content := files(20)
					if err := f.store(t.Context(), c, content, renamed, parallel); err != nil {
						t.Fatal(err)
					}
					f.checkStored(t, "", content, 0)
					if n := len(f.Stored()); n != len(content) {
						t.Errorf("%d files are stored", n)
					}
					for path, r := range f.results {
						if r.Verified != ftpclient.VerifiedSize || r.Size != int64(len(content[path])) || r.Bytes != r.Size {
							t.Errorf("%s: %+v", path, r)
						}
					}
				})
			}
		}
	}
}

// As for downloads; and a file that was not begun is not touched.
func TestUploadRefusedAnywhere(t *testing.T) {
	content := files(5)
	faults := map[string]ftptest.Fault{"hangup": {Hangup: true}, "in the data": {Cut: true}, "part": {Short: true}}
	for _, reply := range []string{"550 no", "502 what", "425 no ports", "421 bye", "200 ok", "226 done", "350 well"} {
		faults[reply] = ftptest.Fault{Reply: reply}
	}
	for _, way := range []string{"passive", "active", "no pipelining", "no EPSV"} {
		for name, fault := range faults {
			for _, renamed := range []bool{false, true} {
				bubble(t, fmt.Sprintf("%s/%s/renamed=%v", way, name, renamed), func(t *testing.T) {
					const login = 2
					for n := login; ; n++ {
						f := &field{Site: new(ftptest.Site)}
						ways[way](f)
						var hit string
						f.Fault = at(n, fault, &hit)
						c := f.open(t)
						if err := f.store(t.Context(), c, content, renamed, 1); err != nil {
							t.Errorf("%s: %v", hit, err)
						}
						if hit == "" {
							f.checkStored(t, name, content, 0)
							return
						}
						if verb(hit) == "RNTO" && strings.HasPrefix(fault.Reply, "2") {
							continue // nobody can see through this
						}
						// What was renamed, or verified, just before may fail with the
						// connection, too.
						f.checkStored(t, hit, content, 2)
					}
				})
			}
		}
	}
}

// A cancelled upload leaves no file behind that was not begun.
func TestUploadCancelled(t *testing.T) {
	f := &field{Site: &ftptest.Site{Files: map[string]string{"f06": "old"}}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f.Fault = func(_, _ int, line string) ftptest.Fault {
		if line == "STOR f05" {
			cancel()
		}
		return ftptest.Fault{}
	}
	c := f.open(t)
	if err := f.store(ctx, c, files(30), false, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	c.Close()
	f.Site.Close()
	if got := f.Stored()["f06"]; got != "old" {
		t.Errorf("a file that was not begun is %q", got)
	}
}

// A file that the server does not show after it was uploaded is told from one
// whose size is not told at all.
func TestUploadUnsized(t *testing.T) {
	for _, ahead := range []int{0, -1} {
		for reply, code := range map[string]int{"550 no such file": 550, "502 what": 502} {
			f := &field{Site: &ftptest.Site{Refuse: map[string]string{"SIZE": reply}}}
			f.cfg.Ahead = ahead
			c := f.open(t)
			if err := f.store(t.Context(), c, map[string]string{"f": hello}, false, 1); err != nil || f.errs["f"] != nil {
				t.Fatal(err, f.errs)
			}
			if r := f.results["f"]; r.Verified != ftpclient.VerifiedNone || r.Unsized == nil || r.Unsized.Code != code {
				t.Errorf("%+v", r)
			}
		}
	}
}

// A refused new name is an error that tells that the file is there.
func TestUploadNotRenamed(t *testing.T) {
	for _, ahead := range []int{0, -1} {
		f := &field{Site: &ftptest.Site{Refuse: map[string]string{"RNTO f01": "553 no"}}}
		f.cfg.Ahead = ahead
		c := f.open(t)
		if err := f.store(t.Context(), c, files(3), true, 1); err != nil {
			t.Fatal(err)
		}
		var refusal *ftpclient.ReplyError
		if err := f.errs["f01"]; !errors.As(err, &refusal) || refusal.Command != "RNTO f01" {
			t.Errorf("error %v", err)
		}
		if r := f.results["f01"]; r.Verified != ftpclient.VerifiedSize {
			t.Errorf("%+v", r)
		}
		if f.errs["f00"] != nil || f.errs["f02"] != nil {
			t.Errorf("errors %v", f.errs)
		}
	}
}

// While a file flows, the next data connection is asked for, and no file is
// named.
func TestUploadDialogue(t *testing.T) {
	f := &field{Site: new(ftptest.Site)}
	c := f.open(t)
	if err := f.store(t.Context(), c, files(2), true, 1); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"USER anonymous", "PASS anonymous@", "TYPE I",
		"EPSV", "STOR f00.part", "SIZE f00.part", "EPSV",
		"RNFR f00.part", "RNTO f00", "SIZE f00", "STOR f01.part", "SIZE f01.part",
		"RNFR f01.part", "RNTO f01", "SIZE f01",
	}
	if got := f.Log(); !slices.Equal(got, want) {
		t.Errorf("commands %q", got)
	}
}
