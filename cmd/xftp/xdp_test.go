package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// asXftp in the environment makes the test binary the real program.
const asXftp = "XFTP_TEST_AS_XFTP"

// A bench is a lab with an FTP server, and a way to run xftp on its client.
type bench struct {
	t    *testing.T
	lab  *lab.Lab
	ftp  *lab.Server
	root string // what the server serves
	dir  string // where xftp runs
	env  []string

	program    string              // path of xftp
	credential *syscall.Credential // that xftp runs with; nil = this process's
}

func newBench(t *testing.T, cfg lab.Config) *bench {
	t.Helper()
	lab.NeedRoot(t)
	l, err := lab.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	b := &bench{t: t, lab: l, root: t.TempDir(), dir: t.TempDir()}
	if b.program, err = os.Executable(); err != nil {
		t.Fatal(err)
	}
	if b.ftp, err = l.Server.StartServer(t.Context(), lab.ServerConfig{Root: b.root}); err != nil {
		t.Fatal(err)
	}
	return b
}

// A running is an xftp that is running.
type running struct {
	*exec.Cmd
	stdout, stderr bytes.Buffer
}

// start starts xftp on the client, over AF_XDP with both own addresses unless
// args say otherwise.
func (b *bench) start(args ...string) *running {
	b.t.Helper()
	client := b.lab.Client
	r := &running{Cmd: exec.Command(b.program, args...)}
	r.Dir = b.dir
	r.Env = append([]string{asXftp + "=1", "XFTP_RETRIES=0", "PATH=" + os.Getenv("PATH"), "HOME=" + b.dir,
		"XFTP_IFACE=" + client.Interface, "XFTP_ADDRESS=" + client.OwnIPv4.String() + "," + client.OwnIPv6.String()}, b.env...)
	if b.credential != nil {
		r.SysProcAttr = &syscall.SysProcAttr{Credential: b.credential}
	}
	r.Stdout, r.Stderr = &r.stdout, &r.stderr
	if err := client.Start(r.Cmd); err != nil {
		b.t.Fatal(err)
	}
	return r
}

// wait returns the exit code.
func (r *running) wait(t *testing.T) int {
	t.Helper()
	err := r.Wait()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return 0
}

// ok runs xftp, which must end well, and returns what --json printed.
func (b *bench) ok(args ...string) transfer {
	b.t.Helper()
	report, _ := b.said(args...)
	return report
}

// said is ok, and also returns what was printed on standard error.
func (b *bench) said(args ...string) (report transfer, stderr string) {
	b.t.Helper()
	r := b.start(append(args, "--json")...)
	if code := r.wait(b.t); code != 0 {
		b.t.Fatalf("xftp %s: exit code %d\n%s", strings.Join(args, " "), code, r.stderr.String())
	}
	if err := json.Unmarshal(r.stdout.Bytes(), &report); err != nil {
		b.t.Fatalf("xftp %s: %v in %q", strings.Join(args, " "), err, r.stdout.String())
	}
	return report, r.stderr.String()
}

// serve makes a file on the server and returns its hash.
func (b *bench) serve(name string, size int64) [32]byte {
	b.t.Helper()
	f, err := os.Create(filepath.Join(b.root, name))
	if err != nil {
		b.t.Fatal(err)
	}
	h := sha256.New()
	_, err = io.CopyN(io.MultiWriter(f, h), rand.NewChaCha8([32]byte{1}), size)
	if err := errors.Join(err, f.Close()); err != nil {
		b.t.Fatal(err)
	}
	return [32]byte(h.Sum(nil))
}

func (b *bench) expect(path string, want [32]byte) {
	b.t.Helper()
	got, err := hashFile(b.t.Context(), path)
	if err != nil || got != want {
		b.t.Errorf("%s: SHA-256 %x (%v), want %x", path, got, err, want)
	}
}

// A file goes to and fro over AF_XDP, in every way of making a data
// connection, and the kernel's TCP does not move.
func TestXDPTransfer(t *testing.T) {
	b := newBench(t, lab.Config{})
	const size = 20_000_000
	want := b.serve("file", size)
	before, err := b.lab.Client.TCP()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		url  func(string) string
		args []string
	}{
		{"passive4", b.ftp.URL, nil},
		{"active4", b.ftp.URL, []string{"--active"}},
		{"passive6", b.ftp.URL6, nil},
		{"active6", b.ftp.URL6, []string{"--active"}},
		{"generic", b.ftp.URL, []string{"--xdp-mode", "generic"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b.t = t
			got := b.ok(append([]string{"get", tt.url("file"), "-o", tt.name}, tt.args...)...)
			mode := "copy" // veth has no zero-copy
			if tt.name == "generic" {
				mode = "generic"
			}
			if got.Bytes != size || got.Net != "xdp" || got.Mode != mode || got.Verified != "size" || got.Error != nil {
				t.Errorf("report: %+v", got)
			}
			b.expect(filepath.Join(b.dir, tt.name), want)
			b.ok(append([]string{"put", tt.name, tt.url("")}, tt.args...)...)
			b.expect(filepath.Join(b.root, tt.name), want)
		})
	}
	b.t = t
	after, err := b.lab.Client.TCP()
	if err != nil {
		t.Fatal(err)
	}
	if after != before {
		t.Errorf("TCP of the client's kernel: %+v, before it was %+v", after, before)
	}
}

// Through sudo the path is opened by root, and the file belongs to the caller.
func TestXDPSudo(t *testing.T) {
	b := newBench(t, lab.Config{})
	want := b.serve("file", 1_000_000)
	// t.TempDir is for this user alone.
	for _, dir := range []string{b.dir, filepath.Dir(b.dir)} {
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	b.env = []string{"SUDO_UID=12345", "SUDO_GID=12346"}
	b.ok("get", b.ftp.URL("file"))
	path := filepath.Join(b.dir, "file")
	b.expect(path, want)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if st := info.Sys().(*syscall.Stat_t); st.Uid != 12345 || st.Gid != 12346 {
		t.Errorf("the file belongs to %d:%d", st.Uid, st.Gid)
	}
	b.noProgram()
}

// SIGTERM in the middle keeps the part, takes the program off the interface,
// and -c goes on.
func TestXDPContinue(t *testing.T) {
	b := newBench(t, lab.Config{})
	const size = 60_000_000
	want := b.serve("file", size)
	r := b.start("get", b.ftp.URL("file"), "--limit-rate", "1M") // a minute, of which it has one second
	part := filepath.Join(b.dir, ".file.xftp-part")
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for {
		<-poll.C
		// More than what comes again to be compared.
		if info, err := os.Stat(part); err == nil && info.Size() > 1<<20 {
			break
		}
		if t.Context().Err() != nil {
			t.Fatal("no part")
		}
	}
	if err := r.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := r.wait(t); code != 143 || !strings.Contains(r.stderr.String(), "\nxftp: hint: continue with: xftp get -c --limit-rate 1000000 "+b.ftp.URL("file")+"\n") {
		t.Fatalf("exit code %d\n%s", code, r.stderr.String())
	}
	b.noProgram()
	report := b.ok("get", "-c", b.ftp.URL("file"))
	if report.Bytes >= size {
		t.Errorf("all %d bytes came again", report.Bytes)
	}
	b.expect(filepath.Join(b.dir, "file"), want)
}

// noProgram checks that no XDP program is on the client's interface.
func (b *bench) noProgram() {
	b.t.Helper()
	ids, err := b.lab.Client.XDPPrograms()
	if err != nil || len(ids) > 0 {
		b.t.Errorf("XDP programs on the interface: %v (%v)", ids, err)
	}
}

// A directory that is not there is an error, also where the server lists it
// as if it were empty.
func TestListVsftpd(t *testing.T) {
	b := newBench(t, lab.Config{})
	lab.NeedVsftpd(t)
	ftp, err := b.lab.Server.StartServer(t.Context(), lab.ServerConfig{Kind: lab.Vsftpd, Root: b.root, Port: 2121})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(b.root, "dir", "empty"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args   []string
		code   int
		stdout string
	}{
		{[]string{"ls", ftp.URL("dir")}, exitOK, "empty\n"},
		{[]string{"ls", ftp.URL("dir/empty")}, exitOK, ""},
		{[]string{"ls", "-l", ftp.URL("dir/empty/")}, exitOK, ""},
		{[]string{"ls", ftp.URL("missing")}, exitTransfer, ""},
		{[]string{"ls", "-l", ftp.URL("missing")}, exitTransfer, ""},
	} {
		r := b.start(tt.args...)
		if code := r.wait(t); code != tt.code || r.stdout.String() != tt.stdout {
			t.Errorf("xftp %v: exit code %d, want %d\n%s%s", tt.args, code, tt.code, r.stdout.String(), r.stderr.String())
		}
	}
}

// The limit holds over AF_XDP, too: nothing can make this faster.
func TestXDPLimit(t *testing.T) {
	b := newBench(t, lab.Config{})
	const size, perSecond = 200_000, 400_000
	want := b.serve("file", size)
	limited := func(args ...string) {
		t.Helper()
		report := b.ok(append(args, "--limit-rate", strconv.Itoa(perSecond))...)
		if least := float64(size)/perSecond - 0.06; report.Seconds < least {
			t.Errorf("%v: %v s, which is less than %v", args, report.Seconds, least)
		}
	}
	limited("get", b.ftp.URL("file"), "-o", "copy")
	b.expect(filepath.Join(b.dir, "copy"), want)
	limited("put", "copy", b.ftp.URL("up"))
	b.expect(filepath.Join(b.root, "up"), want)
}
