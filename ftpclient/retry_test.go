package ftpclient_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// content returns the first n of many bytes, each part of which is found in one
// place only.
func content(n int) string { return allContent()[:n] }

var allContent = sync.OnceValue(func() string {
	var b strings.Builder
	for b.Len() < 4<<20 {
		fmt.Fprintf(&b, "%d,", b.Len())
	}
	return b.String()
})

// small is fetched again from the start, large is continued.
const (
	small = 5_000
	large = 100_000
)

// times returns a Fault function for the first n commands that begin with line.
func times(line string, n int, fault ftptest.Fault) func(int, int, string) ftptest.Fault {
	return func(_, _ int, command string) ftptest.Fault {
		if n == 0 || !strings.HasPrefix(command, line) {
			return ftptest.Fault{}
		}
		n--
		return fault
	}
}

// paused checks that so many retries took from half of all the pauses to all of
// them, and nothing else took any time.
func paused(t *testing.T, begun time.Time, pauses ...time.Duration) {
	t.Helper()
	var most time.Duration
	for _, p := range pauses {
		most += p
	}
	if took := time.Since(begun); took < most/2 || took > most {
		t.Errorf("took %v, want %v to %v", took, most/2, most)
	}
}

// count returns how many commands begin with line.
func (f *field) count(line string) (n int) {
	for _, command := range f.Log() {
		if strings.HasPrefix(command, line) {
			n++
		}
	}
	return n
}

// What ends a transfer and may pass is tried again once, after a pause, whenever
// it comes, and the writer gets each byte once.
func TestRetryDownload(t *testing.T) {
	const busy = "450 busy"
	faults := map[string]struct {
		fault ftptest.Fault
		line  string
	}{
		"lost":              {ftptest.Fault{Cut: true}, "RETR"},
		"426":               {ftptest.Fault{Last: "426 broken"}, "RETR"},
		"451":               {ftptest.Fault{Last: "451 disk"}, "RETR"},
		"421 in the middle": {ftptest.Fault{Last: "421 bye"}, "RETR"},
		"425":               {ftptest.Fault{Reply: "425 no"}, "RETR"},
		"450":               {ftptest.Fault{Reply: busy}, "RETR"},
		"no port":           {ftptest.Fault{Reply: "425 none"}, "EP"},
	}
	for name, tt := range faults {
		for _, way := range []string{"passive", "active", "no pipelining", "ProFTPD"} {
			for _, size := range []int{small, large} {
				for _, k := range []int{-1, 1, size / 4 * 3, size - 1, size} {
					if k != -1 && (tt.fault.Reply != "" || name != "lost" && way != "passive") {
						continue
					}
					bubble(t, fmt.Sprintf("%s/%s/%d of %d", name, way, k, size), func(t *testing.T) {
						f := &field{Site: &ftptest.Site{Files: map[string]string{"f": content(size)}}}
						ways[way](f)
						tt.fault.Bytes = k
						f.Fault = times(tt.line, 1, tt.fault)
						c := f.open(t)
						begun := time.Now()
						if err := f.fetch(t.Context(), c, false, 2); err != nil {
							t.Error(err)
						}
						paused(t, begun, time.Second)
						f.check(t, nil)
						if r := f.results["f"]; r.Retries != 1 {
							t.Errorf("%d retries", r.Retries)
						}
						if n := f.count("REST"); (n > 0) != (k > small) {
							t.Errorf("log %q", f.Log())
						}
					})
				}
			}
		}
	}
}

// The budget is that of the file, whatever progress is made, and the pauses grow
// up to a limit.
func TestRetryBudget(t *testing.T) {
	for _, tt := range []struct {
		retries int
		wait    time.Duration
		tries   int
		pauses  []time.Duration
	}{
		{retries: 0, tries: 4, pauses: []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}},
		{retries: 1, tries: 2, wait: 3 * time.Second, pauses: []time.Duration{3 * time.Second}},
		{retries: 4, tries: 5, wait: 12 * time.Second, pauses: []time.Duration{12 * time.Second, 24 * time.Second, 30 * time.Second, 30 * time.Second}},
		{retries: 2, tries: 3, wait: time.Hour, pauses: []time.Duration{30 * time.Second, 30 * time.Second}},
		{retries: -1, tries: 1},
	} {
		bubble(t, fmt.Sprintf("%+v", tt), func(t *testing.T) {
			const each = 66_000 // is more than is replayed
			f := &field{Site: &ftptest.Site{Files: map[string]string{"f": content(10 * each)}}}
			f.cfg.Retries, f.cfg.RetryWait = tt.retries, tt.wait
			f.Fault = times("RETR", 100, ftptest.Fault{Cut: true, Bytes: each})
			c := f.open(t)
			begun := time.Now()
			if err := f.fetch(t.Context(), c, false, 1); err != nil {
				t.Error(err)
			}
			paused(t, begun, tt.pauses...)
			var broken *ftpclient.TransferError
			if err := f.errs["f"]; !errors.As(err, &broken) {
				t.Errorf("error %v", err)
			}
			r := f.results["f"]
			if n := f.count("RETR"); n != tt.tries || r.Retries != tt.tries-1 || r.Bytes != int64(tt.tries*each) {
				t.Errorf("%d tries, want %d; result %+v", n, tt.tries, r)
			}
			if got := f.got["f"].String(); got != f.Files["f"][:tt.tries*each] {
				t.Errorf("the writer holds %d other bytes", len(got))
			}
		})
	}
}

// A site that drops every connection before anything begins is given up, too.
func TestRetryFlapping(t *testing.T) {
	for _, way := range []string{"passive", "no pipelining", "ProFTPD"} {
		bubble(t, way, func(t *testing.T) {
			f := &field{Site: &ftptest.Site{Files: map[string]string{"f": content(large)}}}
			ways[way](f)
			f.Fault = times("EPSV", 1000, ftptest.Fault{Hangup: true})
			c := f.open(t)
			begun := time.Now()
			if err := f.fetch(t.Context(), c, false, 1); err != nil {
				t.Error(err)
			}
			paused(t, begun, time.Second, 2*time.Second, 4*time.Second)
			if err := f.errs["f"]; !errors.Is(err, io.ErrUnexpectedEOF) || f.results["f"].Retries != 3 || f.count("EPSV") != 5 {
				t.Errorf("error %v, log %q", err, f.Log())
			}
		})
	}
}

// What will not pass is not tried again.
func TestNoRetry(t *testing.T) {
	for name, fault := range map[string]ftptest.Fault{
		"550": {Reply: "550 no"}, "553": {Reply: "553 no"}, "552 in the middle": {Last: "552 full"}, "short": {Short: true},
	} {
		for _, way := range []string{"passive", "no pipelining"} {
			bubble(t, name+"/"+way, func(t *testing.T) {
				f := &field{Site: &ftptest.Site{Files: map[string]string{"f": content(large)}}}
				ways[way](f)
				f.Fault = times("RETR", 100, fault)
				c := f.open(t)
				begun := time.Now()
				if err := f.fetch(t.Context(), c, false, 1); err != nil {
					t.Error(err)
				}
				paused(t, begun)
				if err := f.errs["f"]; err == nil || f.count("RETR") != 1 || f.results["f"].Retries != 0 {
					t.Errorf("error %v, log %q", err, f.Log())
				}
			})
		}
	}
}

// Nor is what is wrong on this side, although the server says 426 to it.
func TestNoRetryLocal(t *testing.T) {
	for _, way := range []string{"passive", "no pipelining"} {
		bubble(t, way, func(t *testing.T) {
			f := &field{Site: &ftptest.Site{Files: map[string]string{"f": content(large)}}}
			ways[way](f)
			c := f.open(t)
			begun := time.Now()
			err := c.Download(t.Context(), func(yield func(ftpclient.Download) bool) {
				d := f.download("f", large)
				d.Open = func() (io.Writer, error) { return &brokenFile{io.Discard, 80_000}, nil }
				yield(d)
			}, 1)
			if err != nil || !errors.Is(f.errs["f"], errDisk) || f.count("RETR") != 1 {
				t.Errorf("error %v, %v, log %q", err, f.errs["f"], f.Log())
			}
			paused(t, begun)
		})
	}
}

// A file that is another one by the time of the next try is not made of two.
func TestRetryChanged(t *testing.T) {
	other := "x" + content(large)[1:]
	for name, tt := range map[string]struct {
		k      int
		change string // of the content
		time   string // what MDTM says then
		err    bool
	}{
		"as before":             {k: 80_000},
		"another size":          {k: 80_000, change: other + "x", err: true},
		"another time":          {k: 80_000, change: other, time: "20270101000000", err: true},
		"other bytes, few":      {k: small, change: other, err: true},
		"few bytes, as before":  {k: small, change: content(small) + strings.Repeat("y", large-small), time: "20270101000000"},
		"all, and another time": {k: large, change: other, time: "20270101000000", err: true},
	} {
		for _, way := range []string{"passive", "no pipelining"} {
			for _, told := range []bool{true, false} {
				bubble(t, fmt.Sprintf("%s/%s/told=%v", name, way, told), func(t *testing.T) {
					f := &field{Site: &ftptest.Site{Files: map[string]string{"f": content(large)}, Times: map[string]string{"f": "20260101000000"}}}
					ways[way](f)
					if tt.change == "" {
						tt.change = f.Files["f"]
					}
					first := true
					f.Fault = func(session, _ int, line string) (fault ftptest.Fault) {
						switch {
						case verb(line) == "RETR" && first:
							fault, first = ftptest.Fault{Cut: true, Bytes: tt.k}, false
						case session > 0:
							fault.Change = map[string]string{"f": tt.change}
							if line == "MDTM f" && tt.time != "" {
								fault.Reply = "213 " + tt.time
							}
						}
						return fault
					}
					c := f.open(t)
					if err := f.fetch(t.Context(), c, told, 1); err != nil {
						t.Error(err)
					}
					err := f.errs["f"]
					var changed *ftpclient.IntegrityError
					if tt.err && (!errors.As(err, &changed) || changed.Kind != ftpclient.KindChanged) || !tt.err && err != nil {
						t.Errorf("error %v, log %q", err, f.Log())
					}
					if !tt.err && f.got["f"].String() != tt.change {
						t.Error("the writer holds other bytes")
					}
				})
			}
		}
	}
}

// Where the server cannot go on, the error is that of the try that broke, unless
// so little had come that it can be compared.
func TestRetryNoREST(t *testing.T) {
	for k, ok := range map[int]bool{-1: true, small: true, 80_000: false} {
		for what, refuse := range map[string]map[string]string{"REST": {"REST": "502 no"}, "size": {"SIZE": "550 no", "MLST": "502 no"}} {
			for _, way := range []string{"passive", "no pipelining"} {
				bubble(t, fmt.Sprintf("%s/%s/%d", what, way, k), func(t *testing.T) {
					f := &field{Site: &ftptest.Site{Files: map[string]string{"f": content(large)}, Refuse: refuse}}
					ways[way](f)
					f.Fault = times("RETR", 1, ftptest.Fault{Last: "426 cut off", Bytes: k})
					c := f.open(t)
					if err := f.fetch(t.Context(), c, false, 1); err != nil {
						t.Error(err)
					}
					err := f.errs["f"]
					if (err == nil) != ok || !ok && !isReply(426)(err) {
						t.Errorf("error %v, log %q", err, f.Log())
					}
					if got := f.got["f"].String(); !strings.HasPrefix(f.Files["f"], got) || ok && len(got) != large {
						t.Errorf("the writer holds %d bytes", len(got))
					}
					if n := f.count("RETR"); n > 2 {
						t.Errorf("%d tries", n)
					}
				})
			}
		}
	}
}

// A file that breaks does not keep the others waiting.
func TestRetryLeavesOthers(t *testing.T) {
	for _, parallel := range []int{1, 3} {
		bubble(t, fmt.Sprint(parallel), func(t *testing.T) {
			f := &field{Site: &ftptest.Site{Files: files(20)}}
			f.Fault = times("RETR f05", 3, ftptest.Fault{Last: "426 broken", Bytes: 1})
			c := f.open(t)
			begun := time.Now()
			var others time.Duration
			err := c.Download(t.Context(), func(yield func(ftpclient.Download) bool) {
				for path, content := range f.Files {
					d := f.download(path, int64(len(content)))
					done := d.Done
					d.Done = func(r ftpclient.Result, err error) {
						done(r, err)
						f.mu.Lock()
						defer f.mu.Unlock()
						if path != "f05" {
							others = max(others, time.Since(begun))
						}
					}
					if !yield(d) {
						return
					}
				}
			}, parallel)
			if err != nil {
				t.Error(err)
			}
			f.check(t, nil)
			paused(t, begun, time.Second, 2*time.Second, 4*time.Second)
			if others != 0 {
				t.Errorf("the others took %v", others)
			}
			if r := f.results["f05"]; r.Retries != 3 {
				t.Errorf("%d retries", r.Retries)
			}
		})
	}
}

// What waits for its next try when the work is cancelled is done at once, with
// what it holds.
func TestRetryCancelled(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		f := &field{Site: &ftptest.Site{Files: map[string]string{"f": content(large)}}}
		f.cfg.RetryWait = 20 * time.Second
		f.Fault = times("RETR", 9, ftptest.Fault{Cut: true, Bytes: 80_000})
		c := f.open(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		if err := f.fetch(ctx, c, false, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if took := time.Since(begun); took != time.Second {
			t.Errorf("took %v", took)
		}
		var broken *ftpclient.TransferError
		if err := f.errs["f"]; !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &broken) || f.results["f"].Bytes != 80_000 {
			t.Errorf("error %v, result %+v", err, f.results["f"])
		}
	})
}

// A listing that broke off is fetched anew.
func TestRetryWalk(t *testing.T) {
	for _, fault := range []ftptest.Fault{{Cut: true}, {Last: "426 broken"}, {Reply: "450 busy"}, {Last: "421 bye"}} {
		bubble(t, fmt.Sprintf("%+v", fault), func(t *testing.T) {
			f := &field{Site: &ftptest.Site{Lists: map[string]string{
				"MLSD":   "type=dir; d\r\ntype=file;size=1; a\r\n",
				"MLSD d": "type=file;size=1; b\r\ntype=file;size=1; c\r\n",
			}}}
			f.Fault = times("MLSD d", 2, fault)
			c := f.open(t)
			var got []string
			begun := time.Now()
			for e, err := range c.Walk(t.Context(), "", nil) {
				if err != nil {
					t.Error(err)
				}
				got = append(got, e.Path)
			}
			if want := "d d/b d/c a"; strings.Join(got, " ") != want {
				t.Errorf("walked %q", got)
			}
			paused(t, begun, time.Second, 2*time.Second)
		})
	}
}

// source is a reader of an upload, with or without Seek.
func source(s string, seekable bool) io.Reader {
	if seekable {
		return bytes.NewReader([]byte(s))
	}
	return io.MultiReader(strings.NewReader(s))
}

// send uploads one file.
func (f *field) send(t *testing.T, c *ftpclient.Client, r io.Reader, rename string) error {
	t.Helper()
	opened := 0
	err := c.Upload(t.Context(), func(yield func(ftpclient.Upload) bool) {
		yield(ftpclient.Upload{
			Path: "f", Rename: rename, Done: f.done("f"),
			Open: func() (io.Reader, error) { opened++; return r, nil },
		})
	}, 1)
	if err != nil || opened > 1 {
		t.Errorf("opened %d times, error %v", opened, err)
	}
	return f.errs["f"]
}

// An upload that broke off goes on where the server says, if its reader can.
func TestRetryUpload(t *testing.T) {
	faults := map[string]struct {
		fault ftptest.Fault
		begun bool
	}{
		"lost": {ftptest.Fault{Cut: true}, true}, "426": {ftptest.Fault{Last: "426 broken"}, true}, "421": {ftptest.Fault{Last: "421 bye"}, true},
		"425": {ftptest.Fault{Reply: "425 no"}, false}, "450": {ftptest.Fault{Reply: "450 no"}, false},
	}
	for name, tt := range faults {
		for _, way := range []string{"passive", "active", "no pipelining", "ProFTPD"} {
			for _, k := range []int{-1, 1, 80_000, large} {
				for _, seekable := range []bool{true, false} {
					for _, rename := range []string{"", "final"} {
						if k != -1 && (!tt.begun || name != "lost" && way != "passive") {
							continue
						}
						bubble(t, fmt.Sprintf("%s/%s/%d/seek=%v/%s", name, way, k, seekable, rename), func(t *testing.T) {
							f := &field{Site: &ftptest.Site{Files: map[string]string{"f": "an old file"}}}
							ways[way](f)
							tt.fault.Bytes = k
							f.Fault = times("STOR", 1, tt.fault)
							c := f.open(t)
							begun := time.Now()
							err := f.send(t, c, source(content(large), seekable), rename)
							if !seekable && tt.begun && err != nil {
								if f.count("STOR") != 1 {
									t.Errorf("error %v, log %q", err, f.Log())
								}
								return
							}
							if !seekable && k > 0 {
								t.Errorf("no error, log %q", f.Log())
							}
							paused(t, begun, time.Second)
							r := f.results["f"]
							if err != nil || r.Retries != 1 || r.Bytes != large || r.Verified != ftpclient.VerifiedSize {
								t.Errorf("error %v, result %+v, log %q", err, r, f.Log())
							}
							path := "f"
							if rename != "" {
								path = rename
							}
							if f.Stored()[path] != content(large) {
								t.Errorf("%d other bytes are stored, log %q", len(f.Stored()[path]), f.Log())
							}
							if n := f.count("REST"); (n == 1) != (k > 0) {
								t.Errorf("log %q", f.Log())
							}
						})
					}
				}
			}
		}
	}
}

// What is on the server beyond what was sent is not the start of the upload.
func TestRetryUploadForeign(t *testing.T) {
	for name, held := range map[string]string{"longer": strings.Repeat("z", large+1), "of the same length": strings.Repeat("z", large), "nothing": ""} {
		bubble(t, name, func(t *testing.T) {
			f := &field{Site: &ftptest.Site{}}
			stored := 0
			f.Fault = func(_, _ int, line string) (fault ftptest.Fault) {
				switch {
				case line == "STOR f" && stored == 0:
					stored++
					fault.Cut, fault.Bytes = true, 1000
				case line == "STOR f":
					stored++
				case line == "SIZE f" && stored == 1:
					fault.Change = map[string]string{"f": held}
				}
				return fault
			}
			c := f.open(t)
			err := f.send(t, c, source(content(large), true), "")
			if err != nil || f.Stored()["f"] != content(large) {
				t.Errorf("error %v, %d bytes are stored, log %q", err, len(f.Stored()["f"]), f.Log())
			}
		})
	}
}

// A server that does not continue uploads gets all of it again.
func TestRetryUploadAnew(t *testing.T) {
	for name, refuse := range map[string]map[string]string{
		"REST": {"REST": "502 no"}, "no SIZE": {"SIZE": "550 no", "MLST": "500 no"},
	} {
		bubble(t, name, func(t *testing.T) {
			f := &field{Site: &ftptest.Site{Refuse: refuse}}
			f.Fault = times("STOR", 1, ftptest.Fault{Cut: true, Bytes: 1000})
			c := f.open(t)
			err := f.send(t, c, source(content(large), true), "")
			if r := f.results["f"]; err != nil || r.Bytes != large || f.Stored()["f"] != content(large) {
				t.Errorf("error %v, result %+v, log %q", err, r, f.Log())
			}
		})
	}
}

// A rename whose reply is lost, or that the server puts off, is not lost.
func TestRetryRename(t *testing.T) {
	for name, fault := range map[string]ftptest.Fault{"lost before": {Hangup: true}, "lost after": {Mute: true}, "450": {Reply: "450 busy"}, "421": {Reply: "421 bye"}} {
		for _, line := range []string{"RNFR", "RNTO"} {
			for _, way := range []string{"passive", "no pipelining", "ProFTPD"} {
				for _, seekable := range []bool{true, false} {
					bubble(t, fmt.Sprintf("%s/%s/%s/%v", name, line, way, seekable), func(t *testing.T) {
						f := &field{Site: &ftptest.Site{}}
						ways[way](f)
						f.Fault = times(line, 1, fault)
						c := f.open(t)
						err := f.send(t, c, source(content(small), seekable), "final")
						_, temporary := f.Stored()["f"]
						if err != nil || temporary || f.Stored()["final"] != content(small) {
							t.Errorf("error %v, log %q", err, f.Log())
						}
						if n := f.count("STOR"); n != 1 {
							t.Errorf("log %q", f.Log())
						}
					})
				}
			}
		}
	}
}
