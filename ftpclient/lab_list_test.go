package ftpclient_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/listing"
	"github.com/seed-54eb6215/xftp/internal/lab"
)

// oddNames are hard to list. Those at the end break the line.
var oddNames = []string{
	"plain", " leading", "   three", "trailing ", "two  inside", "-rf", "*?[a]", "back\\slash", "arrow -> file",
	"semi;colon; here", "quote\"'", "Feb 29 12:34 like a line", "4096 Feb 29 12:34 x", "file:", "~", "größe 漢字 🙂",
	"latin gr\xf6\xdfe", "\xff\xfe", ".hidden", "a\ttab", "\x1b[31mred", strings.Repeat("n", 255),
	"line\nbreak", "carriage\rreturn",
}

// oddDir makes a directory with these names and more, below root.
func oddDir(t *testing.T, dir string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	leap := time.Date(2024, 2, 29, 12, 34, 56, 0, time.UTC)
	must(os.Mkdir(dir, 0o755))
	for i, name := range oddNames {
		path := filepath.Join(dir, name)
		must(os.WriteFile(path, make([]byte, i), 0o640))
		if i == 0 {
			must(os.Truncate(path, 5_000_000_000))
		}
		must(os.Chmod(path, 0o604|fs.ModeSetuid))
		must(os.Chtimes(path, leap, leap.AddDate(-i, 0, 0)))
	}
	must(os.Mkdir(filepath.Join(dir, "a dir"), 0o755))
	must(os.Chmod(filepath.Join(dir, "a dir"), 0o775|fs.ModeSetgid|fs.ModeSticky))
	must(os.Symlink("a dir", filepath.Join(dir, "link to dir")))
	must(os.Symlink("a -> b", filepath.Join(dir, "x -> y")))
	must(syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o644))
}

// Real servers list a directory with odd names. What they tell is read as it is
// on the disk, by MLSD and by LIST, and what cannot be read is told.
func TestLabOddNames(t *testing.T) {
	for _, kind := range lab.Kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			lab.NeedServer(t, kind)
			l := lab.ForTest(t, lab.Config{})
			root := lab.RootDir(t)
			oddDir(t, filepath.Join(root, "odd"))
			server, err := l.Server.StartServer(t.Context(), lab.ServerConfig{Kind: kind, Root: root})
			if err != nil {
				t.Fatal(err)
			}
			c, err := ftpclient.Dial(t.Context(), server.URL(""), &ftpclient.Config{Dialer: l.Client})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			o := oddList{kind: kind, dir: filepath.Join(root, "odd")}
			if kind != lab.Vsftpd {
				o.entries, o.err = c.MLSD(t.Context(), "odd")
				o.check(t)
			}
			var text bytes.Buffer
			if err := c.List(t.Context(), "odd", &text); err != nil {
				t.Fatal(err)
			}
			read := listing.Parse(text.Bytes(), time.Now())
			o.byList, o.entries, o.err = true, read.Entries, nil
			if unknown := read.Unknown(); len(unknown) > 0 {
				o.err = &ftpclient.ListError{Unknown: unknown}
			}
			o.check(t)
		})
	}
}

// An oddList is what a server told of dir.
type oddList struct {
	kind    lab.Kind
	dir     string
	byList  bool
	entries []ftpclient.Entry
	err     error
}

// check compares it with the disk.
func (o *oddList) check(t *testing.T) {
	t.Helper()
	hides := o.kind == lab.Pureftpd // names with control characters
	seen := make(map[string]ftpclient.Entry)
	broken := 0
	for _, e := range o.entries {
		switch {
		case e.Problem != "" && e.Name != "":
			broken++
		case e.Type != ftpclient.EntryCurrent && e.Type != ftpclient.EntryParent && e.Name != "":
			seen[e.Name] = e
		}
	}
	var partial *ftpclient.ListError
	switch {
	case hides && (o.err != nil || broken != 0):
		t.Errorf("%d names refused, error %v", broken, o.err)
	case !hides && (!errors.As(o.err, &partial) || len(partial.Unknown) != 1 || partial.Unknown[0].Line != "break" || broken != 1):
		t.Errorf("%d names refused, want 1, and error %v", broken, o.err)
	}
	delete(seen, "line") // and a break

	files, err := os.ReadDir(o.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		e, ok := seen[f.Name()]
		delete(seen, f.Name())
		switch {
		case strings.ContainsAny(f.Name(), "\r\n"):
		case hides && strings.ContainsAny(f.Name(), "\t\x1b"):
		case o.byList && o.kind != lab.Embedded && f.Name()[0] == '.': // it needs an option
		case !ok && f.Type()&(fs.ModeSymlink|fs.ModeNamedPipe) != 0: // some list only what leads to a file
		case !ok:
			t.Errorf("%q is not listed", f.Name())
		default:
			info, err := f.Info()
			if err != nil {
				t.Fatal(err)
			}
			o.compare(t, e, info)
		}
	}
	for name := range seen {
		t.Errorf("%q is not on the disk", name)
	}
}

// compare compares an entry with what is on the disk.
func (o *oddList) compare(t *testing.T, e ftpclient.Entry, info fs.FileInfo) {
	t.Helper()
	switch {
	case info.IsDir() && e.Type != ftpclient.EntryDir,
		!info.IsDir() && e.Type == ftpclient.EntryDir,
		info.Mode().IsRegular() && (e.Type != ftpclient.EntryFile || e.Size != info.Size()):
		t.Errorf("%q: %v of %d bytes, want %v of %d", e.Name, e.Type, e.Size, info.Mode(), info.Size())
	}
	if !info.Mode().IsRegular() {
		return
	}
	mode := int(info.Mode().Perm()) | 0o4000
	if told := o.byList || o.kind != lab.Embedded; told && e.Mode != mode || !told && e.Mode != -1 {
		t.Errorf("%q: mode %o, want %o", e.Name, e.Mode, mode)
	}
	// The zone is told by MLSD only.
	late := info.ModTime().Sub(e.ModTime)
	if e.UTC == o.byList || e.UTC && late != 0 || late.Abs() > e.Precision+14*time.Hour {
		t.Errorf("%q: time %v to %v, want %v", e.Name, e.ModTime, e.Precision, info.ModTime())
	}
}
