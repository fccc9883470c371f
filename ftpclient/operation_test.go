package ftpclient_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// carry carries operations out and returns what became of each, by its place.
func carry(ctx context.Context, t *testing.T, c *ftpclient.Client, parallel int, operations ...ftpclient.Operation) []error {
	t.Helper()
	var mu sync.Mutex
	results, times := make([]error, len(operations)), make([]int, len(operations))
	for i := range operations {
		operations[i].Done = func(err error) {
			mu.Lock()
			defer mu.Unlock()
			results[i] = err
			times[i]++
		}
	}
	err := c.Operate(ctx, slices.Values(operations), parallel)
	if err != nil && ctx.Err() == nil {
		t.Errorf("Operate: %v", err)
	}
	for i, n := range times {
		if n != 1 && ctx.Err() == nil {
			t.Errorf("operation %d: Done called %d times", i, n)
		}
	}
	return results
}

// Every kind does what it says, on servers of every kind, alone and beside others.
func TestOperate(t *testing.T) {
	for name, change := range map[string]func(f *field){
		"pipelined":   func(f *field) {},
		"lockstep":    func(f *field) { f.Greeting = "Microsoft FTP Service" },
		"not ahead":   func(f *field) { f.cfg.Ahead = -1 },
		"LIST only":   func(f *field) { f.Greeting = "(vsFTPd 3.0.3)"; f.Refuse = map[string]string{"MLST": "500 what"} },
		"no features": func(f *field) { f.Features = nil },
	} {
		for _, parallel := range []int{1, 3} {
			t.Run(fmt.Sprintf("%s/%d", name, parallel), func(t *testing.T) {
				f := &field{Site: &ftptest.Site{
					Files:    map[string]string{"a": "1", "b": "2", "d/\xff\xfe": "3", "gone": "4", "kept": "5"},
					Dirs:     []string{"d/empty", "e"},
					Features: []string{"MLST type*;size*;", "MFMT", "MDTM", "SIZE"},
				}}
				change(f)
				c := f.open(t)
				errs := carry(t.Context(), t, c, parallel,
					ftpclient.OpDelete("gone"), ftpclient.OpDelete("nothing"),
					ftpclient.OpMakeDir("new"), ftpclient.OpMakeDir("e"),
					ftpclient.OpRemoveDir("d/empty"), ftpclient.OpRemoveDir("d"),
					ftpclient.OpRename("a", "A"), ftpclient.OpRename("nothing", "x"),
					ftpclient.OpChmod("b", 0o600), ftpclient.OpChmod("d/\xff\xfe", 0o640), ftpclient.OpChmod("nothing", 0o600),
					ftpclient.OpSetModTime("b", leapDay), ftpclient.OpSetModTime("d/\xff\xfe", leapDay),
					ftpclient.OpSetCreateTime("b", leapDay),
					ftpclient.OpExists("kept"), ftpclient.OpExists("d"), ftpclient.OpExists("d/\xff\xfe"), ftpclient.OpExists("d/no"),
					ftpclient.OpDelete("x\nDELE kept"),
				)
				want := []func(error) bool{
					isNil, refused(550), isNil, refused(550), isNil, refused(550), isNil, refused(550),
					isNil, isNil, refused(550), isNil, isNil, unsupported(500),
					isNil, isNil, isNil, is(fs.ErrNotExist), isA[*ftpclient.ArgumentError],
				}
				for i, ok := range want {
					if !ok(errs[i]) {
						t.Errorf("operation %d: %v", i, errs[i])
					}
				}
				stored := slices.Sorted(maps.Keys(f.Stored()))
				if want := []string{"A", "b", "d/\xff\xfe", "kept"}; !slices.Equal(stored, want) {
					t.Errorf("files %q, want %q", stored, want)
				}
				if dirs := f.Directories(); !slices.Equal(dirs, []string{"d", "e", "new"}) {
					t.Errorf("directories %q", dirs)
				}
				if modes := f.Modes(); !maps.Equal(modes, map[string]string{"b": "600", "d/\xff\xfe": "640"}) {
					t.Errorf("modes %q", modes)
				}
				if times := f.ModTimes(); times["b"] != "20200229123456" || times["d/\xff\xfe"] != "20200229123456" {
					t.Errorf("times %q", times)
				}
			})
		}
	}
}

func isNil(err error) bool { return err == nil }

// Operations are sent before others are answered, and each reply is taken for its
// own.
func TestOperateAhead(t *testing.T) {
	s := set(t, ftptest.Login(),
		ftptest.Expect("DELE a"), ftptest.Expect("RNFR b"), ftptest.Expect("RNTO c"), ftptest.Expect("MKD d"), ftptest.Expect("RMD e"),
		ftptest.Send("250 gone", "550 no such file", "503 RNFR first", "257 made", "550 not empty"),
		ftptest.Exchange("QUIT", "221 bye"))
	c, err := ftpclient.New(serverURL, &s.cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	errs := carry(t.Context(), t, c, 1, ftpclient.OpDelete("a"), ftpclient.OpRename("b", "c"), ftpclient.OpMakeDir("d"), ftpclient.OpRemoveDir("e"))
	if !isNil(errs[0]) || !refused(550)(errs[1]) || !isNil(errs[2]) || !refused(550)(errs[3]) {
		t.Errorf("errors %v", errs)
	}
}

// A reply that cannot be the one to its command makes all that follow doubtful: the
// connection is given up, and what was sent behind it is looked at.
func TestOperateMisplaced(t *testing.T) {
	for name, reply := range map[string]string{
		"a size": "213 5", "a preliminary": "150 here it comes", "RNFR's": "350 to what",
		"a passive mode": "227 (1,2,3,4,5,6)", "no reply": "hello",
	} {
		t.Run(name, func(t *testing.T) {
			f := &field{Site: &ftptest.Site{Files: map[string]string{"a": "", "b": ""}, Dirs: []string{}}}
			f.Fault = func(_, _ int, line string) (fault ftptest.Fault) {
				if line == "DELE a" {
					fault.Reply = reply
				}
				return fault
			}
			f.cfg.Retries = -1
			c := f.open(t)
			errs := carry(t.Context(), t, c, 1, ftpclient.OpDelete("a"), ftpclient.OpDelete("b"))
			if !isA[*ftpclient.ProtocolError](errs[0]) || errs[1] != nil || f.Sessions() != 2 {
				t.Errorf("errors %v, %d sessions", errs, f.Sessions())
			}
		})
	}
}

// A rename is not done if RNTO is granted behind an RNFR that is not.
func TestOperateShifted(t *testing.T) {
	s := set(t, ftptest.Login(), ftptest.Expect("RNFR a"), ftptest.Expect("RNTO b"), ftptest.Send("550 no", "250 renamed"))
	s.cfg.Retries = -1
	c, err := ftpclient.New(serverURL, &s.cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if errs := carry(t.Context(), t, c, 1, ftpclient.OpRename("a", "b")); !isA[*ftpclient.ProtocolError](errs[0]) {
		t.Errorf("error %v", errs[0])
	}
}

// A reply that is lost is found out, and what was done is not reported as refused;
// nor is what was not done reported as done.
func TestOperateLostReply(t *testing.T) {
	rename, remove := ftpclient.OpRename("a", "b"), ftpclient.OpDelete("a")
	for _, test := range []struct {
		name   string
		op     ftpclient.Operation
		files  map[string]string
		verb   string
		fault  ftptest.Fault
		ok     func(error) bool
		stored []string
	}{
		{"DELE done", remove, map[string]string{"a": ""}, "DELE", ftptest.Fault{Mute: true}, isNil, nil},
		{"DELE not done", remove, map[string]string{"a": ""}, "DELE", ftptest.Fault{Hangup: true}, isNil, nil},
		{"RMD done", ftpclient.OpRemoveDir("e"), nil, "RMD", ftptest.Fault{Mute: true}, isNil, nil},
		{"MKD done", ftpclient.OpMakeDir("new"), nil, "MKD", ftptest.Fault{Mute: true}, isNil, nil},
		{"MKD of what is a file", ftpclient.OpMakeDir("a"), map[string]string{"a": ""}, "MKD", ftptest.Fault{Hangup: true}, refused(550), []string{"a"}},
		{"RNTO done", rename, map[string]string{"a": ""}, "RNTO", ftptest.Fault{Mute: true}, isNil, []string{"b"}},
		{"RNTO not done", rename, map[string]string{"a": ""}, "RNTO", ftptest.Fault{Hangup: true}, isNil, []string{"b"}},
		{"RNFR lost", rename, map[string]string{"a": ""}, "RNFR", ftptest.Fault{Mute: true}, isNil, []string{"b"}},
		{"RNFR lost, of nothing, and the target is there", rename, map[string]string{"b": ""}, "RNFR", ftptest.Fault{Hangup: true}, refused(550), []string{"b"}},
		{"chmod", ftpclient.OpChmod("a", 0o600), map[string]string{"a": ""}, "SITE", ftptest.Fault{Mute: true}, isNil, []string{"a"}},
		{"exists", ftpclient.OpExists("a"), nil, "MLST", ftptest.Fault{Hangup: true}, is(fs.ErrNotExist), nil},
	} {
		for _, ahead := range []int{0, -1} {
			t.Run(fmt.Sprintf("%s/%d", test.name, ahead), func(t *testing.T) {
				var mu sync.Mutex
				lost := false
				f := &field{Site: &ftptest.Site{Files: test.files, Dirs: []string{"e"}, Features: []string{"MLST"}}}
				f.Fault = func(_, _ int, line string) ftptest.Fault {
					mu.Lock()
					defer mu.Unlock()
					if verb, _, _ := strings.Cut(line, " "); verb == test.verb && !lost {
						lost = true
						return test.fault
					}
					return ftptest.Fault{}
				}
				f.cfg.Ahead, f.cfg.RetryWait = ahead, time.Millisecond
				c := f.open(t)
				if errs := carry(t.Context(), t, c, 1, test.op); !test.ok(errs[0]) {
					t.Errorf("error %v", errs[0])
				}
				if stored := slices.Sorted(maps.Keys(f.Stored())); !slices.Equal(stored, test.stored) {
					t.Errorf("files %q, want %q", stored, test.stored)
				}
			})
		}
	}
}

// Many operations over a bad network are all done, each once.
func TestOperateMany(t *testing.T) {
	const n = 300
	f := &field{Site: &ftptest.Site{Files: make(map[string]string), Dirs: []string{}, Features: []string{"MLST"}}}
	var operations []ftpclient.Operation
	for i := range n {
		f.Files[fmt.Sprintf("d/f%03d", i)] = "x"
		operations = append(operations, ftpclient.OpDelete(fmt.Sprintf("d/f%03d", i)))
	}
	var mu sync.Mutex
	commands := 0
	f.Fault = func(_, _ int, line string) ftptest.Fault {
		mu.Lock()
		defer mu.Unlock()
		if strings.HasPrefix(line, "DELE") {
			commands++
			switch commands % 97 {
			case 40:
				return ftptest.Fault{Mute: true}
			case 60:
				return ftptest.Fault{Hangup: true}
			case 80:
				return ftptest.Fault{Reply: "450 busy"}
			}
		}
		return ftptest.Fault{}
	}
	f.cfg.RetryWait = time.Millisecond
	c := f.open(t)
	for i, err := range carry(t.Context(), t, c, 4, operations...) {
		if err != nil {
			t.Errorf("operation %d: %v", i, err)
		}
	}
	if left := f.Stored(); len(left) != 0 {
		t.Errorf("%d files are left", len(left))
	}
}

// What ctx ends is told to each operation that was taken.
func TestOperateCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := &field{Site: &ftptest.Site{Files: map[string]string{"a": ""}, Dirs: []string{}}}
	f.Fault = func(_, _ int, line string) ftptest.Fault {
		if strings.HasPrefix(line, "DELE") {
			cancel()
			return ftptest.Fault{Silent: true}
		}
		return ftptest.Fault{}
	}
	c := f.open(t)
	taken, told := 0, 0
	err := c.Operate(ctx, func(yield func(ftpclient.Operation) bool) {
		for {
			taken++
			op := ftpclient.OpDelete("a")
			op.Done = func(err error) {
				told++
				if !errors.Is(err, context.Canceled) {
					t.Errorf("error %v", err)
				}
			}
			if !yield(op) {
				return
			}
		}
	}, 1)
	if !errors.Is(err, context.Canceled) || taken != told {
		t.Errorf("error %v; %d taken, %d told", err, taken, told)
	}
}
