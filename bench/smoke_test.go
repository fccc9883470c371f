package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/bench/record"
	"github.com/seed-54eb6215/xftp/internal/lab"
)

func TestMain(m *testing.M) {
	lab.Main()
	actRole()
	os.Exit(m.Run())
}

// TestQuickSet measures the quick set, with tiny files. The numbers are of no
// interest; that each of xftp's is there, was checked, and that nothing is left
// behind, is.
func TestQuickSet(t *testing.T) {
	lab.NeedVsftpd(t)
	dir := t.TempDir()
	program := filepath.Join(dir, "xftp")
	build := exec.Command("go", "build", "-o", program, "./cmd/xftp")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	before := leftovers(t)
	chosen, err := choose("", true)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out", "results.json")
	o := options{
		program: program, out: out, rounds: 1, mtu: 1500, bytes: 2e6, quick: true,
		timeout: time.Minute, caseLimit: time.Minute, limit: 10 * time.Minute,
	}
	if err := run(o, chosen); err != nil {
		t.Fatal(err)
	}
	if after := leftovers(t); strings.Join(after, " ") != strings.Join(before, " ") {
		t.Errorf("left behind: %q, before %q", after, before)
	}
	f, err := record.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Cases) != len(chosen) {
		t.Errorf("%d cases of %d", len(f.Cases), len(chosen))
	}
	for _, c := range f.Cases {
		if c.Skipped != "" {
			t.Errorf("%s: %s", c.Name, c.Skipped)
			continue
		}
		for i, p := range c.Peers {
			if p.LeftOut == "not installed" {
				continue
			}
			if i == 0 && len(p.Counted()) != 1 {
				t.Errorf("%s: %d runs of %s count: %s", c.Name, len(p.Counted()), p.Name, p.LeftOut)
			}
			for _, r := range p.Counted() {
				checkRun(t, c, p, r)
			}
		}
	}
	if f.Machine.Driver != "veth" || f.Machine.Mode != "copy" || f.Machine.Offloads["tx-tcp-segmentation"] {
		t.Errorf("not the lab's link: %+v", f.Machine)
	}
	for _, ext := range []string{".txt", ".html"} {
		if info, err := os.Stat(strings.TrimSuffix(out, ".json") + ext); err != nil || info.Size() == 0 {
			t.Errorf("no %s beside the results: %v", ext, err)
		}
	}
}

func checkRun(t *testing.T, c *record.Case, p *record.Peer, r record.Run) {
	t.Helper()
	if r.Seconds <= 0 {
		t.Errorf("%s: %s took %v s", c.Name, p.Name, r.Seconds)
	}
	if c.Unit != record.Transfer {
		return
	}
	if r.Bytes != c.Bytes || r.Verified == "" || r.PeakRSS == 0 || r.ServerRetransmits < 0 {
		t.Errorf("%s: %s: %+v", c.Name, p.Name, r)
	}
}

// leftovers lists what this process may leave behind: files in memory, and
// namespaces with its id in their names.
func leftovers(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{memory + "/xftp-bench-*", "/run/netns/*-" + strconv.Itoa(os.Getpid()) + "-*"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	return all
}
