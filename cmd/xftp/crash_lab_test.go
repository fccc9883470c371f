package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// A crashWay is a server, and the way to it.
type crashWay struct {
	kind lab.Kind
	net  string
}

func (w crashWay) String() string { return w.kind.String() + " " + w.net }

// TestCrashLab is TestCrash over AF_XDP, and with all servers; every second round is one
// of TestCrashChanged.
func TestCrashLab(t *testing.T) {
	needTime(t, "kills xftp in the lab")
	rounds, seed := crashPlan(t, 2, 2)
	ways := []crashWay{{lab.Embedded, "xdp"}}
	for _, kind := range lab.Kinds()[1:] {
		lab.NeedServer(t, kind)
		ways = append(ways, crashWay{kind, "kernel"})
	}
	// Not t.Parallel, which takes no more at a time than there are processors:
	// these wait most of the time.
	var workers sync.WaitGroup
	for i, way := range ways {
		workers.Go(func() {
			t.Run(way.String(), func(t *testing.T) {
				b := newBench(t, lab.Config{})
				b.root = sharedMemory(t)
				var err error
				if b.ftp, err = b.lab.Server.StartServer(t.Context(), lab.ServerConfig{Kind: way.kind, Root: b.root, Port: 2121}); err != nil {
					t.Fatal(err)
				}
				for k, kind := range crashKinds {
					if kind.upload && kind.segmented && way.kind != lab.Embedded {
						continue // they do not take that
					}
					crashThere(t, b, way, kind, rounds, rand.New(rand.NewPCG(seed, uint64(i*len(crashKinds)+k))))
					t.Logf("%s=%d", crashSeed, seed)
				}
			})
		})
	}
	workers.Wait()
}

// crashThere does rounds of a kind in a lab.
func crashThere(t *testing.T, b *bench, way crashWay, kind crashKind, rounds int, random *rand.Rand) {
	t.Helper()
	c := newCrash(t, kind, random)
	c.drains = kind.upload
	b.dir = c.dir
	b.env = []string{"HOME=" + c.state, "XDG_STATE_HOME=" + c.state, crashRecords + "=1ms", "XFTP_NET=" + way.net}
	c.start, c.kill = b.start, c.killOnDisk
	var changed crashTally
	for n := 0; n < 2*rounds && !t.Failed(); n++ {
		path, served := "file", b.root
		if kind.upload {
			path, served = lab.UploadDir+"/file", filepath.Join(b.root, lab.UploadDir)
		}
		c.place(b.ftp.URL(""), path, served)
		if n%2 == 0 {
			c.round(nil)
			continue
		}
		same := c.tally
		c.tally = changed
		c.round(&crashChanges[n/2%(len(crashChanges)-1)]) // the last is for servers that have hashes
		changed, c.tally = c.tally, same
	}
	t.Logf("%v, %s: %s", way, kind.name, &c.tally)
	t.Logf("%v, %s: %s", way, kind.name, &changed)
	c.tally.check(t)
}

// killOnDisk starts xftp, with a second for all, and kills it when about at of the bytes
// that have to move have come to where they go.
func (c *crash) killOnDisk(at, all int64, args ...string) (code int, stderr string) {
	if at > all*3/4 {
		at = all * 3 / 4 // else it may have ended when that is seen
	}
	before := int64(len(c.data)) - all
	r := c.start(append(args, "--limit-rate", strconv.Itoa(len(c.data)))...)
	killed := false
	code = whileRunning(c.t, r, 200*time.Microsecond, func() {
		if !killed && c.written() >= before+at {
			killed = true
			_ = r.Process.Kill() // unless it has ended
		}
	})
	return code, r.stderr.String()
}

// written returns how many bytes of parts are stored, of those in segments by whole pages;
// -1 if there is none.
func (c *crash) written() int64 {
	bytes := int64(-1)
	dir := filepath.Dir(c.target)
	for _, name := range names(dir) {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || !strings.HasSuffix(name, partSuffix) {
			continue
		}
		bytes = max(bytes, 0) + min(info.Size(), info.Sys().(*syscall.Stat_t).Blocks*512)
	}
	return bytes
}
