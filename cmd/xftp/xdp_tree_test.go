package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/internal/lab"
	"golang.org/x/sys/unix"
)

// eachServer runs a test against the embedded server, which has MLSD, and
// vsftpd, which has only LIST.
func eachServer(t *testing.T, test func(*testing.T, *bench)) {
	t.Run("embedded", func(t *testing.T) { test(t, newBench(t, lab.Config{})) })
	t.Run("vsftpd", func(t *testing.T) {
		b := newBench(t, lab.Config{})
		lab.NeedVsftpd(t)
		var err error
		b.ftp, err = b.lab.Server.StartServer(t.Context(), lab.ServerConfig{Kind: lab.Vsftpd, Root: b.root, Port: 2121})
		if err != nil {
			t.Fatal(err)
		}
		test(t, b)
	})
}

// all runs xftp, which must end well, and returns what --json printed.
func (b *bench) all(args ...string) []transfer {
	b.t.Helper()
	r := b.start(append(args, "--json")...)
	if code := r.wait(b.t); code != 0 {
		b.t.Fatalf("xftp %s: exit code %d\n%s", strings.Join(args, " "), code, r.stderr.String())
	}
	var reports []transfer
	for line := range bytes.Lines(r.stdout.Bytes()) {
		var report transfer
		if err := json.Unmarshal(line, &report); err != nil {
			b.t.Fatalf("xftp %s: %v in %q", strings.Join(args, " "), err, line)
		}
		reports = append(reports, report)
	}
	return reports
}

// A tree comes over AF_XDP with the same names and bytes, over one connection
// and over several, with a large file in it in segments.
func TestXDPTree(t *testing.T) {
	eachServer(t, func(t *testing.T, b *bench) {
		if err := makeTree(filepath.Join(b.root, "d"), 200, 4096); err != nil {
			t.Fatal(err)
		}
		b.serve("d/large", 30_000_000)
		if err := os.Symlink("large", filepath.Join(b.root, "d", "link")); err != nil {
			t.Fatal(err)
		}
		want, err := hashTree(filepath.Join(b.root, "d"))
		if err != nil {
			t.Fatal(err)
		}
		want["/link"] = want["/large"] // what it leads to comes
		before, err := b.lab.Client.TCP()
		if err != nil {
			t.Fatal(err)
		}
		for name, args := range map[string][]string{
			"one":      nil,
			"four":     {"--parallel", "4"},
			"segments": {"--parallel", "2", "-n", "4"},
		} {
			reports := b.all(append([]string{"get", "-r", b.ftp.URL("d/"), "-o", name}, args...)...)
			got, err := hashTree(filepath.Join(b.dir, name))
			if err != nil || !maps.Equal(got, want) {
				t.Errorf("%s: the tree has %d names, want %d (%v)", name, len(got), len(want), err)
			}
			if len(reports) != 202 {
				t.Errorf("%s: %d reports", name, len(reports))
			}
			for _, r := range reports {
				most := 1
				if name == "segments" && r.Bytes > 1_000_000 {
					most = 4 // if the first is not done before the last has logged in
				}
				if r.Net != "xdp" || r.Verified != "size" || r.Error != nil || r.Segments < 1 || r.Segments > most {
					t.Errorf("%s: %+v", name, r)
				}
			}
		}
		b.noProgram()
		after, err := b.lab.Client.TCP()
		if err != nil || after != before {
			t.Errorf("TCP of the client's kernel: %+v, before it was %+v (%v)", after, before, err)
		}
	})
}

// Killed in the middle of four segments, a download goes on with what is
// missing.
func TestXDPKilledSegments(t *testing.T) {
	eachServer(t, func(t *testing.T, b *bench) {
		const size = 60_000_000
		want := b.serve("file", size)
		part := filepath.Join(b.dir, ".file.xftp-part")
		r := b.start("get", "-n", "4", b.ftp.URL("file"), "--limit-rate", "1M") // a minute, of which it has some seconds
		poll := time.NewTicker(time.Millisecond)
		defer poll.Stop()
		for {
			<-poll.C
			var state partState
			text, err := os.ReadFile(part + ".json")
			// More than what comes again to be compared, of each of its pieces.
			if err == nil && json.Unmarshal(text, &state) == nil && state.Done.bytes() > 8*overlapLength {
				break
			}
			if _, err := os.Stat(filepath.Join(b.dir, "file")); err == nil || t.Context().Err() != nil {
				t.Fatal("it was done before it could be killed")
			}
		}
		if err := r.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if code := r.wait(t); code != -1 {
			t.Fatalf("exit code %d\n%s", code, r.stderr.String())
		}
		b.noProgram()
		report, stderr := b.said("get", "-c", "-n", "4", b.ftp.URL("file"))
		if report.Bytes >= size || report.Segments < 2 || strings.Contains(stderr, "again") {
			t.Errorf("it was continued as %+v\n%s", report, stderr)
		}
		b.expect(filepath.Join(b.dir, "file"), want)
	})
}

// A program with file capabilities has them until its path is open, and not
// while it talks to a server.
func TestXDPDropsCapabilities(t *testing.T) {
	b := newBench(t, lab.Config{})
	b.endless("file")
	program := filepath.Join(b.dir, "xftp")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, text)
	}
	// What setcap(8) writes for cap_net_admin,cap_net_raw,cap_bpf,cap_perfmon+ep, as
	// linux/capability.h has it (struct vfs_cap_data).
	caps := make([]byte, 20)
	binary.LittleEndian.PutUint32(caps, 0x02000001) // revision 2, effective
	binary.LittleEndian.PutUint32(caps[4:], 1<<unix.CAP_NET_ADMIN|1<<unix.CAP_NET_RAW)
	binary.LittleEndian.PutUint32(caps[12:], 1<<(unix.CAP_BPF-32)|1<<(unix.CAP_PERFMON-32))
	if err := unix.Setxattr(program, "security.capability", caps, 0); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{b.dir, filepath.Dir(b.dir)} {
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	b.program = program
	b.credential = &syscall.Credential{Uid: 12345, Gid: 12345}
	r := b.start("get", b.ftp.URL("file"), "-v")
	part := filepath.Join(b.dir, ".file.xftp-part")
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for {
		<-poll.C
		if info, err := os.Stat(part); err == nil && info.Size() > 0 {
			break
		}
		if state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", r.Process.Pid)); err != nil || bytes.Contains(state, []byte(") Z ")) {
			t.Fatalf("exit code %d\n%s", r.wait(t), r.stderr.String())
		}
	}
	threads, err := filepath.Glob("/proc/" + strconv.Itoa(r.Process.Pid) + "/task/*/status")
	if err != nil || len(threads) == 0 {
		t.Errorf("no threads (%v)", err)
	}
	for _, path := range threads {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		for _, set := range []string{"CapPrm", "CapEff", "CapInh", "CapAmb"} {
			if !bytes.Contains(text, []byte(set+":\t0000000000000000\n")) {
				t.Errorf("%s has capabilities:\n%s", path, text)
				break
			}
		}
	}
	r.Process.Signal(syscall.SIGTERM)
	if code := r.wait(t); code != 143 {
		t.Errorf("exit code %d\n%s", code, r.stderr.String())
	}
	b.noProgram()
}
