package ftpclient

import (
	"fmt"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// A real server is told to make, rename and remove names of every kind, past all
// that refuses them here. It takes each for what the table of quirks says.
func TestLabTakenNames(t *testing.T) {
	for _, kind := range lab.Kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			lab.NeedServer(t, kind)
			s := newNameServer(t, kind)
			for _, name := range takenNames() {
				s.make(name)
				s.rename(name)
			}
			s.ask()
		})
	}
}

// takenNames are paths with bytes of every kind in every place, and blanks around and
// within them. All that they are in is there, if they are taken as they are.
func takenNames() []string {
	names := []string{
		"x  ", "  x", " x ", "   ", "./ x", ".//./ x", "in/ x", "in/x ", "in/x  ", "out /x", "out / x", "out /x ", " out/x",
		"x \t", "\t x", "in/\x01", "x y", "x\u00a0", "é ",
	}
	for b := 1; b < 256; b++ {
		plain := b > '0' && b < '[' || b > ']' && b < '~' || b > 0xa0 && b < 0xfe
		if c := string([]byte{byte(b)}); !plain && !strings.Contains("\r\n/.", c) {
			names = append(names, c+"x", "x"+c+"x", "x"+c)
		}
	}
	return names
}

// A nameServer is a server that is spoken to without a Conn.
type nameServer struct {
	t       *testing.T
	kind    lab.Kind
	text    *textproto.Conn
	dir     string
	greeted Reply
}

func newNameServer(t *testing.T, kind lab.Kind) *nameServer {
	t.Helper()
	l := lab.ForTest(t, lab.Config{})
	root := lab.RootDir(t)
	server, err := l.Server.StartServer(t.Context(), lab.ServerConfig{Kind: kind, Root: root})
	if err != nil {
		t.Fatal(err)
	}
	u, err := ParseURL(server.URL(""))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := l.Client.DialContext(t.Context(), "tcp", u.Address())
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{t: t, kind: kind, text: textproto.NewConn(conn), dir: filepath.Join(root, lab.UploadDir)}
	t.Cleanup(func() { s.text.Close() })
	_, text, err := s.text.ReadResponse(220)
	if err != nil {
		t.Fatal(err)
	}
	s.greeted = Reply{Code: 220, Lines: strings.Split(text, "\n")}
	for _, line := range []string{"USER anonymous", "PASS x@", "CWD " + lab.UploadDir} {
		if code := s.command(line); code >= 400 {
			t.Fatalf("%s: %d", line, code)
		}
	}
	return s
}

// command returns the code of the reply to a line.
func (s *nameServer) command(line string) int {
	s.t.Helper()
	if err := s.text.PrintfLine("%s", line); err != nil {
		s.t.Fatal(err)
	}
	code, _, err := s.text.ReadResponse(0)
	if err != nil {
		s.t.Fatalf("%q: %v", line, err)
	}
	return code
}

// clear leaves two directories in s.dir.
func (s *nameServer) clear() {
	s.t.Helper()
	entries, err := os.ReadDir(s.dir)
	for _, e := range entries {
		if err == nil {
			err = os.RemoveAll(filepath.Join(s.dir, e.Name()))
		}
	}
	for _, name := range []string{"in", "out "} {
		path := filepath.Join(s.dir, name)
		if err == nil {
			err = os.Mkdir(path, 0o777)
		}
		if err == nil {
			err = os.Chmod(path, 0o777)
		}
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// taken returns what the table says that the server makes of a name.
func (s *nameServer) taken(verb, name string) string {
	if takes := quirksOf(s.greeted).takes; takes != nil {
		return takes(verb, name)
	}
	return name
}

// made reports an error unless name, or nothing, has been made of what is asked for.
func (s *nameServer) made(verb, name string, code int) {
	s.t.Helper()
	var found []string
	err := filepath.WalkDir(s.dir, func(path string, _ os.DirEntry, err error) error {
		if rel, _ := filepath.Rel(s.dir, path); rel != "." && rel != "in" && rel != "out " && rel != "from" {
			found = append(found, rel)
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	want := filepath.Clean(s.taken(verb, name))
	switch {
	case code < 300 && (len(found) != 1 || found[0] != want):
		s.t.Errorf("%s %q: %d, and there is %q, not %q", verb, name, code, found, want)
	case code >= 300 && len(found) > 0:
		s.t.Errorf("%s %q: %d, and there is %q", verb, name, code, found)
	}
}

// make has a directory made.
func (s *nameServer) make(name string) {
	s.t.Helper()
	s.clear()
	s.made("MKD", name, s.command("MKD "+name))
}

// rename has one renamed.
func (s *nameServer) rename(name string) {
	s.t.Helper()
	s.clear()
	if code := s.command("MKD from"); code != 257 {
		s.t.Fatalf("MKD: %d", code)
	}
	if code := s.command("RNFR from"); code != 350 {
		s.t.Fatalf("RNFR: %d", code)
	}
	s.made("RNTO", name, s.command("RNTO "+name))
}

// ask asks about files whose names the commands that make names would change.
func (s *nameServer) ask() {
	s.t.Helper()
	s.clear()
	for i, name := range []string{"x ", " x", "x\t", "x_", "_x"} {
		if err := os.WriteFile(filepath.Join(s.dir, name), make([]byte, 10+i), 0o666); err != nil {
			s.t.Fatal(err)
		}
	}
	s.command("TYPE I")
	for _, name := range []string{"x ", " x", "x\t"} {
		info, err := os.Stat(filepath.Join(s.dir, s.taken("SIZE", name)))
		if err != nil {
			s.t.Fatal(err)
		}
		if err := s.text.PrintfLine("SIZE %s", name); err != nil {
			s.t.Fatal(err)
		}
		if _, text, err := s.text.ReadResponse(213); err != nil || text != fmt.Sprint(info.Size()) {
			s.t.Errorf("SIZE %q: %q, %v; not %d", name, text, err, info.Size())
		}
	}
}
