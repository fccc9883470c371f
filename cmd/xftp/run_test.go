package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/seed-54eb6215/xftp/internal/leak"
)

// startXftp starts xftp outside of a script.
func startXftp(t *testing.T, stdout, stderr *os.File, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = []string{asXftp + "=1", "XFTP_NET=kernel", "XFTP_RETRIES=0", "HOME=" + cmd.Dir}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd
}

// serverWith starts a server that has one file.
func serverWith(t *testing.T, size int, faults ...string) *testServer {
	t.Helper()
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "file"), bytes.Repeat([]byte("data"), size/4), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := startServer(root, faults)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	return s
}

// The first signal ends also a write that blocks, as to a pager.
func TestSignalBlockedPipe(t *testing.T) {
	s := serverWith(t, 8<<20)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	full, err := unix.FcntlInt(w.Fd(), unix.F_GETPIPE_SZ, 0)
	if err != nil {
		t.Fatal(err)
	}
	cmd := startXftp(t, w, nil, "cat", s.url()+"/file")
	w.Close()
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for waiting := 0; waiting < full; <-poll.C {
		if waiting, err = unix.IoctlGetInt(int(r.Fd()), unix.TIOCINQ); err != nil {
			t.Fatal(err)
		}
	}
	cmd.Process.Signal(syscall.SIGINT)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
}

// Standard output that is a socket cannot be opened again, so that the first
// signal does not end a write that blocks. The second one ends xftp whatever
// it does.
func TestSecondSignal(t *testing.T) {
	s := serverWith(t, 8<<20)
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	r, w := os.NewFile(uintptr(ends[0]), "reader"), os.NewFile(uintptr(ends[1]), "writer")
	defer r.Close()
	cmd := startXftp(t, w, nil, "cat", s.url()+"/file")
	w.Close()
	if _, err := r.Read(make([]byte, 1)); err != nil { // it has begun to write
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	// How soon the first is taken note of is not told, so there may be more.
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		select {
		case <-again.C:
			cmd.Process.Signal(syscall.SIGTERM)
			continue
		case <-exited:
		}
		break
	}
	if code := cmd.ProcessState.ExitCode(); code != 143 {
		t.Errorf("exit code %d, want 143", code)
	}
}

// On a terminal there is a progress bar, which is gone at the end.
func TestProgress(t *testing.T) {
	s := serverWith(t, 8<<20, "stall=3000000")
	screen, terminal := openTerminal(t)
	stdout, err := os.Create(filepath.Join(t.TempDir(), "stdout"))
	if err != nil {
		t.Fatal(err)
	}
	defer stdout.Close()
	if err := os.WriteFile(filepath.Join(s.root, "second"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	startXftp(t, stdout, terminal, "get", s.url()+"/file", s.url()+"/second")
	terminal.Close()
	text := readScreen(screen, func(text string) {
		if strings.Contains(text, "total: 0 of 2 files") && strings.Contains(text, "MB/s") {
			s.goOn()
		}
	})
	for _, want := range []string{"file", "[", "=>", "total: 0 of 2 files", "MB/s", " over kernel sockets\r\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("the terminal did not show %q:\n%q", want, text)
		}
	}
	if info, err := stdout.Stat(); err != nil || info.Size() > 0 {
		t.Errorf("standard output has %d bytes (%v)", info.Size(), err)
	}
}

// openTerminal returns the two ends of a pseudo-terminal, 100 columns wide.
func openTerminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	// TIOCGPTPEER takes flags for open(2) as its argument.
	peer, _, errno := unix.Syscall(unix.SYS_IOCTL, master.Fd(), unix.TIOCGPTPEER, uintptr(unix.O_RDWR|unix.O_NOCTTY))
	if errno != 0 {
		t.Fatal(errno)
	}
	size := &unix.Winsize{Row: 24, Col: 100}
	if err := unix.IoctlSetWinsize(int(peer), unix.TIOCSWINSZ, size); err != nil {
		t.Fatal(err)
	}
	return master, os.NewFile(peer, "terminal")
}

// readScreen returns what a terminal has shown when xftp closes it, and tells
// what it has shown so far after each piece.
func readScreen(screen *os.File, shown func(text string)) string {
	var seen strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := screen.Read(buf) // EIO when xftp has closed its end
		seen.Write(buf[:n])
		if err != nil {
			return seen.String()
		}
		shown(seen.String())
	}
}

// run leaves no goroutine behind, whether it ends well or not.
func TestRunLeaksNothing(t *testing.T) {
	s := serverWith(t, 100_000)
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("XFTP_NET", "kernel")
	t.Setenv("XFTP_RETRIES", "0")
	before := goleak.IgnoreCurrent()
	for range 3 {
		for _, tt := range []struct {
			code int
			args []string
		}{
			{exitOK, []string{"get", "-q", s.url() + "/file", "-o", dir + "/"}},
			{exitOK, []string{"put", "-q", dir + "/file", s.url() + "/up"}},
			{exitTransfer, []string{"get", "-q", s.url() + "/missing", "-o", dir}},
			{exitTransfer, []string{"get", "-q", "ftp://127.0.0.1:1/file", "-o", dir}},
			{exitUsage, []string{"get", "nothing"}},
		} {
			if code := run(tt.args); code != tt.code {
				t.Errorf("xftp %v: exit code %d, want %d", tt.args, code, tt.code)
			}
		}
	}
	s.server.Stop()
	if err := leak.Find(before); err != nil {
		t.Error(err)
	}
}

// A thousand files are drawn in a few lines that stay where they are, and
// summed up in one.
func TestProgressTree(t *testing.T) {
	root := t.TempDir()
	if err := makeTree(filepath.Join(root, "d"), 1000, 100); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "d", "zz"), make([]byte, 3<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := startServer(root, []string{"stall=2000000"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	screen, terminal := openTerminal(t)
	cmd := startXftp(t, nil, terminal, "get", "-r", "--parallel", "3", s.url()+"/missing", s.url()+"/d/")
	terminal.Close()
	text := readScreen(screen, func(text string) {
		if strings.Contains(text, "zz") && strings.Contains(text, "total: 1000 of 1002 files") {
			s.goOn()
		}
	})
	cmd.Wait()
	// Each drawing begins by going back to the first line of the one before.
	drawings := strings.Split(text, "\x1b[J")
	for _, drawing := range drawings[:len(drawings)-1] {
		if n := strings.Count(drawing, "\r\n"); n > 3+1+2 { // the lines, the total, an error and its hint
			t.Errorf("a drawing of %d lines:\n%q", n, drawing)
		}
	}
	last := drawings[len(drawings)-1]
	if want := regexp.MustCompile(`^(xftp: .*\r\n)?(xftp: hint: .*\r\n)?1001 files, 3\.\d+ MB in .* s, .*/s over kernel sockets, 1 failed\r\n$`); !want.MatchString(last) {
		t.Errorf("at the end the terminal shows:\n%q", last)
	}
	if n := strings.Count(text, "/missing: 550 "); n != 1 {
		t.Errorf("the error stands there %d times", n)
	}
}

// A signal ends also the wait for standard input.
func TestSignalBlockedStdin(t *testing.T) {
	s := serverWith(t, 0)
	for _, part := range []string{".new.xftp-part", "new"} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		var stderr bytes.Buffer
		cmd := exec.Command(self, "put", "--inplace="+strconv.FormatBool(part == "new"), "-", s.url()+"/new")
		cmd.Env = []string{asXftp + "=1", "XFTP_NET=kernel", "XFTP_RETRIES=0", "HOME=" + t.TempDir()}
		cmd.Stdin, cmd.Stderr = r, &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		r.Close()
		if _, err := w.WriteString("some"); err != nil {
			t.Fatal(err)
		}
		poll := time.NewTicker(time.Millisecond)
		defer poll.Stop()
		for {
			if info, err := os.Stat(filepath.Join(s.root, part)); err == nil && info.Size() > 0 {
				break
			}
			<-poll.C
		}
		cmd.Process.Signal(syscall.SIGINT)
		cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 130 || strings.Contains(stderr.String(), "continue") {
			t.Errorf("exit code %d, want 130\n%s", code, &stderr)
		}
		if _, err := os.Stat(filepath.Join(s.root, "new")); part != "new" && err == nil {
			t.Error("half a file has its name")
		}
	}
}
