package ftpclient_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// A field is a site and a client of it.
type field struct {
	*ftptest.Site
	network ftptest.Network
	cfg     ftpclient.Config

	mu      sync.Mutex
	got     map[string]*bytes.Buffer
	results map[string]ftpclient.Result
	errs    map[string]error
	opened  map[string]int
}

// open starts the site and returns a client, both of which are closed at the
// end of the test, when no listener may be left.
func (f *field) open(t *testing.T) *ftpclient.Client {
	t.Helper()
	host := f.network.Host(serverHost)
	ln, err := host.Listen(t.Context(), "tcp", serverHost+":21")
	if err != nil {
		t.Fatal(err)
	}
	f.Site.Start(ln, host)
	own := f.network.Host(clientHost)
	f.cfg.Dialer, f.cfg.Listener = own, own
	f.got, f.results = make(map[string]*bytes.Buffer), make(map[string]ftpclient.Result)
	f.errs, f.opened = make(map[string]error), make(map[string]int)
	client, err := ftpclient.New(serverURL, &f.cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
		f.Site.Close()
		if n := f.network.Listeners(); n != 0 {
			t.Errorf("%d listeners are left open", n)
		}
	})
	return client
}

// files returns n files of different lengths.
func files(n int) map[string]string {
	m := make(map[string]string)
	for i := range n {
		m[fmt.Sprintf("f%02d", i)] = strings.Repeat(fmt.Sprintf("<%d>", i), 10*i+i%3)
	}
	return m
}

// download returns a Download that notes what becomes of it.
func (f *field) download(path string, size int64) ftpclient.Download {
	return ftpclient.Download{
		Path: path, Size: size,
		Open: func() (io.Writer, error) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.opened[path]++
			f.got[path] = new(bytes.Buffer)
			return f.got[path], nil
		},
		Done: f.done(path),
	}
}

func (f *field) done(path string) func(ftpclient.Result, error) {
	return func(result ftpclient.Result, err error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if _, twice := f.results[path]; twice {
			err = errors.Join(err, errors.New("done twice"))
		}
		f.results[path], f.errs[path] = result, err
	}
}

// fetch downloads all files of the site. If told, their sizes are known.
func (f *field) fetch(ctx context.Context, c *ftpclient.Client, told bool, parallel int) error {
	paths := slices.Sorted(maps.Keys(f.Files))
	return c.Download(ctx, func(yield func(ftpclient.Download) bool) {
		for _, path := range paths {
			size := int64(-1)
			if told {
				size = int64(len(f.Files[path]))
			}
			if !yield(f.download(path, size)) {
				return
			}
		}
	}, parallel)
}

// check compares what was fetched with the site; errors are wanted for those
// in failed.
func (f *field) check(t *testing.T, failed map[string]func(error) bool) {
	t.Helper()
	if len(f.results) != len(f.Files) {
		t.Errorf("%d of %d files are done", len(f.results), len(f.Files))
	}
	for path, content := range f.Files {
		if f.opened[path] > 1 {
			t.Errorf("%s: opened %d times", path, f.opened[path])
		}
		if check := failed[path]; check != nil {
			if err := f.errs[path]; err == nil || !check(err) {
				t.Errorf("%s: error %v", path, err)
			}
			continue
		}
		if err := f.errs[path]; err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if got := f.got[path].String(); got != content {
			t.Errorf("%s: got %d bytes that are not the %d expected", path, len(got), len(content))
		}
		if r := f.results[path]; r.Bytes != int64(len(content)) || r.Verified != ftpclient.VerifiedSize {
			t.Errorf("%s: result %+v", path, r)
		}
	}
}

// ways are the ways in which a site can be worked with.
var ways = map[string]func(*field){
	"passive":        func(*field) {},
	"active":         func(f *field) { f.cfg.Active = true },
	"no pipelining":  func(f *field) { f.cfg.Ahead = -1 },
	"lockstep site":  func(f *field) { f.Greeting = "Microsoft FTP Service" },
	"far ahead":      func(f *field) { f.cfg.Ahead = 50 },
	"one ahead":      func(f *field) { f.cfg.Ahead = 1 },
	"no EPSV":        func(f *field) { f.Refuse = map[string]string{"EPSV": "502 no"} },
	"bad EPSV":       func(f *field) { f.Refuse = map[string]string{"EPSV": "229 well"} },
	"lost EPSV":      func(f *field) { f.Refuse = map[string]string{"EPSV": "229 (|||9|)"} },
	"no EPRT":        func(f *field) { f.Refuse, f.cfg.Active = map[string]string{"EPRT": "500 no"}, true },
	"two sessions":   func(f *field) { f.MaxSessions, f.TooMany = 2, "421 too many" },
	"one login":      func(f *field) { f.MaxSessions, f.TooMany = 1, "530 too many" },
	"ProFTPD":        func(f *field) { f.Greeting, f.Eager = "ProFTPD", "450 busy" },
	"Pure-FTPd":      func(f *field) { f.Greeting, f.Eager = "Welcome to Pure-FTPd", "500 what" },
	"one connection": func(f *field) { f.cfg.MaxConns = 1 },
}

// A site that loses what it gets during a transfer, and does not say what it
// is, is found out, and nothing is lost.
func TestSwallowed(t *testing.T) {
	for _, reply := range []string{"450 data transfer in progress", "500 what"} {
		for _, told := range []bool{true, false} {
			for _, parallel := range []int{1, 4} {
				bubble(t, fmt.Sprint(reply, told, parallel), func(t *testing.T) {
					f := &field{Site: &ftptest.Site{Files: files(40), Eager: reply}}
					c := f.open(t)
					if err := f.fetch(t.Context(), c, told, parallel); err != nil {
						t.Fatal(err)
					}
					f.check(t, nil)
					if n := f.Sessions(); n < 2 || n > 2*parallel {
						t.Errorf("%d sessions", n)
					}
				})
			}
		}
	}
}

func TestDownload(t *testing.T) {
	for name, way := range ways {
		for _, told := range []bool{false, true} {
			for _, parallel := range []int{1, 4} {
				t.Run(fmt.Sprintf("%s/told=%v/%d", name, told, parallel), func(t *testing.T) {
					f := &field{Site: &ftptest.Site{Files: files(40)}}
					way(f)
					c := f.open(t)
					if err := f.fetch(t.Context(), c, told, parallel); err != nil {
						t.Fatal(err)
					}
					f.check(t, nil)
					if n := f.Sessions(); name != "bad EPSV" && name != "lost EPSV" && f.MaxSessions == 0 && n > parallel {
						t.Errorf("%d sessions", n)
					}
				})
			}
		}
	}
}

// No connection is opened for which there is no file.
func TestDownloadFew(t *testing.T) {
	for range 20 {
		f := &field{Site: &ftptest.Site{Files: files(1)}}
		c := f.open(t)
		if err := f.fetch(t.Context(), c, true, 4); err != nil {
			t.Fatal(err)
		}
		f.check(t, nil)
		if n := f.Sessions(); n != 1 {
			t.Fatalf("%d sessions for one file", n)
		}
	}
}
