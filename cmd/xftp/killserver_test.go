package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

const (
	killings   = 100        // transfers that have to be interrupted
	killedSize = 20_000_000 // bytes of their file
)

// killSeed is the variable that repeats what a run has chosen by chance.
const killSeed = "KILL_SEED"

// TestKilledServer kills all processes of a server while it serves a
// transfer, at a random byte of it, and starts it again. Whatever comes of
// that: either the file is there as a whole, or xftp exits with 1 and nothing
// stands under the name of the file, unless it is the whole one, whose new name
// the server did not live to confirm.
func TestKilledServer(t *testing.T) {
	needTime(t, fmt.Sprintf("kills %d servers", killings))
	for _, kind := range lab.Kinds() {
		lab.NeedServer(t, kind)
	}
	seed, err := strconv.ParseUint(os.Getenv(killSeed), 10, 64)
	if err != nil {
		seed = rand.Uint64()
	}
	var all outcomes
	// Not t.Parallel, which takes no more at a time than there are processors:
	// these wait most of the time, before they try again.
	var workers sync.WaitGroup
	for worker, net := range []string{"kernel", "kernel", "kernel", "kernel", "xdp"} {
		workers.Go(func() {
			t.Run(fmt.Sprint(net, worker), func(t *testing.T) {
				k := newKiller(t, net, rand.New(rand.NewPCG(seed, uint64(worker))))
				for !t.Failed() && all.want() {
					all.count(k.attempt())
				}
			})
		})
	}
	workers.Wait()
	t.Logf("%s=%d: %s", killSeed, seed, &all)
	if !t.Failed() && (all.of[retried] == 0 || all.of[gaveUp] == 0) {
		t.Error("one of both outcomes was not seen")
	}
}

// An outcome is what came of a transfer whose server was killed.
type outcome uint8

const (
	untouched outcome = iota // it had ended before the server did
	retried                  // the file is there, by another try
	gaveUp                   // exit code 1, and no file
	renamed                  // exit code 1: the server had given the whole file its name, and died before it said so
)

// outcomes counts them.
type outcomes struct {
	mu    sync.Mutex
	begun int
	of    [renamed + 1]int
}

// want says whether there is to be another attempt.
func (a *outcomes) want() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.begun >= killings {
		return false
	}
	a.begun++
	return true
}

func (a *outcomes) count(o outcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.of[o]++
	if o == untouched {
		a.begun-- // it does not count
	}
}

func (a *outcomes) String() string {
	return fmt.Sprintf("%d transfers interrupted: %d whole after another try, %d given up, %d of them renamed all the same; %d had ended before",
		a.begun, a.of[retried], a.of[gaveUp]+a.of[renamed], a.of[renamed], a.of[untouched])
}

// A killer has a lab to itself.
type killer struct {
	*bench
	net    string
	random *rand.Rand
	source string // holds the file that is uploaded
	want   [32]byte
	number int
}

func newKiller(t *testing.T, net string, random *rand.Rand) *killer {
	t.Helper()
	k := &killer{bench: newBench(t, lab.Config{}), net: net, random: random, number: random.IntN(8)}
	k.root, k.dir, k.source = sharedMemory(t), sharedMemory(t), sharedMemory(t)
	k.want = k.serve("file", killedSize)
	if err := os.Link(filepath.Join(k.root, "file"), filepath.Join(k.source, "file")); err != nil {
		t.Fatal(err)
	}
	if err := k.ftp.Stop(); err != nil {
		t.Fatal(err)
	}
	return k
}

// attempt makes one transfer and kills its server.
func (k *killer) attempt() outcome {
	t := k.t
	k.number++
	cfg := lab.ServerConfig{Root: k.root, Kind: lab.Kinds()[k.random.IntN(len(lab.Kinds()))]}
	if k.number%2 == 0 { // the other half is plain
		cfg.TLS = lab.ExplicitTLS
		if cfg.Kind != lab.Pureftpd && k.random.IntN(2) == 0 {
			cfg.TLS = lab.ImplicitTLS
		}
	}
	upload := k.number/2%2 == 0
	retries := k.random.IntN(4) // none in one of four
	at := k.random.Int64N(killedSize + 1)
	about := fmt.Sprintf("%v %v %s, upload %v, %d retries, killed at byte %d", cfg.Kind, cfg.TLS, k.net, upload, retries, at)

	k.empty(k.dir)
	k.empty(filepath.Join(k.root, lab.UploadDir))
	k.begin(cfg)
	defer k.end()
	args := []string{"get", k.ftp.URL("file"), "-o", "./"}
	watched, final := k.dir, filepath.Join(k.dir, "file")
	if upload {
		args = []string{"put", filepath.Join(k.source, "file"), k.ftp.URL(lab.UploadDir + "/")}
		watched, final = filepath.Join(k.root, lab.UploadDir), filepath.Join(k.root, lab.UploadDir, "file")
	}
	k.env = []string{"XFTP_CACERT=" + k.ftp.CAFile()}
	r := k.start(append(args, "--net", k.net, "--retries", fmt.Sprint(retries), "--timeout", "10s", "--json")...)
	killed := false
	code := whileRunning(t, r, 200*time.Microsecond, func() {
		if !killed && largest(watched) >= at {
			killed = true
			k.end()
			k.begin(cfg)
		}
	})
	report := new(transfer)
	if line, _, _ := bytes.Cut(r.stdout.Bytes(), []byte("\n")); json.Unmarshal(line, report) != nil {
		t.Errorf("%s: exit code %d, no report\n%s", about, code, r.stderr.String())
	}
	got, err := hashFile(t.Context(), final)
	switch {
	case code == exitOK && (err != nil || got != k.want):
		t.Errorf("%s: FALSE SUCCESS: SHA-256 %x (%v), want %x\n%s", about, got, err, k.want, r.stderr.String())
	case code == exitTransfer && upload && err == nil && got == k.want:
		return renamed
	case code == exitTransfer && !errors.Is(err, os.ErrNotExist):
		t.Errorf("%s: exit code 1, and SHA-256 %x (%v) under the name of the file\n%s", about, got, err, r.stderr.String())
	case code != exitOK && code != exitTransfer:
		t.Errorf("%s: exit code %d\n%s", about, code, r.stderr.String())
	case code == exitTransfer && !killed:
		t.Errorf("%s: it failed by itself\n%s", about, r.stderr.String())
	}
	switch {
	case code == exitTransfer:
		return gaveUp
	case report.Retries > 0:
		return retried
	}
	return untouched
}

// empty removes what is in a directory, which need not be there.
func (k *killer) empty(dir string) {
	k.t.Helper()
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			k.t.Fatal(err)
		}
	}
}

// begin starts the server.
func (k *killer) begin(cfg lab.ServerConfig) {
	k.t.Helper()
	var err error
	if k.ftp, err = k.lab.Server.StartServer(k.t.Context(), cfg); err != nil {
		k.t.Fatal(err)
	}
}

// end kills all processes of the server.
func (k *killer) end() {
	k.t.Helper()
	if err := k.ftp.Stop(); err != nil {
		k.t.Fatal(err)
	}
}

// largest returns the length of the longest file in a directory.
func largest(dir string) int64 {
	entries, _ := os.ReadDir(dir) // it may not be there yet
	longest := int64(-1)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			longest = max(longest, info.Size())
		}
	}
	return longest
}
