package main

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What the environment may say: how many rounds there are of each kind, and what was
// chosen by chance in an earlier run.
const (
	crashRounds = "CRASH_ROUNDS"
	crashSeed   = "CRASH_SEED"
)

// crashRecords, in the environment of a test binary that is to be xftp, is how often it
// writes down what a download in segments holds.
const crashRecords = "XFTP_TEST_RECORDS"

// A crashKind is a way of moving a file.
type crashKind struct {
	name              string
	upload, segmented bool
	size              int64 // bytes of the file
}

var crashKinds = []crashKind{
	{"down whole", false, false, 3_000_001},
	{"down segmented", false, true, 5_000_003},
	{"up whole", true, false, 3_000_001},
	{"up segmented", true, true, 12_000_007},
}

// TestCrash kills xftp by SIGKILL after a random byte, in every way of moving a file, once
// or several times one after the other, and continues with -c. The file has to be the
// right one, and no more may move than was missing. Until it is whole, its name
// has what it had before.
func TestCrash(t *testing.T) {
	crashHere(t, nil)
}

// In TestCrashChanged the file changes after the first kill. Each time that has to be
// noticed, and the file that there is in the end is the new one.
func TestCrashChanged(t *testing.T) {
	crashHere(t, crashChanges)
}

// crashHere does rounds of all kinds with servers of this process.
func crashHere(t *testing.T, changes []crashChange) {
	rounds, seed := crashPlan(t, 3, 15)
	for i, kind := range crashKinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			c := newCrash(t, kind, random)
			servers := map[string]*testServer{}
			for n := 0; n < rounds && !t.Failed(); n++ {
				var change *crashChange
				if changes != nil {
					change = &changes[n%len(changes)]
				}
				c.place(crashServer(t, c, servers, change), "/file", c.root)
				c.round(change)
			}
			t.Logf("%s=%d, %s: %s", crashSeed, seed, kind.name, &c.tally)
			c.tally.check(t)
		})
	}
}

// crashPlan returns how many rounds of a kind there are: so many if nothing is said, or
// with XFTP_LONG=1.
func crashPlan(t *testing.T, short, long int) (rounds int, seed uint64) {
	t.Helper()
	rounds, seed = short, rand.Uint64()
	if os.Getenv("XFTP_LONG") == "1" {
		rounds = long
	}
	var err1, err2 error
	if text := os.Getenv(crashRounds); text != "" {
		rounds, err1 = strconv.Atoi(text)
	}
	if text := os.Getenv(crashSeed); text != "" {
		seed, err2 = strconv.ParseUint(text, 10, 64)
	}
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return rounds, seed
}

// crashServer returns the URL of a server for a round: in the clear, or over TLS; with
// hashes if the change is one that nothing else shows.
func crashServer(t *testing.T, c *crash, servers map[string]*testServer, change *crashChange) string {
	t.Helper()
	faults := "narrow"
	if change != nil && change.hash {
		faults += " hash"
	}
	if c.random.IntN(4) == 0 {
		faults += " tls"
	}
	s := servers[faults]
	if s == nil {
		var err error
		if s, err = startServer(c.root, strings.Fields(faults)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.stop)
		servers[faults] = s
	}
	c.env = nil
	url := s.url()
	if s.has("tls") {
		if err := writeCertificate(c.state, "server", s.cert); err != nil {
			t.Fatal(err)
		}
		c.env = []string{"XFTP_CACERT=" + filepath.Join(c.state, "server.pem")}
		url = "ftpes" + strings.TrimPrefix(url, "ftp")
	}
	c.kill = func(at, all int64, args ...string) (int, string) { return c.killAtGate(s, at, all, args...) }
	return url
}

// launch starts xftp over kernel sockets.
func (c *crash) launch(args ...string) *running { return c.startWith("", args...) }

// startWith is launch with a file as standard input, or none.
func (c *crash) startWith(stdin string, args ...string) *running {
	c.t.Helper()
	self, err := os.Executable()
	if err != nil {
		c.t.Fatal(err)
	}
	r := &running{Cmd: exec.CommandContext(c.t.Context(), self, args...)}
	r.Dir = c.dir
	r.Env = append([]string{
		asXftp + "=1", "XFTP_NET=kernel", "XFTP_RETRIES=0", "HOME=" + c.state, "XDG_STATE_HOME=" + c.state, crashRecords + "=1ms",
	}, c.env...)
	r.Stdout, r.Stderr = &r.stdout, &r.stderr
	if stdin != "" {
		f, err := os.Open(stdin)
		if err != nil {
			c.t.Fatal(err)
		}
		defer f.Close()
		r.Stdin = f
	}
	if err := r.Start(); err != nil {
		c.t.Fatal(err)
	}
	return r
}

// killAtGate starts xftp with a server of this process, and kills it when the server has
// read or written at of the bytes that have to move. The server then waits for
// that, or lets nearly all others pass, so that xftp is in the midst of something.
func (c *crash) killAtGate(s *testServer, at, all int64, args ...string) (code int, stderr string) {
	hold := at
	waits := c.random.IntN(2) == 0
	if !waits {
		hold = max(at, all-1)
	}
	if at == all {
		hold, waits = 1<<62, false // it may end before it is killed
	}
	g := newGate(c.kind.upload, at, hold)
	g.passes = c.kind.upload && c.random.IntN(2) == 0
	return c.killHeld(s, g, waits, args...)
}

// killHeld starts xftp and kills it when a gate has told; waits is to wait until what
// has passed is here, too.
func (c *crash) killHeld(s *testServer, g *gate, waits bool, args ...string) (code int, stderr string) {
	s.gate.Store(g)
	defer s.gate.Store(nil)
	anew := c.held(nil) == nil
	r := c.start(args...)
	ended := make(chan struct{})
	go func() { code = r.wait(c.t); close(ended) }()
	select {
	case <-g.reached:
		if waits && anew && !c.kind.upload && !c.kind.segmented {
			c.await(g.at, ended)
		}
		_ = r.Process.Kill() // unless it has ended
		<-ended
		g.open()
	case <-ended:
		g.open()
	}
	return code, r.stderr.String()
}

// await waits until a part has n bytes, or the run that writes it has ended.
func (c *crash) await(n int64, ended <-chan struct{}) {
	poll := time.NewTicker(200 * time.Microsecond)
	defer poll.Stop()
	for {
		select {
		case <-ended:
			return
		case <-poll.C:
		}
		if info, err := os.Stat(c.part()); err == nil && info.Size() == n {
			return
		}
	}
}
