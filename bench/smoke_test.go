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
	if os.Getenv(commandEnv) != "" {
		_ = os.Unsetenv(commandEnv)
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// commandEnv makes the test's executable the command itself.
const commandEnv = "XFTP_BENCH_COMMAND"

// TestQuickSet measures the quick set, with tiny files. The numbers are of no
// interest; that each of xftp's is there, was checked, and that nothing is left
// behind, is.
func TestQuickSet(t *testing.T) {
	lab.NeedVsftpd(t)
	dir := t.TempDir()
	program := buildXftp(t, dir)
	before := leftovers(t)
	chosen, err := choose("", true)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out", "results.json")
	o := options{
		program: program, out: out, rounds: 1, mtu: 1500, bytes: 2e6, quick: true,
		timeout: 5 * time.Minute, caseLimit: 10 * time.Minute, limit: 30 * time.Minute,
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
			if (i == 0 || p.Name == itemised) && len(p.Counted()) != 1 {
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

func buildXftp(t *testing.T, dir string) string {
	t.Helper()
	program := filepath.Join(dir, "xftp")
	build := exec.Command("go", "build", "-o", program, "./cmd/xftp")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

// TestTLSRows measures the cases with TLS, with tiny files: all who run in them
// protect their data, as the server says.
func TestTLSRows(t *testing.T) {
	lab.NeedVsftpd(t)
	dir := t.TempDir()
	chosen, err := choose("T1,T1u", false)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "results.json")
	o := options{
		program: buildXftp(t, dir), out: out, rounds: 1, mtu: 1500, bytes: 2e6,
		timeout: 5 * time.Minute, caseLimit: 10 * time.Minute, limit: 30 * time.Minute,
	}
	if err := run(o, chosen); err != nil {
		t.Fatal(err)
	}
	f, err := record.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if f.Machine.Mode != "copy" {
		t.Errorf("xftp's mode is %s", f.Machine.Mode)
	}
	for _, c := range f.Cases {
		if c.Skipped != "" || c.Xftp() == nil {
			t.Errorf("%s: not measured: %s %s", c.Name, c.Skipped, c.Peers[0].LeftOut)
		}
		for _, p := range c.Peers {
			for _, r := range p.Counted() {
				checkRun(t, c, p, r)
				if want := "TLSv1.3 " + opensslCipher; r.TLS != want {
					t.Errorf("%s: %s has TLS %q, want %q", c.Name, p.Name, r.TLS, want)
				}
			}
			if p.LeftOut != "" && p.LeftOut != "not installed" {
				t.Errorf("%s: %s is left out: %s", c.Name, p.Name, p.LeftOut)
			}
		}
	}
}

// TestRealLink measures on an interface and against a server that the harness
// did not make: they are of a lab that it does not know of.
func TestRealLink(t *testing.T) {
	lab.NeedVsftpd(t)
	dir := t.TempDir()
	l := lab.ForTest(t, lab.Config{})
	s, err := l.Server.StartServer(t.Context(), lab.ServerConfig{Kind: lab.Vsftpd, Root: lab.RootDir(t)})
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "results.json")
	cmd := exec.Command("/proc/self/exe", "-xftp", buildXftp(t, dir), "-o", out, "-n", "1", "-bytes", "1000000", "-case", "D1,U1,S1,B,W1",
		"-iface", l.Client.Interface, "-address", l.Client.OwnIPv4.String(), "-url", s.URL(lab.UploadDir))
	cmd.Env = append(os.Environ(), commandEnv+"=1")
	said := new(strings.Builder)
	cmd.Stdout, cmd.Stderr = said, said
	if err := l.Client.Start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	f, err := record.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Cases {
		if c.Name == "W1" {
			if c.Skipped == "" {
				t.Error("W1 was measured without the lab's impairment")
			}
			continue
		}
		if c.Skipped != "" || !c.Link.Real {
			t.Errorf("%s: %+v, skipped: %s", c.Name, c.Link, c.Skipped)
		}
		for _, p := range c.Peers {
			if (p.LeftOut == "" || p.Name == itemised) && len(p.Counted()) != 1 {
				t.Errorf("%s: %s: %+v", c.Name, p.Name, p.Runs)
			}
		}
		if c.Xftp() == nil {
			t.Errorf("%s: xftp is left out: %s", c.Name, c.Peers[0].LeftOut)
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
	pid := strconv.Itoa(os.Getpid())
	var all []string
	for _, pattern := range []string{memory + "/xftp-bench-" + pid + "-*", "/run/netns/*-" + pid + "-*"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	return all
}
