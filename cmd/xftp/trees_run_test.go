package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// TestTrees moves the ugly tree, by every verb that moves trees, over kernel
// sockets and over AF_XDP, to and from each server. Names and bytes come out as
// they went in, or the server is known to be unable to do that.
func TestTrees(t *testing.T) {
	var table strings.Builder
	for _, kind := range lab.Kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			b := newTreeBench(t, kind)
			source := sharedMemory(t)
			makeNodes(t, source, uglyTree())
			served := filepath.Join(b.root, "tree")
			makeNodes(t, served, uglyTree())
			for _, net := range []string{"kernel", "xdp"} {
				for _, m := range treeMoves {
					result := b.moveTree(m, net, source, served)
					fmt.Fprintf(&table, "\n%-10s %-7s %-12s %s", kind, net, m.name, result)
				}
			}
		})
	}
	t.Log(table.String())
}

// A treeMove is a command that moves a tree.
type treeMove struct {
	name string
	way  way
	args func(from, to string) []string // a local directory and a URL, or the other way round
}

var treeMoves = []treeMove{
	{"get -r", down, func(from, to string) []string { return []string{"get", "-r", from, "-o", to} }},
	{"put -r", up, func(from, to string) []string { return []string{"put", "-r", from, to} }},
	{"mirror down", down, func(from, to string) []string { return []string{"mirror", from, to} }},
	{"mirror up", up, func(from, to string) []string { return []string{"mirror", from, to} }},
}

// A treeBench is a bench with a server that serves trees.
type treeBench struct {
	*bench
	kind lab.Kind
}

func newTreeBench(t *testing.T, kind lab.Kind) *treeBench {
	t.Helper()
	b := &treeBench{newBench(t, lab.Config{}), kind}
	lab.NeedServer(t, kind)
	b.root, b.dir = sharedMemory(t), sharedMemory(t)
	var err error
	if b.ftp, err = b.lab.Server.StartServer(t.Context(), lab.ServerConfig{Kind: kind, Root: b.root, Port: 2121}); err != nil {
		t.Fatal(err)
	}
	return b
}

// moveTree moves the tree from where it is served, or from source to the
// server, checks what came of it, and removes that.
func (b *treeBench) moveTree(m treeMove, net, source, served string) treeResult {
	t := b.t
	t.Helper()
	name := strings.ReplaceAll(m.name, " ", "") + net
	args, got, want := m.args(b.ftp.URL("tree/"), name), filepath.Join(b.dir, name), served
	if m.way == up {
		args = m.args(source+"/", b.ftp.URL(lab.UploadDir+"/"+name+"/"))
		got, want = filepath.Join(b.root, lab.UploadDir, name), source
	}
	args = append(args, "--net", net, "--parallel", "2")
	r := b.start(args...)
	code := r.wait(t)
	result := checkTree(t, b.kind, m.way, got, want)
	if told := code == exitTransfer; told != result.told || code != exitOK && !told {
		t.Errorf("%v %s %s: exit code %d\n%s", b.kind, net, m.name, code, r.stderr.String())
	}
	if args[0] == "mirror" && net == "kernel" {
		b.mirrorAgain(args, got)
	}
	if err := os.RemoveAll(got); err != nil {
		t.Error(err)
	}
	return result
}

// mirrorAgain mirrors once more, which moves nothing and changes nothing in got.
func (b *treeBench) mirrorAgain(args []string, got string) {
	t := b.t
	t.Helper()
	before, err := inodes(got)
	if err != nil {
		t.Fatal(err)
	}
	r := b.start(append(args, "--json")...)
	r.wait(t) // what could not be moved cannot be now
	after, err := inodes(got)
	if err != nil {
		t.Fatal(err)
	}
	var last mirrorSummary
	lines := bytes.Split(bytes.TrimSpace(r.stdout.Bytes()), []byte("\n"))
	if err := json.Unmarshal(lines[len(lines)-1], &last); err != nil || last.Action != "summary" || last.Same == 0 {
		t.Errorf("%v %v: %v in %q", b.kind, args, err, lines[len(lines)-1])
	}
	if last.Moved != 0 || !maps.Equal(before, after) {
		t.Errorf("%v %v, the second time: %+v\n%s", b.kind, args, last, r.stderr.String())
	}
}
