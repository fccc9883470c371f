package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// brokenNames have ends of lines in them, which no command of FTP can carry;
// those of a list would be other names, or whole lines.
var brokenNames = []string{
	"a\nDELE good", "b\rc", "c\r\nRMD dir", "\n", "\r", "x\r", "dir/d\ne",
	"f\n-rw-r--r--    1 0        0               4 Jan 01  2020 forged",
	"g\r\ntype=file;size=4;modify=20200101000000; forged",
}

// TestTreesBrokenNames: what is in a tree with such names is moved, but for
// them, and nothing else happens. xftp says so where it can know.
func TestTreesBrokenNames(t *testing.T) {
	tree := []node{{"good", 1000}, {"dir/good", 2000}}
	for _, name := range brokenNames {
		tree = append(tree, node{name, 4})
	}
	summed := regexp.MustCompile(`^2 files, 3\.00 kB in [^ ]* s, [^ ]* [kM]?B/s over kernel sockets(, \d+ failed)?\n$`)
	for _, kind := range lab.Kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			b := newTreeBench(t, kind)
			source, served := sharedMemory(t), filepath.Join(b.root, "tree")
			makeNodes(t, source, tree)
			makeNodes(t, served, tree)
			for _, m := range treeMoves {
				from, to, got := b.ftp.URL("tree/"), "got", filepath.Join(b.dir, "got")
				if m.way == up {
					from, to, got = source+"/", b.ftp.URL(lab.UploadDir+"/got/"), filepath.Join(b.root, lab.UploadDir, "got")
				}
				r := b.start(append(m.args(from, to), "--net", "kernel")...)
				code := r.wait(t)
				have, err := hashTree(got)
				if err != nil {
					t.Fatal(err)
				}
				want, err := hashTree(source)
				if err != nil {
					t.Fatal(err)
				}
				for name, hash := range have {
					if want[name] != hash {
						t.Errorf("%s: %q is there, and should not be", m.name, name)
					}
				}
				for _, name := range []string{"/good", "/dir/good"} {
					if have[name] != want[name] {
						t.Errorf("%s: %s is not there, or has other bytes", m.name, name)
					}
				}
				lack := lackOf(kind, m.way, "\n", false)
				if told := code == exitTransfer; told == (lack != nil && lack.silent) {
					t.Errorf("%s: %d names of %d, and exit code %d\n%s", m.name, len(have), len(want), code, r.stderr.String())
				}
				if name := source + `/x\x0d: `; m.way == up && !strings.Contains(r.stderr.String(), name) {
					t.Errorf("%s: nothing is said of %q\n%s", m.name, name, r.stderr.String())
				}
				for line := range strings.Lines(r.stderr.String()) {
					if !strings.HasPrefix(line, "xftp: ") && !summed.MatchString(line) {
						t.Errorf("%s: a name broke the line %q", m.name, line)
					}
				}
			}
		})
	}
}

// TestTreesWide moves directories of 10 000 files: down from each server, and up
// to one.
func TestTreesWide(t *testing.T) {
	needTime(t, "moves 50 000 files")
	for i, kind := range lab.Kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			b := newTreeBench(t, kind)
			net := []string{"xdp", "kernel"}[i%2]
			source, served := sharedMemory(t), filepath.Join(b.root, "tree")
			makeNodes(t, served, wideTree(10_000))
			if kind == lab.Pureftpd {
				b.truncatedTree(net, served)
				return
			}
			if result := b.moveTree(treeMoves[0], net, "", served); len(result.lacks) > 0 {
				t.Error(result)
			}
			if kind == lab.Embedded {
				makeNodes(t, source, wideTree(10_000))
				if result := b.moveTree(treeMoves[1], net, source, ""); len(result.lacks) > 0 {
					t.Error(result)
				}
			}
		})
	}
}

// truncatedTree fetches a tree from a server that lists no more than 10 000
// names, two of which are those of the directory itself and of its parent. What
// it lists comes, and xftp says that there is more. A mirror then deletes nothing.
func (b *treeBench) truncatedTree(net, served string) {
	t := b.t
	t.Helper()
	r := b.start("get", "-r", b.ftp.URL("tree/"), "-o", "cut", "--net", net)
	const says = "truncated to 10000 matches"
	if code := r.wait(t); code != exitTransfer || !strings.Contains(r.stderr.String(), says) {
		t.Errorf("exit code %d, and not %q:\n%s", code, says, r.stderr.String())
	}
	have, err := hashTree(filepath.Join(b.dir, "cut"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := hashTree(served)
	if err != nil {
		t.Fatal(err)
	}
	if len(have) != len(want)-2 {
		t.Errorf("%d names came of %d", len(have), len(want))
	}
	for name, hash := range have {
		if want[name] != hash {
			t.Errorf("%q has other bytes, or should not be there", name)
		}
	}
	makeNodes(t, filepath.Join(b.dir, "cut"), append(wideTree(10_000), node{"old", 1}))
	r = b.start("mirror", "--delete", b.ftp.URL("tree/"), "cut", "--net", net, "--compare", "size")
	code := r.wait(t)
	left, err := os.ReadDir(filepath.Join(b.dir, "cut"))
	if err != nil {
		t.Fatal(err)
	}
	if code != exitTransfer || len(left) != 10_001 || !strings.Contains(r.stderr.String(), "nothing is deleted (3 would be): ") || !strings.Contains(r.stderr.String(), says) {
		t.Errorf("exit code %d, %d names are left:\n%s", code, len(left), last(r.stderr.String(), 2000))
	}
}

// hugeSize is one that 32 bits do not hold.
const hugeSize = 1<<32 + 1<<20 + 1

// makeHuge makes a file of hugeSize bytes that is empty for the most part: there
// are bytes at its begin, on both sides of the 4 GiB, and at its end.
func makeHuge(t *testing.T, path string) [sha256.Size]byte {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.NewChaCha8([32]byte{6})
	data := make([]byte, 100_001)
	for _, at := range []int64{0, 1<<31 - 50_000, 1<<32 - 50_000, hugeSize - int64(len(data))} {
		random.Read(data)
		if _, err := f.WriteAt(data, at); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	if n, err := io.Copy(h, f); n != hugeSize || err != nil {
		t.Fatal(n, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// TestTreesHuge moves a file of more than 4 GiB, in a tree: up to every other
// server, and down from those between, over both networks.
func TestTreesHuge(t *testing.T) {
	needTime(t, "moves 4 files of 4 GB")
	dir := onDisk(t)
	want := makeHuge(t, filepath.Join(dir, "huge"))
	for i, kind := range lab.Kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			b := newTreeBench(t, kind)
			b.dir = onDisk(t)
			if err := b.ftp.Stop(); err != nil {
				t.Fatal(err)
			}
			b.root = onDisk(t)
			var err error
			if b.ftp, err = b.lab.Server.StartServer(t.Context(), lab.ServerConfig{Kind: kind, Root: b.root, Port: 2121}); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(os.Mkdir(filepath.Join(b.root, "tree"), 0o755), os.Link(filepath.Join(dir, "huge"), filepath.Join(b.root, "tree", "huge"))); err != nil {
				t.Fatal(err)
			}
			m, net := treeMoves[i%2], []string{"xdp", "kernel"}[i/2]
			from, to, got := b.ftp.URL("tree/"), "got", filepath.Join(b.dir, "got")
			if m.way == up {
				from, to, got = dir+"/", b.ftp.URL(lab.UploadDir+"/got/"), filepath.Join(b.root, lab.UploadDir, "got")
			}
			reports := b.all(append(m.args(from, to), "--net", net)...)
			if len(reports) != 1 || reports[0].Bytes != hugeSize || reports[0].Verified != "size" {
				t.Errorf("%s: %+v", m.name, reports)
			}
			b.expect(filepath.Join(got, "huge"), want)
		})
	}
}

// onDisk returns a directory for files that may not fit into memory.
func onDisk(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "xftp-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(fmt.Errorf("for servers that are not root: %w", err))
	}
	return dir
}
