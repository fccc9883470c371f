package ftpclient_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// An asking is what a client was told of files, and when.
type asking struct {
	*field
	told map[string][]ftpclient.Attributes
	late []string // of which it was told after they were opened
}

// ask downloads all files of the site, and wants to be told of them.
func (tell *asking) ask(t *testing.T, c *ftpclient.Client, parallel int) {
	t.Helper()
	tell.told = make(map[string][]ftpclient.Attributes)
	err := c.Download(t.Context(), func(yield func(ftpclient.Download) bool) {
		for _, path := range slices.Sorted(maps.Keys(tell.Files)) {
			d := tell.download(path, -1)
			d.Told = func(a ftpclient.Attributes) {
				tell.mu.Lock()
				defer tell.mu.Unlock()
				tell.told[path] = append(tell.told[path], a)
				if tell.opened[path] > 0 {
					tell.late = append(tell.late, path)
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
	if tell.late != nil {
		t.Errorf("told too late of %q", tell.late)
	}
}

// changeTimes returns a time for each file, as MDTM tells it.
func changeTimes(files map[string]string) map[string]string {
	m := make(map[string]string)
	for i, path := range slices.Sorted(maps.Keys(files)) {
		m[path] = fmt.Sprintf("202601020304%02d", i)
	}
	return m
}

// checkTold compares what was last told of each file with the site.
func (tell *asking) checkTold(t *testing.T) {
	t.Helper()
	for path, content := range tell.Files {
		all := tell.told[path]
		at, err := time.Parse("20060102150405", tell.Times[path])
		if want := (ftpclient.Attributes{Size: int64(len(content)), ModTime: at}); err != nil || len(all) == 0 || all[len(all)-1] != want {
			t.Errorf("%s: told %v, want %v", path, all, want)
		}
	}
}

// Who wants to know size and time of files is told before they are opened, and
// gets each of them once.
func TestTold(t *testing.T) {
	for name, way := range ways {
		for _, parallel := range []int{1, 3} {
			bubble(t, fmt.Sprint(name, parallel), func(t *testing.T) {
				f := &field{Site: &ftptest.Site{Files: files(20)}}
				f.Times = changeTimes(f.Files)
				way(f)
				tell := &asking{field: f}
				tell.ask(t, f.open(t), parallel)
				f.check(t, nil)
				tell.checkTold(t)
			})
		}
	}
}

// Whatever the server refuses, and however often it begins again, nobody is told
// of a file that is not the one that comes.
func TestToldFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		cfg   ftpclient.Config
		fault func(n int, line string) ftptest.Fault
		want  func(a ftpclient.Attributes, size int64) bool
		err   func(error) bool // of all files
	}{
		"no time": {fault: func(_ int, line string) ftptest.Fault {
			return ftptest.Fault{Reply: map[string]string{"MDTM": "500 what"}[verb(line)]}
		}, want: func(a ftpclient.Attributes, size int64) bool { return a.Size == size && a.ModTime.IsZero() }},
		"never begun again": {cfg: ftpclient.Config{Retries: -1},
			want: func(a ftpclient.Attributes, size int64) bool { return a.Size == size && !a.ModTime.IsZero() }},
		"checked by nothing": {cfg: ftpclient.Config{Verify: ftpclient.VerifyNone},
			want: func(a ftpclient.Attributes, size int64) bool { return a.Size == size && !a.ModTime.IsZero() }},
		"begun again before it is opened": {cfg: ftpclient.Config{RetryWait: time.Second}, fault: func(n int, line string) ftptest.Fault {
			if verb(line) == "RETR" && n == 1 {
				return ftptest.Fault{Reply: "450 not now"}
			}
			return ftptest.Fault{}
		}, want: func(a ftpclient.Attributes, size int64) bool { return a.Size == size && !a.ModTime.IsZero() }},
		"not there": {fault: func(_ int, line string) ftptest.Fault {
			switch verb(line) {
			case "SIZE", "MDTM", "RETR":
				return ftptest.Fault{Reply: "550 no such file"}
			}
			return ftptest.Fault{}
		}, want: func(a ftpclient.Attributes, _ int64) bool { return a == ftpclient.Attributes{Size: -1} }, err: isReply(550)},
	} {
		bubble(t, name, func(t *testing.T) {
			f := &field{Site: &ftptest.Site{Files: files(8)}, cfg: tt.cfg}
			f.Times = changeTimes(f.Files)
			asked := make(map[string]int)
			f.Fault = func(_, _ int, line string) ftptest.Fault {
				asked[line]++
				if tt.fault == nil {
					return ftptest.Fault{}
				}
				return tt.fault(asked[line], line)
			}
			tell := &asking{field: f}
			tell.ask(t, f.open(t), 1)
			failed := make(map[string]func(error) bool)
			for path, content := range f.Files {
				if all := tell.told[path]; len(all) == 0 || !tt.want(all[len(all)-1], int64(len(content))) {
					t.Errorf("%s: told %v", path, all)
				}
				if tt.err != nil {
					failed[path] = tt.err
				}
			}
			f.check(t, failed)
		})
	}
}

// A file that has grown when it is begun again is not the one that was told of,
// although it begins with what has come.
func TestToldGrown(t *testing.T) {
	bubble(t, "grown", func(t *testing.T) {
		content := strings.Repeat("x", 1000)
		f := &field{Site: &ftptest.Site{Files: map[string]string{"a": content}}}
		f.Times, f.cfg.RetryWait = changeTimes(f.Files), time.Second
		begun := 0
		f.Fault = func(_, _ int, line string) ftptest.Fault {
			switch {
			case begun > 0:
				return ftptest.Fault{Change: map[string]string{"a": content + "and more"}}
			case line == "RETR a":
				begun++
				return ftptest.Fault{Last: "426 broken"}
			}
			return ftptest.Fault{}
		}
		tell := &asking{field: f}
		tell.ask(t, f.open(t), 1)
		if err := f.errs["a"]; !isIntegrity(ftpclient.KindChanged, 1000, 1008)(err) {
			t.Errorf("error %v", err)
		}
	})
}

// A file that breaks off and is another one then, although as long, is not put
// together of both.
func TestToldChanged(t *testing.T) {
	bubble(t, "changed", func(t *testing.T) {
		const size = 300_000
		f := &field{Site: &ftptest.Site{Files: map[string]string{"a": strings.Repeat("x", size), "b": "b"}}}
		f.Times, f.cfg.RetryWait = changeTimes(f.Files), time.Second
		begun := 0
		f.Fault = func(_, _ int, line string) ftptest.Fault {
			if line == "RETR a" {
				begun++
			}
			switch {
			case line == "RETR a" && begun == 1:
				return ftptest.Fault{Last: "426 broken"}
			case line == "MDTM a" && begun == 1:
				return ftptest.Fault{Reply: "213 20260607080910", Change: map[string]string{"a": strings.Repeat("y", size)}}
			}
			return ftptest.Fault{}
		}
		tell := &asking{field: f}
		tell.ask(t, f.open(t), 1)
		if err := f.errs["a"]; !isIntegrity(ftpclient.KindChanged, size, size)(err) || f.errs["b"] != nil {
			t.Errorf("errors %v", f.errs)
		}
		if n := len(tell.told["a"]); n != 1 {
			t.Errorf("told %d times of a file that was opened", n)
		}
	})
}

// The questions about a file and what begins it are on their way, at once, before
// the server has begun with the one before it; not where it would lose them.
func TestToldAhead(t *testing.T) {
	group := []string{"SIZE b", "MDTM b", "EPSV", "RETR b"}
	for name, tt := range map[string]struct {
		way   string
		ahead bool
		once  bool // in one piece
	}{
		"ahead":    {"passive", true, true},
		"eager":    {"ProFTPD", false, true},
		"lockstep": {"lockstep site", false, false},
		"off":      {"no pipelining", false, false},
	} {
		bubble(t, name, func(t *testing.T) {
			f := &field{Site: &ftptest.Site{Files: map[string]string{"a": strings.Repeat("a", 1000), "b": "b"}}}
			ways[tt.way](f)
			f.Times, f.Eager = changeTimes(f.Files), ""
			await := make(chan struct{})
			f.Fault = func(_, _ int, line string) ftptest.Fault {
				if line == "RETR a" {
					return ftptest.Fault{Await: await}
				}
				return ftptest.Fault{}
			}
			_ = f.open(t).Close()
			r := &recorder{Dialer: f.cfg.Dialer}
			f.cfg.Dialer = r
			c, err := ftpclient.New(serverURL, &f.cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			tell := &asking{field: f}
			done := make(chan struct{})
			go func() {
				defer close(done)
				tell.ask(t, c, 1)
			}()
			synctest.Wait()
			r.mu.Lock()
			meanwhile := strings.Join(r.writes, "")
			r.mu.Unlock()
			close(await)
			<-done
			if ahead := strings.Contains(meanwhile, "RETR b\r\n"); ahead != tt.ahead || !ahead && strings.Contains(meanwhile, "SIZE b") {
				t.Errorf("before a: %q", meanwhile)
			}
			if once := slices.Contains(r.writes, strings.Join(group, "\r\n")+"\r\n"); once != tt.once {
				t.Errorf("writes %q", r.writes)
			}
			f.check(t, nil)
			tell.checkTold(t)
		})
	}
}

// The error of a writer that cannot be had is that of its file alone.
func TestToldUnopened(t *testing.T) {
	f := &field{Site: &ftptest.Site{Files: files(6)}}
	f.Times = changeTimes(f.Files)
	c := f.open(t)
	errs := make(map[string]error)
	err := c.Download(t.Context(), func(yield func(ftpclient.Download) bool) {
		for _, path := range slices.Sorted(maps.Keys(f.Files)) {
			d := f.download(path, -1)
			var size int64
			d.Told = func(a ftpclient.Attributes) { size = a.Size }
			d.Open = func() (io.Writer, error) {
				if size == int64(len(f.Files["f02"])) {
					return nil, errDisk
				}
				return io.Discard, nil
			}
			d.Done = func(_ ftpclient.Result, err error) { errs[path] = err }
			if !yield(d) {
				return
			}
		}
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for path, err := range errs {
		if (path == "f02") != errors.Is(err, errDisk) || path != "f02" && err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}
