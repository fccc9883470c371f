package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// The lengths of the files of the matrix. Those in the middle are lengths that
// clients are known to have lost the end of, in uploads over TLS: whole records
// of TLS, whole windows, and a little more.
var (
	matrixSmall = []int64{0, 1, 14434, 43000, 65537, 101701}
	matrixLarge = int64(50_000_000)
)

// TestMatrix uploads files to every server, in the clear and over TLS of both
// kinds, in every way of making a data connection, and fetches them again: over
// AF_XDP, and over the kernel's sockets. No data connection may end in a reset.
func TestMatrix(t *testing.T) {
	needTime(t, "moves 9 GB")
	sources := makeSources(t)
	var table strings.Builder
	for _, kind := range lab.Kinds() {
		for _, mode := range lab.TLSModes() {
			name := kind.String() + "/" + mode.String()
			result := "not run"
			t.Run(name, func(t *testing.T) {
				lab.NeedServer(t, kind)
				m := newMatrix(t, kind, mode, sources)
				if m.lacks != "" {
					result = "the server lacks " + m.lacks
					t.Skip(result)
				}
				m.run()
				if result = "pass"; t.Failed() {
					result = "FAIL"
				}
			})
			fmt.Fprintf(&table, "\n%-20s %s", name, result)
		}
	}
	t.Log(table.String())
}

// needTime skips a test that needs root where it is not, and one that takes
// minutes where nobody asked for those.
func needTime(t *testing.T, why string) {
	t.Helper()
	lab.NeedRoot(t)
	if os.Getenv("XFTP_LONG") != "1" {
		t.Skip(why + ": set XFTP_LONG=1, as make test does")
	}
}

// sources are what is uploaded: files that have their lengths as names.
type sources struct {
	dir  string
	sums map[string][sha256.Size]byte
}

func makeSources(t *testing.T) sources {
	t.Helper()
	s := sources{sharedMemory(t), make(map[string][sha256.Size]byte)}
	random := rand.NewChaCha8([32]byte{4})
	for _, size := range append([]int64{matrixLarge}, matrixSmall...) {
		name := fmt.Sprint(size)
		f, err := os.Create(filepath.Join(s.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		h := sha256.New()
		_, err = io.CopyN(io.MultiWriter(f, h), random, size)
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		s.sums[name] = [sha256.Size]byte(h.Sum(nil))
	}
	return s
}

// A matrix is the cells of one server in one mode.
type matrix struct {
	*bench
	sources sources
	lacks   string // what the server cannot do
	capture *lab.Capture
}

func newMatrix(t *testing.T, kind lab.Kind, mode lab.TLSMode, s sources) *matrix {
	t.Helper()
	m := &matrix{bench: newBench(t, lab.Config{}), sources: s}
	m.root = sharedMemory(t)
	port := 2121
	if mode == lab.ImplicitTLS {
		port = 0 // 990
	}
	var err error
	m.ftp, err = m.lab.Server.StartServer(t.Context(), lab.ServerConfig{Kind: kind, Root: m.root, Port: port, TLS: mode})
	if errors.Is(err, errors.ErrUnsupported) {
		m.lacks = mode.String() + " TLS: Debian's package is built without it"
		return m
	}
	if err != nil {
		t.Fatal(err)
	}
	m.env = append(m.env, "XFTP_CACERT="+m.ftp.CAFile())
	if m.capture, err = m.lab.Server.Capture(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.capture.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// run runs all cells: those over AF_XDP one after the other, as there is one
// queue, those over kernel sockets side by side.
func (m *matrix) run() {
	t := m.t
	var cells []*cell
	for _, net := range []string{"xdp", "kernel"} {
		for _, family := range []string{"IPv4", "IPv6"} {
			for _, way := range []string{"passive", "active"} {
				cells = append(cells, m.newCell(t, net, family, way))
			}
		}
		for _, step := range []struct {
			name string
			do   func(*cell, *testing.T)
		}{{"put", (*cell).put}, {"get", (*cell).get}} {
			t.Run(net+"/"+step.name, func(t *testing.T) {
				for _, c := range cells {
					t.Run(c.name, func(t *testing.T) {
						if net == "kernel" {
							t.Parallel()
						}
						step.do(c, t)
					})
				}
			})
			m.checkConnections(t, net+" "+step.name, len(cells)*len(m.sources.sums))
		}
		for _, c := range cells {
			if err := errors.Join(os.RemoveAll(c.stored), os.RemoveAll(c.dir)); err != nil {
				t.Error(err)
			}
		}
		cells = nil
	}
}

// A cell is one way to the server.
type cell struct {
	bench
	*matrix
	name   string
	net    string
	flags  []string
	url    func(string) string // of a name in its directory
	stored string              // that directory on the server
}

func (m *matrix) newCell(t *testing.T, net, family, way string) *cell {
	t.Helper()
	c := &cell{bench: *m.bench, matrix: m, name: way + family, net: net, flags: []string{"--net", net}}
	c.dir = sharedMemory(t)
	if way == "active" {
		c.flags = append(c.flags, "--active")
	}
	url := m.ftp.URL
	if family == "IPv6" {
		url = m.ftp.URL6
	}
	dir := lab.UploadDir + "/" + net + c.name
	c.url = func(name string) string { return url(dir + "/" + name) }
	c.stored = filepath.Join(m.root, dir)
	if err := errors.Join(os.Mkdir(c.stored, 0o777), os.Chmod(c.stored, 0o777)); err != nil {
		t.Fatal(err)
	}
	return c
}

// batches are the files of one run of xftp each: the small ones go over one
// control connection.
func batches() [][]string {
	small := make([]string, len(matrixSmall))
	for i, size := range matrixSmall {
		small[i] = fmt.Sprint(size)
	}
	return [][]string{small, {fmt.Sprint(matrixLarge)}}
}

func (c *cell) put(t *testing.T) {
	for _, names := range batches() {
		args := append([]string{"put"}, c.flags...)
		for _, name := range names {
			args = append(args, filepath.Join(c.sources.dir, name))
		}
		c.run(t, append(args, c.url("")), names, c.stored)
	}
	entries, err := os.ReadDir(c.stored)
	if err != nil || len(entries) != len(c.sources.sums) {
		t.Errorf("%d files on the server, want %d (%v)", len(entries), len(c.sources.sums), err)
	}
}

func (c *cell) get(t *testing.T) {
	for _, names := range batches() {
		args := append([]string{"get", "-o", "./"}, c.flags...)
		for _, name := range names {
			args = append(args, c.url(name))
		}
		c.run(t, args, names, c.dir)
	}
}

// run runs xftp, which must move the files to dir and say so.
func (c *cell) run(t *testing.T, args, names []string, dir string) {
	t.Helper()
	c.t = t
	reports := c.all(args...)
	if len(reports) != len(names) {
		t.Errorf("xftp %s: %d reports of %d files", args[0], len(reports), len(names))
	}
	for _, r := range reports {
		if r.Net != c.net || r.Error != nil || r.Verified != "size" && r.Verified != "hash" || r.Retries != 0 {
			t.Errorf("xftp %s: %+v", args[0], r)
		}
	}
	for _, name := range names {
		c.expect(filepath.Join(dir, name), c.sources.sums[name])
	}
}

// checkConnections looks at all data connections since the last call: there
// are as many as files that were moved, and none ended in a reset. Only servers
// have an excuse: for what they answer to a segment that was sent again when both
// had long ended the connection; and on a busy machine for a few downloads, whose
// close_notify a client answered that could not know yet that they were gone.
func (m *matrix) checkConnections(t *testing.T, what string, want int) {
	t.Helper()
	segments, err := m.capture.Segments()
	if err != nil {
		t.Fatal(err)
	}
	control := m.ftp.Addr(false).Port()
	servers := []netip.Addr{m.ftp.Addr(false).Addr(), m.ftp.Addr(true).Addr()}
	type way struct{ from, to netip.AddrPort }
	ended := make(map[way]bool)
	connections := 0
	var late []lab.Segment
	for _, s := range segments {
		there, back := way{s.From, s.To}, way{s.To, s.From}
		server := slices.Contains(servers, s.From.Addr())
		switch {
		case s.From.Port() == control || s.To.Port() == control:
		case s.RST && server && ended[there] && ended[back]:
		case s.RST && server && ended[there] && strings.HasSuffix(what, "get"):
			late = append(late, s)
		case s.RST:
			t.Errorf("%s: a data connection was reset: %v", what, history(segments, s))
		case s.FIN:
			ended[there] = true
		case !s.ACK:
			connections++
			ended[there], ended[back] = false, false
		}
	}
	if len(late) > want/8 {
		t.Errorf("%s: %d data connections were reset by the server after it had closed them: %v", what, len(late), late)
	}
	if !t.Failed() && connections < want {
		t.Errorf("%s: %d data connections were seen, want at least %d", what, connections, want)
	}
}

// history returns the segments of the connection that s is of.
func history(all []lab.Segment, s lab.Segment) []lab.Segment {
	return slices.DeleteFunc(slices.Clone(all), func(o lab.Segment) bool {
		return (o.From != s.From || o.To != s.To) && (o.From != s.To || o.To != s.From)
	})
}
