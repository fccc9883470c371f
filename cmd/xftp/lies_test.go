package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
	"github.com/seed-54eb6215/xftp/internal/lab"
)

// A lieRun is one xftp that a lie is told.
type lieRun struct {
	lie    ftptest.Lie
	scheme string // of the URL
	verify string // of --verify
	args   []string

	// place, if positive, is where its URL is among others of the same site, counted
	// from 1.
	place int
}

// beside holds the files at those URLs. They are as long as the one that the lie is
// about, so that only their bytes tell them apart.
var beside = sync.OnceValue(func() map[string][]byte {
	files := make(map[string][]byte)
	for i := range byte(2) {
		b := make([]byte, len(ftptest.LieContent()))
		rand.NewChaCha8([32]byte{4, i}).Read(b)
		files[fmt.Sprintf("beside%d.bin", i)] = b
	}
	return files
})

func (r lieRun) String() string {
	words := append([]string{r.lie.Name, r.scheme, r.verify}, r.args...)
	if r.place > 0 {
		words = append(words, fmt.Sprint("at ", r.place))
	}
	return strings.Join(words, " ")
}

// A lieEnd is what became of it.
type lieEnd struct {
	code    int
	allCode int      // that of xftp, where code is what it would be for this file alone
	report  transfer // zero if there is none
	stdout  string
	stderr  string
	file    []byte // under the final name, where the file has gone to; nil if there is none

	beside map[string]lieEnd // the same of the others, by name
}

// uploaded is the name that uploads get.
const uploaded = "up.bin"

// uploadContent is what is uploaded: as much as is downloaded, but not that.
var uploadContent = sync.OnceValue(func() []byte {
	b := make([]byte, len(ftptest.LieContent()))
	rand.NewChaCha8([32]byte{3}).Read(b)
	return b
})

// arguments returns the command line for a server at address. Uploads come from
// a file in dir, where downloads go to. Nothing is tried again, which is shorter.
func (r lieRun) arguments(dir, address string) ([]string, error) {
	args := append([]string{"--json", "--retries", "0", "--verify", r.verify}, r.args...)
	url := r.scheme + "://" + address + "/"
	if r.lie.Direction == ftptest.Download {
		var urls []string
		if r.place > 0 {
			for _, name := range slices.Sorted(maps.Keys(beside())) {
				urls = append(urls, url+name)
			}
			urls = slices.Insert(urls, r.place-1, url+ftptest.LieFile)
		} else {
			urls = []string{url + ftptest.LieFile}
		}
		return append(append([]string{"get"}, urls...), args...), nil
	}
	source := filepath.Join(dir, uploaded)
	return append([]string{"put", source, url}, args...), os.WriteFile(source, uploadContent(), 0o600)
}

// judge finds what is wrong with the end of a run.
func (r lieRun) judge(end lieEnd) error {
	want := ftptest.LieContent()
	if r.lie.Direction == ftptest.Upload {
		want = uploadContent()
	}
	good := end.code == exitOK
	warnings := strings.Count(end.stderr, "xftp: warning: ")
	unverified := end.report.Verified == "none"
	switch {
	case !good && end.code != exitTransfer:
		return fmt.Errorf("exit code %d", end.code)
	case good != (end.report.Error == nil) || end.report.URL == "":
		return fmt.Errorf("exit code %d, reported as %+v", end.code, end.report)
	case !good && end.file != nil:
		return fmt.Errorf("%d bytes under the final name after a failure", len(end.file))
	case !good && (!unverified || !strings.HasPrefix(end.stderr, "xftp: ")):
		return fmt.Errorf("a failure is reported as %+v", end.report)
	case good && r.verify == "size" && unverified, good && r.verify == "hash" && end.report.Verified != "hash":
		return fmt.Errorf("success, verified by %s", end.report.Verified)
	case good && r.verify == "auto" && (warnings == 1) != (unverified || r.lie.TLS) || warnings > 1:
		return fmt.Errorf("%d warnings, verified by %s", warnings, end.report.Verified)
	}
	switch r.lie.Truth {
	case ftptest.Honest:
		if good != r.possible() {
			return fmt.Errorf("exit code %d of an honest server", end.code)
		}
	case ftptest.Detectable:
		if good {
			return fmt.Errorf("success, verified by %s", end.report.Verified)
		}
	case ftptest.HashOnly:
		if r.verify != "hash" {
			return nil // who does not ask cannot know
		}
	case ftptest.Unprovable:
		if unverified {
			return nil // nobody can know, and that is said
		}
	}
	if good && !bytes.Equal(end.file, want) {
		return fmt.Errorf("a false success: %d bytes, verified by %s", len(end.file), end.report.Verified)
	}
	return nil
}

// judgeBeside finds what is wrong with the ends of the others.
func (r lieRun) judgeBeside(end lieEnd) error {
	if r.place == 0 {
		return nil
	}
	failed := end.report.Error != nil
	for name, other := range end.beside {
		good := other.report.Error == nil
		failed = failed || !good
		switch lines := strings.Count(other.stderr, "xftp: get "); {
		case other.report.URL == "":
			return fmt.Errorf("%s is not reported", name)
		case good && !bytes.Equal(other.file, beside()[name]):
			return fmt.Errorf("a false success: %s, %d bytes", name, len(other.file))
		case !good && other.file != nil:
			return fmt.Errorf("%s: %d bytes under the final name after a failure", name, len(other.file))
		case !good && lines != 1, good && lines != 0:
			return fmt.Errorf("%s: %d errors", name, lines)
		case !good && !r.lie.Everywhere && r.possible():
			return fmt.Errorf("%s has failed, too", name)
		}
	}
	if all := end.allCode == exitOK; all == failed || !all && end.allCode != exitTransfer {
		return fmt.Errorf("exit code %d of all", end.allCode)
	}
	return nil
}

// possible says whether what --verify demands can be had of an honest server.
func (r lieRun) possible() bool {
	switch r.verify {
	case "size":
		return !r.lie.Unsized
	case "hash":
		return false // no honest one has it
	default:
		return true
	}
}

// lieRuns is the whole matrix.
func lieRuns() []lieRun {
	var runs []lieRun
	for _, lie := range ftptest.Lies() {
		for _, scheme := range []string{"ftp", "ftpes", "ftps"} {
			if lie.TLS && scheme == "ftp" {
				continue // in clear there is no such end
			}
			runs = append(runs, lieRun{lie: lie, scheme: scheme, verify: "auto"})
			if scheme != "ftps" {
				runs = append(runs, lieRun{lie: lie, scheme: scheme, verify: "size"}, lieRun{lie: lie, scheme: scheme, verify: "hash"})
			}
		}
		if !lie.TLS {
			runs = append(runs, lieRun{lie: lie, scheme: "ftp", verify: "auto", args: []string{"-c"}})
		}
		for place := range len(beside()) + 1 {
			r := lieRun{lie: lie, scheme: "ftp", verify: "auto", place: 1 + place}
			if lie.TLS {
				r.scheme = "ftpes"
			}
			if lie.Direction == ftptest.Download {
				runs = append(runs, r)
			}
		}
	}
	return runs
}

// A liesHost is where lies are told, to one xftp at a time or to many.
type liesHost struct {
	address string // to listen at
	net     ftptest.Net
	start   func(*exec.Cmd) error // starts xftp
	env     []string              // for xftp
}

// Whatever a server does, over kernel sockets: xftp reports as done what is
// done.
func TestLies(t *testing.T) {
	host := &liesHost{address: "127.0.0.1:0", net: &ftptest.Kernel{}, start: (*exec.Cmd).Start, env: []string{"XFTP_NET=kernel"}}
	// Most of the time they wait, for a server that says nothing.
	var hosts []*liesHost
	for range 16 {
		hosts = append(hosts, host)
	}
	tellAll(t, lieRuns(), hosts, net.IPv4(127, 0, 0, 1))
}

// The same over AF_XDP. A queue serves one xftp at a time, so that there are
// several labs.
func TestXDPLies(t *testing.T) {
	lab.NeedRoot(t)
	var hosts []*liesHost
	var address net.IP
	for range 4 {
		l, err := lab.New(t.Context(), lab.Config{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
		address = net.IP(l.Server.IPv4.Addr().AsSlice())
		hosts = append(hosts, &liesHost{
			address: net.JoinHostPort(address.String(), "0"), net: l.Server, start: l.Client.Start,
			env: []string{"XFTP_IFACE=" + l.Client.Interface, "XFTP_ADDRESS=" + l.Client.OwnIPv4.String()},
		})
	}
	var runs []lieRun
	for _, r := range lieRuns() {
		if r.verify == "auto" && r.args == nil && r.scheme != "ftps" { // also those among others
			runs = append(runs, r)
		}
	}
	tellAll(t, runs, hosts, address)
}

// tellAll tells all lies, on each host one after the other. The servers have a
// certificate for address.
func tellAll(t *testing.T, runs []lieRun, hosts []*liesHost, address net.IP) {
	cert, err := makeCertificate("", address)
	if err != nil {
		t.Fatal(err)
	}
	todo := make(chan lieRun, len(runs))
	for _, r := range runs {
		todo <- r
	}
	close(todo)
	var wg sync.WaitGroup
	for _, host := range hosts {
		wg.Go(func() {
			for r := range todo {
				end, err := r.tell(t, host, cert)
				if err == nil {
					err = errors.Join(r.judge(end), r.judgeBeside(end))
				}
				if err != nil {
					t.Errorf("%v: %v\n%s%s", r, err, end.stdout, end.stderr)
				}
			}
		})
	}
	wg.Wait()
}

// tell runs xftp against a server of this process.
func (r lieRun) tell(t *testing.T, host *liesHost, cert tls.Certificate) (end lieEnd, err error) {
	ln, err := host.net.Listen(t.Context(), "tcp", host.address)
	if err != nil {
		return end, err
	}
	opts := &ftptest.LieOptions{Implicit: r.scheme == "ftps", Pause: 50 * time.Millisecond}
	if r.place > 0 {
		opts.Beside = beside()
	}
	if r.scheme != "ftp" {
		opts.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	}
	server := r.lie.Serve(ln, host.net, opts)
	defer server.Close()
	dir := t.TempDir()
	args, err := r.arguments(dir, ln.Addr().String())
	if err != nil {
		return end, err
	}
	self, err := os.Executable()
	if err != nil {
		return end, err
	}
	timeout := "10m" // which no transfer takes that is not stuck
	if r.lie.Silent {
		timeout = "3s"
	}
	cmd := exec.CommandContext(t.Context(), self, append(args, "--timeout", timeout)...)
	cmd.Dir = dir
	cmd.Env = append([]string{asXftp + "=1", "HOME=" + dir, "XFTP_CACERT=" + filepath.Join(dir, "server.pem")}, host.env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := errors.Join(writeCertificate(dir, "server", cert), host.start(cmd)); err != nil {
		return end, err
	}
	_ = cmd.Wait() // the exit code is what counts
	end = lieEnd{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
	if r.place > 0 {
		return r.sort(dir, end)
	}
	_ = json.Unmarshal(stdout.Bytes(), &end.report) // what is missing is seen by judge
	if r.lie.Direction == ftptest.Upload {
		end.file = server.Files()[uploaded]
		return end, nil
	}
	end.file, err = os.ReadFile(filepath.Join(dir, ftptest.LieFile))
	if os.IsNotExist(err) {
		err = nil
	}
	return end, err
}

// sort tells the ends of several files apart.
func (r lieRun) sort(dir string, all lieEnd) (end lieEnd, err error) {
	ends := make(map[string]lieEnd)
	for _, name := range append(slices.Sorted(maps.Keys(beside())), ftptest.LieFile) {
		end := lieEnd{code: exitTransfer, allCode: all.code}
		for line := range strings.Lines(all.stdout) {
			var report transfer
			if json.Unmarshal([]byte(line), &report) == nil && report.Path == name {
				end.report = report
				end.stdout += line
			}
		}
		if end.report.URL != "" && end.report.Error == nil {
			end.code = exitOK
		}
		for line := range strings.Lines(all.stderr) {
			if strings.Contains(line, "/"+name+":") {
				end.stderr += line
			}
		}
		end.file, err = os.ReadFile(filepath.Join(dir, name))
		if err != nil && !os.IsNotExist(err) {
			return end, err
		}
		ends[name] = end
	}
	end = ends[ftptest.LieFile]
	delete(ends, ftptest.LieFile)
	end.beside = ends
	return end, nil
}
