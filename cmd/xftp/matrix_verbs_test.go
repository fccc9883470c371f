package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// TestMatrixVerbs does everything that xftp does with a server with every
// server, in the clear and over TLS of both kinds, over IPv4 and IPv6, over
// AF_XDP and over the kernel's sockets. What a server cannot do is in verbLacks;
// whatever else does not pass is wrong.
func TestMatrixVerbs(t *testing.T) {
	needTime(t, "runs xftp a thousand times")
	seed := rand.Uint64()
	var all verbTable
	// Not t.Parallel, which takes no more at a time than there are processors:
	// these wait most of the time.
	var workers sync.WaitGroup
	next := make(chan verbServer)
	for range 4 {
		workers.Go(func() {
			for s := range next {
				t.Run(s.String(), func(t *testing.T) { runVerbs(t, s, seed, &all) })
			}
		})
	}
	for _, kind := range lab.Kinds() {
		lab.NeedServer(t, kind)
		for _, mode := range lab.TLSModes() {
			next <- verbServer{kind, mode}
		}
	}
	close(next)
	workers.Wait()
	t.Logf("seed %d\n%s", seed, &all)
}

// A verbServer is a server in one of its modes.
type verbServer struct {
	kind lab.Kind
	mode lab.TLSMode
}

func (s verbServer) String() string { return s.kind.String() + "/" + s.mode.String() }

// runVerbs does everything with one server.
func runVerbs(t *testing.T, s verbServer, seed uint64, all *verbTable) {
	t.Helper()
	b := newBench(t, lab.Config{})
	b.root, b.dir = sharedMemory(t), sharedMemory(t)
	port := 2121
	if s.mode == lab.ImplicitTLS {
		port = 0 // 990
	}
	var err error
	b.ftp, err = b.lab.Server.StartServer(t.Context(), lab.ServerConfig{Kind: s.kind, Root: b.root, Port: port, TLS: s.mode})
	if errors.Is(err, errors.ErrUnsupported) {
		for _, way := range verbWays {
			all.set(verbRow{s, way}, "", "the server lacks "+s.mode.String()+" TLS: Debian's package is built without it")
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	b.env = append(b.env, "XFTP_CACERT="+b.ftp.CAFile())
	for i, way := range verbWays {
		c := newVerbCell(b, s.kind, way, rand.New(rand.NewPCG(seed, uint64(i))))
		for _, step := range verbSteps {
			err := step.do(c)
			lack := verbLackOf(s.kind, step.name)
			switch {
			case lack == nil && err == nil:
				all.set(verbRow{s, way}, step.name, "pass")
			case lack != nil && err != nil && strings.Contains(err.Error(), lack.says):
				all.set(verbRow{s, way}, step.name, "the server lacks "+lack.what)
			case lack != nil && err == nil:
				t.Errorf("%s %v: it passes, though the server lacks %s", step.name, way, lack.what)
				fallthrough
			default:
				all.set(verbRow{s, way}, step.name, "FAIL")
				if err != nil {
					t.Errorf("%s %v: %v", step.name, way, err)
				}
			}
		}
	}
}

// A verbWay is a way to a server.
type verbWay struct{ family, net string }

func (w verbWay) String() string { return w.family + " " + w.net }

var verbWays = []verbWay{{"IPv4", "xdp"}, {"IPv6", "xdp"}, {"IPv4", "kernel"}, {"IPv6", "kernel"}}

// A verbLack is what a server cannot do.
type verbLack struct {
	kind lab.Kind
	step string
	what string
	says string // in what xftp prints then
}

func verbLackOf(kind lab.Kind, step string) *verbLack {
	for i, l := range verbLacks {
		if l.kind == kind && l.step == step {
			return &verbLacks[i]
		}
	}
	return nil
}

// A verbRow is a row of the table.
type verbRow struct {
	verbServer
	verbWay
}

// A verbTable is what came of all steps.
type verbTable struct {
	mu    sync.Mutex
	cells map[verbRow]map[string]string
}

func (v *verbTable) set(row verbRow, step, result string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.cells == nil {
		v.cells = make(map[verbRow]map[string]string)
	}
	if v.cells[row] == nil {
		v.cells[row] = make(map[string]string)
	}
	v.cells[row][step] = result
}

// String returns the table: a row for each way to a server, with a letter for
// what is below it.
func (v *verbTable) String() string {
	var b, below strings.Builder
	notes := make(map[string]string)
	fmt.Fprintf(&b, "%-30s", "")
	for _, step := range verbSteps {
		fmt.Fprintf(&b, " %s", step.name)
	}
	for _, kind := range lab.Kinds() {
		for _, mode := range lab.TLSModes() {
			for _, way := range verbWays {
				fmt.Fprintf(&b, "\n%-30s", fmt.Sprintf("%v %v %v", kind, mode, way))
				cells := v.cells[verbRow{verbServer{kind, mode}, way}]
				if cells[""] != "" {
					fmt.Fprintf(&b, " %s", cells[""])
					continue
				}
				for _, step := range verbSteps {
					cell := cells[step.name]
					if strings.HasPrefix(cell, "the server") {
						if notes[cell] == "" {
							notes[cell] = string(rune('a' + len(notes)))
							fmt.Fprintf(&below, "\n(%s) %s", notes[cell], cell)
						}
						cell = "(" + notes[cell] + ")"
					}
					fmt.Fprintf(&b, " %-*s", len(step.name), cell)
				}
			}
		}
	}
	return b.String() + below.String()
}

// A verbCell is where the steps of one way to a server work.
type verbCell struct {
	*bench
	kind   lab.Kind
	net    string
	random *rand.Rand
	url    func(string) string // of a name in its directory
	stored string              // that directory on the server
	local  string              // a directory of this host
	data   []byte              // of files
	said   string              // by the last xftp, on standard error
}

func newVerbCell(b *bench, kind lab.Kind, way verbWay, random *rand.Rand) *verbCell {
	b.t.Helper()
	url := b.ftp.URL
	if way.family == "IPv6" {
		url = b.ftp.URL6
	}
	name := way.net + way.family
	dir := lab.UploadDir + "/" + name
	c := &verbCell{
		bench: b, kind: kind, net: way.net, random: random, data: make([]byte, 4_500_001),
		url:    func(name string) string { return url(dir + "/" + name) },
		stored: filepath.Join(b.root, dir),
		local:  filepath.Join(b.dir, name),
	}
	rand.NewChaCha8([32]byte{7, byte(kind)}).Read(c.data)
	err := errors.Join(os.Mkdir(c.local, 0o777), os.Mkdir(c.stored, 0o777), os.Chmod(c.stored, 0o777))
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

// xftp runs it, which must end well.
func (c *verbCell) xftp(args ...string) (stdout []byte, err error) {
	r := c.start(append(args, "--net", c.net)...)
	code := r.wait(c.t)
	c.said = r.stderr.String()
	if code != 0 {
		return nil, fmt.Errorf("xftp %s: exit code %d\n%s", strings.Join(args, " "), code, c.said)
	}
	return r.stdout.Bytes(), nil
}

// moves runs xftp, which must end well and report n files as verified.
func (c *verbCell) moves(n int, args ...string) ([]transfer, error) {
	stdout, err := c.xftp(append(args, "--json")...)
	if err != nil {
		return nil, err
	}
	var reports []transfer
	for line := range bytes.Lines(stdout) {
		var r transfer
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("xftp %s: %w in %q", strings.Join(args, " "), err, line)
		}
		if r.Net != c.net || r.Error != nil || r.Verified != "size" && r.Verified != "hash" || r.Retries != 0 {
			return nil, fmt.Errorf("xftp %s: %+v", strings.Join(args, " "), r)
		}
		reports = append(reports, r)
	}
	if len(reports) != n {
		return nil, fmt.Errorf("xftp %s: %d reports, want %d", strings.Join(args, " "), len(reports), n)
	}
	return reports, nil
}

// holdsData says what is wrong with a file that should hold data.
func holdsData(path string, data []byte) error {
	got, err := os.ReadFile(path)
	if err == nil && sha256.Sum256(got) != sha256.Sum256(data) {
		err = fmt.Errorf("%s has %d bytes that are not those that were sent", path, len(got))
	}
	return err
}
