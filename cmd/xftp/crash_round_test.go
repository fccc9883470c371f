package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A crash is where transfers of a kind are killed.
type crash struct {
	t      *testing.T
	kind   crashKind
	random *rand.Rand
	tally  crashTally

	root  string // what servers serve
	dir   string // where xftp runs
	state string // its home, and where it keeps states
	env   []string

	url    string // of the file
	served string // the server's directory that it is in
	source string // the file that is moved
	target string // what it becomes

	// start starts xftp. kill starts it and kills it when it has moved about at of all
	// the bytes that it has to; the code is that of its end, -1 if it was killed.
	start func(args ...string) *running
	kill  func(at, all int64, args ...string) (code int, stderr string)

	data []byte    // of the source
	when time.Time // its time
	old  []byte    // of the target before, or nil

	changed int64 // the byte that has, if it is one
	drains  bool  // the server may still write what has come when xftp is killed
}

func newCrash(t *testing.T, kind crashKind, random *rand.Rand) *crash {
	t.Helper()
	c := &crash{t: t, kind: kind, random: random, root: sharedMemory(t), dir: sharedMemory(t), state: t.TempDir()}
	c.start = c.launch
	return c
}

// place says where the file is in the next round.
func (c *crash) place(server, path, served string) {
	c.url, c.served = server+path, served
	here, there := filepath.Join(c.dir, "file"), filepath.Join(served, "file")
	c.source, c.target = there, here
	if c.kind.upload {
		c.source, c.target = here, there
	}
}

// args returns the arguments for a run.
func (c *crash) args(resume bool) []string {
	args := []string{"get", c.url}
	if c.kind.upload {
		args = []string{"put", "file", c.url}
	}
	args = append(args, "--json")
	if c.kind.segmented {
		args = append(args, "-n", "4")
	}
	if resume {
		args = append(args, "-c")
	}
	return args
}

// round kills transfers of one file, and continues the last one until its end.
func (c *crash) round(change *crashChange) {
	t := c.t
	c.begin()
	kills := 1
	if c.random.IntN(4) == 0 {
		kills += 1 + c.random.IntN(3)
	}
	first := spans{} // what was there when the file changed
	for k := range kills {
		all := int64(len(c.data))
		if kept := c.kept(); !(change != nil && k == 1) {
			all = max(all-kept.bytes(), 0)
		}
		at := c.random.Int64N(all + 1)
		if c.random.IntN(6) == 0 {
			at = []int64{0, all}[c.random.IntN(2)]
		}
		code, stderr := c.kill(at, all, c.args(k > 0 || c.random.IntN(2) == 0)...)
		c.about("kill %d of %d at byte %d of %d: exit code %d\n%s", k+1, kills, at, all, code, stderr)
		if code != -1 {
			if c.tally.ended++; code != exitOK {
				t.Errorf("it failed by itself with exit code %d:\n%s", code, stderr)
			}
		} else {
			c.tally.killed++
		}
		c.checkTarget(code == exitOK)
		if k == 0 && change != nil {
			first = c.kept()
			c.change(change)
		}
		if t.Failed() {
			return
		}
	}
	kept := c.kept()
	r := c.start(c.args(true)...)
	code := r.wait(t)
	said := r.stderr.String()
	c.about("at last, of %v: exit code %d\n%s", kept, code, said)
	var report transfer
	if err := json.Unmarshal(r.stdout.Bytes(), &report); err != nil {
		t.Errorf("no report: %v in %q", err, r.stdout.String())
	}
	if change == nil {
		c.continued(code, kept, report, said)
	} else {
		c.noticed(change, code, first, kills, said)
	}
	if t.Failed() {
		t.Logf("the rounds before: %s", &c.tally)
	}
}

// continued judges the last run of a round in which nothing has changed.
func (c *crash) continued(code int, kept spans, report transfer, said string) {
	t := c.t
	want := c.kind.size - kept.bytes()
	if !c.kind.upload {
		want += kept.overlaps(c.kind.size).bytes()
	} else if c.kind.segmented && kept.first() == 0 {
		want = c.kind.size
	}
	if code != exitOK || said != "" || report.Bytes > want || report.Bytes < want && !c.drains {
		t.Errorf("exit code %d, %d bytes moved of %d of which it had %v, want %d\n%s", code, report.Bytes, c.kind.size, kept, want, said)
	}
	c.expect(c.data)
	c.nothingLeft()
	c.tally.add(kept.bytes(), report.Bytes, c.kind.size)
}

// begin makes the file of a round, and perhaps one that it is to replace.
func (c *crash) begin() {
	for _, dir := range []string{c.dir, c.served, filepath.Join(c.state, "xftp", "uploads")} {
		for _, name := range names(dir) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				c.t.Fatal(err)
			}
		}
	}
	c.tally.story = nil
	c.data = c.bytes(c.kind.size)
	c.when = time.Now().Add(-24 * time.Hour).Truncate(time.Second)
	c.write()
	c.old = nil
	if c.random.IntN(2) == 0 {
		c.old = []byte("what was there before")
		if err := errors.Join(os.WriteFile(c.target, c.old, 0o666), os.Chmod(c.target, 0o666)); err != nil {
			c.t.Fatal(err)
		}
	}
}

// bytes returns n of them.
func (c *crash) bytes(n int64) []byte {
	var seed [32]byte
	for i := range seed {
		seed[i] = byte(c.random.Uint32())
	}
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(seed).Read(b) // never fails
	return b
}

// write makes the source what it should be.
func (c *crash) write() {
	err := errors.Join(os.WriteFile(c.source, c.data, 0o644), os.Chtimes(c.source, c.when, c.when))
	if err != nil {
		c.t.Fatal(err)
	}
}

// about notes what is told if the round fails.
func (c *crash) about(format string, args ...any) {
	c.tally.story = append(c.tally.story, fmt.Sprintf(format, args...))
}

// checkTarget makes sure that the name of the file has what it had before, unless the run
// had come to its end.
func (c *crash) checkTarget(ended bool) {
	got, err := os.ReadFile(c.target)
	switch {
	case err == nil && sha256.Sum256(got) == sha256.Sum256(c.data):
		c.old = c.data // killed behind the rename
	case ended:
		c.t.Errorf("FALSE SUCCESS: %d bytes, %v", len(got), err)
	case c.old == nil && errors.Is(err, fs.ErrNotExist), c.old != nil && bytes.Equal(got, c.old):
	default:
		c.t.Errorf("%d bytes stand under the name of the file (%v)", len(got), err)
	}
}

// expect makes sure that the target is whole.
func (c *crash) expect(data []byte) {
	if err := holdsData(c.target, data); err != nil {
		c.t.Errorf("FALSE SUCCESS: %v\n%s", err, strings.Join(c.tally.story, "\n"))
	}
}

// nothingLeft makes sure that only the two files are there, and no state.
func (c *crash) nothingLeft() {
	states, _ := filepath.Glob(filepath.Join(c.state, "xftp", "uploads", "*"))
	left := slices.Concat(names(c.dir), names(c.served), states)
	if !slices.Equal(left, []string{"file", "file"}) {
		c.t.Errorf("left: %v\n%s", left, strings.Join(c.tally.story, "\n"))
	}
}

// names returns what is in a directory, but for that of the uploads.
func names(dir string) (all []string) {
	entries, _ := os.ReadDir(dir) // it may not be there
	for _, e := range entries {
		if !e.IsDir() {
			all = append(all, e.Name())
		}
	}
	return all
}
