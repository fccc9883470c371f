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

// walk returns what a walk yields, one line each.
func walk(ctx context.Context, c *ftpclient.Client, dir string, opts *ftpclient.WalkOptions) []string {
	var lines []string
	for e, err := range c.Walk(ctx, dir, opts) {
		line := e.Path
		switch e.Type {
		case ftpclient.EntryDir:
			line += "/"
		case ftpclient.EntryLink:
			line += "@"
		}
		if err != nil {
			line += " error"
		}
		lines = append(lines, line)
	}
	return lines
}

// tree are the lists of a small tree, as both commands give them.
func tree(verb, option string) map[string]string {
	list := func(names ...string) (text string) {
		for _, name := range names {
			bare, dir := strings.CutSuffix(name, "/")
			switch {
			case verb == "MLSD" && dir:
				text += "type=dir; " + bare + "\r\n"
			case verb == "MLSD":
				text += "type=file;size=3; " + name + "\r\n"
			case dir:
				text += "drwxr-xr-x    2 0        0            4096 Feb 29  2024 " + bare + "\r\n"
			default:
				text += "-rw-r--r--    1 0        0               3 Feb 29  2024 " + name + "\r\n"
			}
		}
		return text
	}
	return map[string]string{
		verb + option + " t":        list("z", "b/", "a", "c /", " lead"),
		verb + option + " t/b":      list("x/", "y/", "f"),
		verb + option + " t/b/x":    list("deep"),
		verb + option + " t/b/y":    list(),
		verb + option + " t/c ":     list("-l", "q/"),
		verb + option + " t/c /q":   list("1", "2/"),
		verb + option + " t/c /q/2": list("3"),
	}
}

var treeOrder = []string{
	"z", "b/", "b/x/", "b/x/deep", "b/y/", "b/f", "a", "c /", "c /-l", "c /q/", "c /q/1", "c /q/2/", "c /q/2/3", " lead",
}

func TestWalk(t *testing.T) {
	for name, site := range map[string]*ftptest.Site{
		"MLSD":    {Lists: tree("MLSD", "")},
		"LIST":    {Lists: tree("LIST", ""), Refuse: map[string]string{"MLSD": "500 what"}},
		"vsFTPd":  {Lists: tree("LIST", " -a"), Greeting: "(vsFTPd 3.0.3)"},
		"ProFTPD": {Lists: tree("LIST", " -a"), Greeting: "ProFTPD Server", Refuse: map[string]string{"MLSD": "500 what"}},
	} {
		for _, way := range []string{"passive", "active", "no pipelining", "no EPSV", "lost EPSV", "one connection", "two sessions"} {
			for _, parallel := range []int{0, 1, 4} {
				bubble(t, fmt.Sprintf("%s/%s/%d", name, way, parallel), func(t *testing.T) {
					f := &field{Site: &ftptest.Site{Lists: site.Lists, Greeting: site.Greeting}}
					ways[way](f)
					if f.Refuse == nil {
						f.Refuse = make(map[string]string)
					}
					f.Refuse = maps.Clone(f.Refuse)
					maps.Copy(f.Refuse, site.Refuse)
					c := f.open(t)
					got := walk(t.Context(), c, "t", &ftpclient.WalkOptions{Parallel: parallel})
					if !slices.Equal(got, treeOrder) {
						t.Errorf("got %q", got)
					}
					listed := make(map[string]int)
					for _, line := range f.Log() {
						if _, ok := f.Lists[line]; ok {
							listed[line]++
						}
					}
					for line, n := range listed {
						if n != 1 && !strings.HasSuffix(way, " EPSV") {
							t.Errorf("%s was sent %d times", line, n)
						}
					}
				})
			}
		}
	}
}

// What is found is fetched while the walk goes on, by one Client, even if the
// site allows one connection only.
func TestWalkAndDownload(t *testing.T) {
	for _, way := range []string{"passive", "one connection", "one login", "two sessions"} {
		bubble(t, way, func(t *testing.T) {
			f := &field{Site: &ftptest.Site{Lists: tree("MLSD", ""), Files: make(map[string]string)}}
			ways[way](f)
			for _, path := range treeOrder {
				if !strings.HasSuffix(path, "/") {
					f.Files["t/"+path] = path[:1] + "ab"
				}
			}
			c := f.open(t)
			err := c.Download(t.Context(), func(yield func(ftpclient.Download) bool) {
				for e, err := range c.Walk(t.Context(), "t", nil) {
					if err != nil {
						t.Error(err)
					}
					if e.Type == ftpclient.EntryFile && !yield(f.download("t/"+e.Path, e.Size)) {
						return
					}
				}
			}, 3)
			if err != nil {
				t.Fatal(err)
			}
			f.check(t, nil)
		})
	}
}

// A hostile site leads nowhere, and a broken list is told from a whole one.
func TestWalkHostile(t *testing.T) {
	for name, tt := range map[string]struct {
		lists map[string]string
		want  []string
	}{
		"names": {
			map[string]string{"MLSD t": "type=dir; ..\r\ntype=dir; .\r\ntype=dir; a/b\r\ntype=file; /etc/passwd\r\ntype=file; a\x00b\r\ntype=file; a\rb\r\ntype=cdir; .\r\ntype=pdir; ..\r\ntype=file; ok\r\n"},
			[]string{"/ error", "/ error", "/ error", " error", " error", " error", "ok"},
		},
		"lines that are none": {
			map[string]string{"MLSD t": "type=file; a\r\nnonsense\r\ntype=file; b\r\n"},
			[]string{"a", "b", "/ error"},
		},
		"a list cut short": {
			map[string]string{"MLSD t": "type=dir; a\r\ntype=file; b\r\n", "MLSD t/a": "type=file; c\r\ntype=file; d"},
			[]string{"a/", "a/c", "a/d", "a/ error", "b"},
		},
		"a directory that is refused": {
			map[string]string{"MLSD t": "type=dir; a\r\ntype=file; b\r\n"},
			[]string{"a/", "a/ error", "b"},
		},
		"a loop that can be seen": {
			map[string]string{"MLSD t": "type=dir;unique=1; a\r\n", "MLSD t/a": "type=dir;unique=2; b\r\n", "MLSD t/a/b": "type=dir;unique=1; a\r\ntype=file; c\r\n"},
			[]string{"a/", "a/b/", "a/b/a/ error", "a/b/c"},
		},
		"a link": {
			map[string]string{"MLSD t": "type=OS.unix=slink:/; a\r\n"},
			[]string{"a@"},
		},
		"not there": {nil, []string{"/ error"}},
	} {
		bubble(t, name, func(t *testing.T) {
			f := &field{Site: &ftptest.Site{Lists: tt.lists}}
			c := f.open(t)
			if got := walk(t.Context(), c, "t", nil); !slices.Equal(got, tt.want) {
				t.Errorf("got %q", got)
			}
		})
	}
}

// LIST of a file, or of nothing, is not taken for a directory.
func TestWalkDoubtful(t *testing.T) {
	file := "-rw-r--r--    1 0        0               3 Feb 29  2024 t\r\n"
	for name, tt := range map[string]struct {
		list, cwd string
		want      []string
	}{
		"a file":            {file, "550 not a directory", []string{"/ error"}},
		"nothing":           {"", "550 no such", []string{"/ error"}},
		"a file in it":      {file, "250 in", []string{"t"}},
		"an empty one":      {"", "250 in", nil},
		"more than one":     {file + file, "550 never asked", []string{"t", "t"}},
		"with a first line": {"total 3\r\n" + file, "250 in", []string{"t"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := &field{Site: &ftptest.Site{
				Lists: map[string]string{"LIST t": tt.list}, Refuse: map[string]string{"CWD": tt.cwd, "MLSD": "502 what"},
			}}
			c := f.open(t)
			if got := walk(t.Context(), c, "t", nil); !slices.Equal(got, tt.want) {
				t.Errorf("got %q", got)
			}
		})
	}
}

// A tree without end has one, and the walk can be left at any time.
func TestWalkEndless(t *testing.T) {
	f := &field{Site: new(ftptest.Site)}
	f.Lists = map[string]string{}
	path := "t"
	for range 300 {
		f.Lists["MLSD "+path] = "type=dir; d\r\n"
		path += "/d"
	}
	c := f.open(t)
	n, failed := 0, 0
	for _, err := range c.Walk(t.Context(), "t", &ftpclient.WalkOptions{Parallel: 2}) {
		n++
		if err != nil {
			failed++
		}
	}
	if n != 256 || failed != 1 {
		t.Errorf("%d entries, %d errors", n, failed)
	}
	for range c.Walk(t.Context(), "t", nil) {
		break
	}
	skip := &ftpclient.WalkOptions{Skip: func(e ftpclient.Entry) bool { return e.Path == "d/d" }}
	if got := walk(t.Context(), c, "t", skip); !slices.Equal(got, []string{"d/", "d/d/"}) {
		t.Errorf("got %q", got)
	}
}

// The walk ends with ctx and with the site.
func TestWalkEnds(t *testing.T) {
	f := &field{Site: &ftptest.Site{Lists: tree("MLSD", "")}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f.Fault = func(_, _ int, line string) ftptest.Fault {
		if line == "MLSD t/b" {
			cancel()
		}
		return ftptest.Fault{}
	}
	c := f.open(t)
	var last error
	for _, err := range c.Walk(ctx, "t", nil) {
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("error %v", last)
	}
	c.Close()
	for _, err := range c.Walk(t.Context(), "t", nil) {
		if !errors.Is(err, ftpclient.ErrClosed) {
			t.Errorf("error %v", err)
		}
	}

	g := &field{Site: &ftptest.Site{Refuse: map[string]string{"USER": "530 no"}}}
	c = g.open(t)
	n := 0
	for _, err := range c.Walk(t.Context(), "t", nil) {
		n++
		if !isReply(530)(err) {
			t.Errorf("error %v", err)
		}
	}
	if n == 0 {
		t.Error("no error")
	}
	if err := c.Do(t.Context(), func(*ftpclient.Conn) error { return io.EOF }); !isReply(530)(err) {
		t.Errorf("error %v", err)
	}
}

// A list by LIST is read in one dialect. What is not understood is told with the
// lines, and directories that are not reached by slashes are not walked into.
func TestWalkDialects(t *testing.T) {
	unix := "drwxr-xr-x    2 0        0            4096 Feb 29  2024 d\r\n"
	dos := "02-29-24  12:34PM       <DIR>          d\r\n"
	for name, tt := range map[string]struct {
		list string
		want []string
		bad  []string
	}{
		"DOS":       {dos, []string{"d/", "d/f"}, nil},
		"Unix":      {unix, []string{"d/", "d/f"}, nil},
		"mixed":     {unix + dos, []string{"d/", "d/f", "/ error"}, []string{strings.TrimSpace(dos)}},
		"only text": {"ls: no\r\nls: no\r\n", []string{"/ error"}, []string{"ls: no", "ls: no"}},
		"VMS":       {"D.DIR;1  1/3  29-FEB-2024 12:34:56  [A,B]  (RWE,RWE,RE,)\r\n", []string{"D/", "D/f"}, nil},
		"MVS": {
			"Volume Unit    Referred Ext Used Recfm Lrecl BlkSz Dsorg Dsname\r\nVOL001 3390   2024/02/29  1   15  FB      80 27920  PO  D\r\n",
			[]string{"D/ error"}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := "-rw-r--r--    1 0        0               3 Feb 29  2024 f\r\n"
			f := &field{Site: &ftptest.Site{
				Lists:  map[string]string{"LIST t": tt.list, "LIST t/d": file, "LIST t/D": file},
				Refuse: map[string]string{"MLSD": "502 what", "CWD": "250 in"},
			}}
			c := f.open(t)
			if got := walk(t.Context(), c, "t", nil); !slices.Equal(got, tt.want) {
				t.Errorf("got %q", got)
			}
			var bad []string
			for _, err := range c.Walk(t.Context(), "t", nil) {
				var list *ftpclient.ListError
				if errors.As(err, &list) {
					for _, e := range list.Unknown {
						bad = append(bad, e.Line)
					}
				}
			}
			if !slices.Equal(bad, tt.bad) {
				t.Errorf("lines %q", bad)
			}
		})
	}
}
