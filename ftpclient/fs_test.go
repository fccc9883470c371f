package ftpclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// kinds are sites that tell of their files in different ways.
var kinds = map[string]func(s *ftptest.Site){
	"MLST": func(*ftptest.Site) {},
	"vsftpd": func(s *ftptest.Site) {
		s.Greeting, s.Features = "(vsFTPd 3.0.3)", []string{"MDTM", "SIZE"}
		s.Refuse = map[string]string{"MLST": "500 Unknown command.", "MLSD": "500 Unknown command."}
	},
	"LIST": func(s *ftptest.Site) {
		s.Features = nil
		s.Refuse = map[string]string{"MLST": "502 what", "MLSD": "502 what"}
	},
	"lockstep": func(s *ftptest.Site) { s.Greeting = "Microsoft FTP Service" },
	"eager":    func(s *ftptest.Site) { s.Greeting = "ProFTPD" },
}

// site is one with some files below t.
func site(change func(s *ftptest.Site)) *ftptest.Site {
	s := &ftptest.Site{
		Files: map[string]string{
			"t/a": "hello", "t/empty": "", "t/d/large": strings.Repeat("0123456789", 300),
			"t/d/e/deep": "deep", "t/d/-l": "minus", "t/ lead": "led", "t/größe": "12", "other": "x",
		},
		Dirs:     []string{"t/nothing"},
		Times:    map[string]string{"t/a": "20201123123456", "t/d": "20201123123457"},
		Features: []string{"MLST type*;"},
	}
	change(s)
	return s
}

// The tests of the standard library find the tree as it should be, however the
// server tells of it.
func TestFS(t *testing.T) {
	for kind, change := range kinds {
		dirs := []string{"t"}
		if kind == "MLST" || kind == "LIST" {
			dirs = []string{"", "t/"}
		}
		for _, dir := range dirs {
			t.Run(fmt.Sprintf("%s/%q", kind, dir), func(t *testing.T) {
				f := &field{Site: site(change)}
				c := f.open(t)
				want := []string{"a", "empty", "d/large", "d/e/deep", "d/-l", " lead", "größe", "nothing"}
				if dir == "" {
					for i := range want {
						want[i] = "t/" + want[i]
					}
				}
				if err := fstest.TestFS(c.FS(t.Context(), dir), want...); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// readings read a file as programs do, in three ways.
var readings = map[string]func(fsys fs.FS, name string) ([]byte, error){
	"ReadFile": fs.ReadFile,
	"ReadAll": func(fsys fs.FS, name string) ([]byte, error) {
		f, err := fsys.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return io.ReadAll(f)
	},
	"ReadFull": func(fsys fs.FS, name string) ([]byte, error) { // and never looks for the end
		f, err := fsys.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return nil, err
		}
		content := make([]byte, max(info.Size(), 0))
		n, err := io.ReadFull(f, content)
		return content[:n], err
	},
}

// However a file is read, one that is not whole, or not known to be, is no file
// that was read.
func TestFSBroken(t *testing.T) {
	fault := func(fault ftptest.Fault) func(s *ftptest.Site) {
		return func(s *ftptest.Site) {
			s.Fault = func(_, _ int, line string) ftptest.Fault {
				if line == "RETR t/d/large" {
					return fault
				}
				return ftptest.Fault{}
			}
		}
	}
	unsized := func(s *ftptest.Site) { s.Refuse["SIZE"] = "502 what" }
	for name, test := range map[string]struct {
		kind    string
		changes []func(s *ftptest.Site)
		good    bool
	}{
		"whole":                    {"MLST", nil, true},
		"whole, of no told size":   {"LIST", []func(*ftptest.Site){unsized}, true},
		"half":                     {"MLST", []func(*ftptest.Site){fault(ftptest.Fault{Short: true})}, false},
		"half, of no told size":    {"LIST", []func(*ftptest.Site){unsized, fault(ftptest.Fault{Short: true})}, false},
		"none, of no told size":    {"LIST", []func(*ftptest.Site){unsized, fault(ftptest.Fault{Short: true, Bytes: -1})}, false},
		"cut":                      {"MLST", []func(*ftptest.Site){fault(ftptest.Fault{Cut: true})}, false},
		"cut at the end":           {"MLST", []func(*ftptest.Site){fault(ftptest.Fault{Cut: true, Bytes: 3000})}, false},
		"refused at the end":       {"MLST", []func(*ftptest.Site){fault(ftptest.Fault{Last: "552 no", Bytes: 3000})}, false},
		"a last reply that is bad": {"LIST", []func(*ftptest.Site){unsized, fault(ftptest.Fault{Last: "451 no", Bytes: 3000})}, false},
		"refused":                  {"MLST", []func(*ftptest.Site){fault(ftptest.Fault{Reply: "550 no"})}, false},
	} {
		for way, read := range readings {
			t.Run(name+"/"+way, func(t *testing.T) {
				f := &field{Site: site(kinds[test.kind])}
				for _, change := range test.changes {
					change(f.Site)
				}
				f.cfg.Retries = -1
				got, err := read(f.open(t).FS(t.Context(), "t"), "d/large")
				var wrong *fs.PathError
				switch whole := string(got) == f.Files["t/d/large"]; {
				case test.good && (err != nil || !whole):
					t.Errorf("%d bytes, %v", len(got), err)
				case !test.good && (!errors.As(err, &wrong) || errors.Is(err, fs.ErrNotExist)):
					t.Errorf("%d bytes, %v\n%s", len(got), err, strings.Join(f.Log(), "\n"))
				}
			})
		}
	}
}

// A file that breaks off goes on, on another connection.
func TestFSAgain(t *testing.T) {
	f := &field{Site: site(kinds["MLST"])}
	f.cfg.RetryWait = 1
	broken := false
	f.Fault = func(_, _ int, line string) ftptest.Fault {
		if line == "RETR t/d/large" && !broken {
			broken = true
			return ftptest.Fault{Cut: true}
		}
		return ftptest.Fault{}
	}
	got, err := fs.ReadFile(f.open(t).FS(t.Context(), ""), "t/d/large")
	if err != nil || string(got) != f.Files["t/d/large"] || !broken {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// fs.ErrNotExist is for what is known not to be there.
func TestFSErrors(t *testing.T) {
	unsure := func(err error) bool { return err != nil && !errors.Is(err, fs.ErrNotExist) }
	absent, invalid := is(fs.ErrNotExist), is(fs.ErrInvalid)
	denied := func(s *ftptest.Site) {
		s.Refuse = map[string]string{"MLST t/a": "550 no", "RETR t/a": "550 no", "MLSD t/a": "550 no", "MLSD t": "550 denied"}
	}
	silent := func(s *ftptest.Site) { // says never why
		s.Refuse = map[string]string{"MLST t/no": "550 no", "RETR t/no": "550 no", "MLSD t/no": "550 no"}
	}
	deep := func(s *ftptest.Site) { // as ProFTPD
		s.Refuse = map[string]string{"MLST t/no/no": "550 no", "RETR t/no/no": "550 no", "MLSD t/no/no": "550 no", "MLSD t/no": "550 no"}
	}
	garbled := func(s *ftptest.Site) {
		kinds["vsftpd"](s)
		s.Refuse["RETR"] = "550 no"
		s.Lists = map[string]string{"LIST -a t": "hello\r\n"}
	}
	vague := func(s *ftptest.Site) { // no RETR says why
		kinds["LIST"](s)
		s.Refuse["RETR"], s.Refuse["CWD"] = "550 no", "550 no"
	}
	for name, test := range map[string]struct {
		path   string
		change func(s *ftptest.Site)
		ok     func(error) bool
	}{
		"nothing":                       {"t/no", kinds["MLST"], absent},
		"nothing, with no words":        {"t/no", silent, absent},
		"nothing in nothing":            {"t/no/no", kinds["MLST"], absent},
		"nothing in nothing, no words":  {"t/no/no", deep, absent},
		"vsftpd: nothing":               {"t/no", kinds["vsftpd"], absent},
		"vsftpd: nothing in nothing":    {"no/no", kinds["vsftpd"], absent},
		"LIST: nothing":                 {"t/no", kinds["LIST"], absent},
		"LIST: nothing, with no words":  {"t/no", vague, absent},
		"LIST: nothing in an empty one": {"t/nothing/no", vague, unsure},
		"denied":                        {"t/a", denied, unsure},
		"a list that is garbled":        {"t/no", garbled, unsure},
		"a slash":                       {"/t/a", kinds["MLST"], invalid},
		"upwards":                       {"t/../t/a", kinds["MLST"], invalid},
		"empty":                         {"", kinds["MLST"], invalid},
		"no UTF-8":                      {"\xff", kinds["MLST"], invalid},
		"a line break":                  {"a\r\nDELE t/a", kinds["MLST"], isA[*ftpclient.ArgumentError]},
	} {
		t.Run(name, func(t *testing.T) {
			f := &field{Site: site(test.change)}
			f.cfg.Retries = -1
			tree := f.open(t).FS(t.Context(), "")
			_, opened := tree.Open(test.path)
			_, stated := fs.Stat(tree, test.path)
			_, lstated := fs.Lstat(tree, test.path)
			_, read := fs.ReadFile(tree, test.path)
			_, listed := fs.ReadDir(tree, test.path)
			for what, err := range map[string]error{"open": opened, "stat": stated, "lstat": lstated, "readfile": read, "readdir": listed} {
				if what == "lstat" && name == "denied" {
					continue // its list has it
				}
				var wrong *fs.PathError
				if !test.ok(err) || !errors.As(err, &wrong) || wrong.Path != test.path {
					t.Errorf("%s: %v\n%s", what, err, strings.Join(f.Log(), "\n"))
				}
			}
			for _, line := range f.Log() {
				if strings.HasPrefix(line, "DELE") {
					t.Error("a name was a command")
				}
			}
		})
	}
}

// What is a file is not a directory, and the other way round, also where a list of
// it looks like one.
func TestFSKind(t *testing.T) {
	for kind, change := range kinds {
		t.Run(kind, func(t *testing.T) {
			f := &field{Site: site(change)}
			if kind == "LIST" {
				f.Lists = map[string]string{"LIST t/a": "-rw-r--r-- 1 own grp 5 Nov 23 2020 a\r\n"}
			}
			tree := f.open(t).FS(t.Context(), "t")
			if entries, err := fs.ReadDir(tree, "a"); kind == "LIST" && (err == nil || len(entries) > 0 || errors.Is(err, fs.ErrNotExist)) {
				t.Errorf("a file lists %v, %v", entries, err)
			}
			if content, err := fs.ReadFile(tree, "d"); err == nil {
				t.Errorf("a directory holds %q", content)
			}
			if content, err := fs.ReadFile(tree, "."); err == nil {
				t.Errorf("the root holds %q", content)
			}
			dir, err := tree.Open("d")
			if err != nil {
				t.Fatal(err)
			}
			defer dir.Close()
			if n, err := dir.Read(make([]byte, 1)); n != 0 || err == nil || err == io.EOF {
				t.Errorf("a directory is read: %d, %v", n, err)
			}
		})
	}
}

// A list with lines that are not understood comes with its error, from all that
// lists.
func TestFSUnknown(t *testing.T) {
	f := &field{Site: site(kinds["MLST"])}
	f.Lists = map[string]string{"MLSD t": "type=file;size=1; b\r\nhello\r\ntype=file; ../x\r\ntype=file;size=1; a\r\n"}
	tree := f.open(t).FS(t.Context(), "t")
	entries, err := fs.ReadDir(tree, ".")
	var partial *ftpclient.ListError
	if len(entries) != 2 || entries[0].Name() != "a" || !errors.As(err, &partial) {
		t.Errorf("%v, %v", entries, err)
	}
	dir, err := tree.Open(".")
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	n := 0
	for ; err == nil; n += len(entries) {
		entries, err = dir.(fs.ReadDirFile).ReadDir(1)
	}
	if n != 2 || !errors.As(err, &partial) {
		t.Errorf("%d entries, %v", n, err)
	}
	f.Lists["MLSD t"] = "type=file;size=1; b\r\ntype=file; ../x\r\n"
	if entries, err := fs.ReadDir(tree, "."); len(entries) != 1 || !isA[*ftpclient.ProtocolError](err) {
		t.Errorf("a name that leads elsewhere: %v, %v", entries, err)
	}
}

// A file that is closed before its end gives back the one connection that there is.
func TestFSClose(t *testing.T) {
	for kind, change := range kinds {
		t.Run(kind, func(t *testing.T) {
			f := &field{Site: site(change)}
			f.Files["t/d/large"] = strings.Repeat("0123456789", 300_000)
			f.cfg.MaxConns, f.cfg.AbortTimeout = 1, time.Minute
			c := f.open(t)
			tree := c.FS(t.Context(), "t")
			for _, read := range []int{0, 1, 100_000, 3_000_000} {
				file, err := tree.Open("d/large")
				if err != nil {
					t.Fatal(err)
				}
				head := make([]byte, read)
				if _, err := io.ReadFull(file, head); err != nil || string(head) != f.Files["t/d/large"][:read] {
					t.Fatalf("%d bytes: %v", read, err)
				}
				if err := file.Close(); err != nil {
					t.Error(err)
				}
				if n, err := file.Read(head[:min(1, read)]); n != 0 || !errors.Is(err, fs.ErrClosed) {
					t.Errorf("read after Close: %d, %v", n, err)
				}
				if content, err := fs.ReadFile(tree, "a"); err != nil || string(content) != "hello" {
					t.Errorf("%q, %v", content, err)
				}
			}
			if n := f.Sessions(); n != 1 {
				t.Errorf("%d sessions", n)
			}
		})
	}
}

// Read ends when its file is closed, and when the context is done.
func TestFSUnblocked(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(file fs.File, cancel func())
		want error
	}{
		"close":  {func(file fs.File, _ func()) { file.Close() }, fs.ErrClosed},
		"cancel": {func(_ fs.File, cancel func()) { cancel() }, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			f := &field{Site: site(kinds["MLST"])}
			asked := make(chan struct{})
			f.Fault = func(_, _ int, line string) ftptest.Fault {
				if line == "RETR t/a" {
					close(asked)
					return ftptest.Fault{Await: t.Context().Done()}
				}
				return ftptest.Fault{}
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			file, err := f.open(t).FS(ctx, "t").Open("a")
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			ended := make(chan error)
			go func() {
				_, err := file.Read(make([]byte, 1))
				ended <- err
			}()
			<-asked
			test.end(file, cancel)
			if err := <-ended; !errors.Is(err, test.want) {
				t.Errorf("read: %v", err)
			}
		})
	}
}
