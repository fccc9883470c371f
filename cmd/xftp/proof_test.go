package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// sharedMemory makes a directory in memory, for files by the gigabyte.
func sharedMemory(t *testing.T) string {
	t.Helper()
	base := "/dev/shm"
	if _, err := os.Stat(base); err != nil {
		base = ""
	}
	dir, err := os.MkdirTemp(base, "xftp-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	// A server that gives up root for a user of its own reads here, too.
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// newLargeBench is a bench whose server's files lie in memory, with one of
// size bytes called "file".
func newLargeBench(t *testing.T, size int64) (*bench, [32]byte) {
	b := newBench(t, lab.Config{})
	b.root, b.dir = sharedMemory(t), sharedMemory(t)
	want := b.serve("file", size)
	var err error
	if b.ftp, err = b.lab.Server.StartServer(t.Context(), lab.ServerConfig{Root: b.root, Port: 2121}); err != nil {
		t.Fatal(err)
	}
	return b, want
}

// endless makes a file on the server of which there is always more to come: 1 TB
// of zeros, which take no room.
func (b *bench) endless(name string) {
	b.t.Helper()
	path := filepath.Join(b.root, name)
	if err := errors.Join(os.WriteFile(path, nil, 0o644), os.Truncate(path, 1e12)); err != nil {
		b.t.Fatal(err)
	}
}

// whileRunning calls look at intervals until r ends, and returns its exit code.
func whileRunning(t *testing.T, r *running, interval time.Duration, look func()) int {
	t.Helper()
	ended := make(chan int, 1)
	go func() { ended <- r.wait(t) }()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case code := <-ended:
			return code
		case <-tick.C:
			look()
		}
	}
}

// socketDomains counts the sockets of a process by their address family.
func socketDomains(t *testing.T, pid int) map[int]int {
	t.Helper()
	domains := make(map[int]int)
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return domains // it has ended
	}
	process, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return domains
	}
	defer unix.Close(process)
	for _, e := range entries {
		if target, err := os.Readlink(filepath.Join(dir, e.Name())); err != nil || !strings.HasPrefix(target, "socket:") {
			continue
		}
		number, err := strconv.Atoi(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		fd, err := unix.PidfdGetfd(process, number, 0)
		if err != nil {
			continue // closed since
		}
		domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
		unix.Close(fd)
		if err != nil {
			t.Fatal(err)
		}
		domains[domain]++
	}
	return domains
}

// TestXDPBypass looks at the sockets of xftp while it transfers: none is of
// the kernel's IPv4 or IPv6, and the kernel's TCP does not move. The same look
// at --net kernel finds some.
func TestXDPBypass(t *testing.T) {
	b, want := newLargeBench(t, 200e6)
	b.endless("endless")
	for _, network := range []string{"xdp", "kernel"} {
		t.Run(network, func(t *testing.T) {
			b.t = t
			before, err := b.lab.Client.TCP()
			if err != nil {
				t.Fatal(err)
			}
			r := b.start("get", b.ftp.URL("endless"), "--net", network, "-o", network+"-endless")
			b.awaitPart(network+"-endless", 0)
			seen := socketDomains(t, r.Process.Pid)
			if err := r.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if code := r.wait(t); code != 143 {
				t.Fatalf("exit code %d\n%s", code, r.stderr.String())
			}
			r = b.start("get", b.ftp.URL("file"), "--net", network, "-o", network)
			if code := r.wait(t); code != 0 {
				t.Fatalf("exit code %d\n%s", code, r.stderr.String())
			}
			b.expect(filepath.Join(b.dir, network), want)
			after, err := b.lab.Client.TCP()
			if err != nil {
				t.Fatal(err)
			}
			kernel := seen[unix.AF_INET] + seen[unix.AF_INET6]
			segments, opens := after.InSegs-before.InSegs, after.ActiveOpens-before.ActiveOpens
			t.Logf("during the transfer: %d sockets of AF_XDP, %d of AF_INET and AF_INET6; the kernel received %d TCP segments and opened %d connections",
				seen[unix.AF_XDP], kernel, segments, opens)
			switch network {
			case "xdp":
				if kernel != 0 || seen[unix.AF_XDP] != 1 || segments != 0 || opens != 0 {
					t.Error("the transfer did not bypass the kernel")
				}
			case "kernel":
				if kernel == 0 || segments == 0 || opens == 0 {
					t.Error("this test does not see the kernel's sockets")
				}
			}
		})
	}
}

// TestXDPKill ends xftp with SIGKILL in the midst of a transfer, again and
// again. Each time the program is gone, the kernel's own traffic on the
// interface works, and the next xftp starts at once.
func TestXDPKill(t *testing.T) {
	b, small := newLargeBench(t, 100_000)
	b.endless("endless")
	for i := range 50 {
		r := b.start("get", b.ftp.URL("endless"), "-o", "/dev/null")
		awaitProgram(t, b)
		// Anywhere from the first frame on.
		time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond)
		if err := r.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = r.Wait()
		if code := r.ProcessState.Sys().(syscall.WaitStatus); !code.Signaled() {
			t.Fatalf("round %d: ended by itself\n%s", i, r.stderr.String())
		}
		b.noProgram()
		greet(t, b)
		b.ok("get", b.ftp.URL("file"))
		b.expect(filepath.Join(b.dir, "file"), small)
		if t.Failed() {
			t.Fatalf("round %d", i)
		}
	}
}

// awaitProgram waits until a program is on the client's interface.
func awaitProgram(t *testing.T, b *bench) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		ids, err := b.lab.Client.XDPPrograms()
		if err != nil || t.Context().Err() != nil {
			t.Fatal(err, t.Context().Err())
		}
		if len(ids) > 0 {
			return
		}
	}
}

// greet makes a connection of the kernel's to the FTP server and reads its
// greeting.
func greet(t *testing.T, b *bench) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, err := b.lab.Client.DialContext(ctx, "tcp", b.ftp.Addr(false).String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	greeting := make([]byte, 4)
	if _, err := io.ReadFull(c, greeting); err != nil || string(greeting) != "220 " && string(greeting) != "220-" {
		t.Fatalf("greeting %q (%v)", greeting, err)
	}
}
