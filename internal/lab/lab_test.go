package lab_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// move sends size bytes over a kernel connection from the client to addr,
// which is one of the server's, and compares hashes.
func move(t *testing.T, l *lab.Lab, addr netip.Addr, size int64) {
	t.Helper()
	ln, err := l.Server.Listen(t.Context(), "tcp", netip.AddrPortFrom(addr, 0).String())
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	type result struct {
		sum [sha256.Size]byte
		err error
	}
	received := make(chan result, 1)
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			received <- result{err: err}
			return
		}
		defer conn.Close()
		h := sha256.New()
		_, err = io.Copy(h, conn)
		received <- result{[sha256.Size]byte(h.Sum(nil)), err}
	}()
	conn, err := l.Client.DialContext(t.Context(), "tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	src := io.LimitReader(rand.NewChaCha8([32]byte{}), size)
	if _, err := io.Copy(io.MultiWriter(conn, h), src); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	got := <-received
	if got.err != nil {
		t.Fatal(got.err)
	}
	if want := [sha256.Size]byte(h.Sum(nil)); got.sum != want {
		t.Errorf("received %x, sent %x", got.sum, want)
	}
}

func TestHostsReachEachOther(t *testing.T) {
	l := lab.ForTest(t, lab.Config{})
	before, err := l.Client.TCP()
	if err != nil {
		t.Fatal(err)
	}
	for _, addr := range []netip.Addr{l.Server.IPv4.Addr(), l.Server.IPv6.Addr()} {
		move(t, l, addr, 1<<20)
	}
	after, err := l.Client.TCP()
	if err != nil {
		t.Fatal(err)
	}
	if n := after.ActiveOpens - before.ActiveOpens; n != 2 {
		t.Errorf("the client's kernel counted %d opens, want 2", n)
	}
	if n := after.OutSegs - before.OutSegs; n < 2<<20/1500 {
		t.Errorf("the client's kernel sent %d segments for 2 MiB", n)
	}
	server, err := l.Server.TCP()
	if err != nil {
		t.Fatal(err)
	}
	if server.PassiveOpens != 2 {
		t.Errorf("the server's kernel accepted %d connections, want 2", server.PassiveOpens)
	}
}

func TestLoopbackIsUp(t *testing.T) {
	l := lab.ForTest(t, lab.Config{})
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		ln, err := l.Server.Listen(t.Context(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := l.Server.DialContext(t.Context(), "tcp", ln.Addr().String())
		if err != nil {
			t.Error(err)
		} else {
			conn.Close()
		}
		ln.Close()
	}
}

func TestLabsRunSideBySide(t *testing.T) {
	lab.NeedRoot(t)
	var wg sync.WaitGroup
	for range 3 {
		l := lab.ForTest(t, lab.Config{})
		wg.Go(func() { move(t, l, l.Server.IPv4.Addr(), 1<<20) })
	}
	wg.Wait()
}

func TestMTU(t *testing.T) {
	l := lab.ForTest(t, lab.Config{MTU: 3498})
	for _, h := range []*lab.Host{l.Client, l.Server} {
		if got := iface(t, h).MTU; got != 3498 {
			t.Errorf("%s has MTU %d, want 3498", h.Name, got)
		}
	}
	if err := l.Client.SetMTU(1400); err != nil {
		t.Fatal(err)
	}
	if got := iface(t, l.Client).MTU; got != 1400 {
		t.Errorf("MTU is %d after SetMTU(1400)", got)
	}
}

func TestSetLinkKeepsAddresses(t *testing.T) {
	l := lab.ForTest(t, lab.Config{})
	if err := l.Client.SetLink(false); err != nil {
		t.Fatal(err)
	}
	if iface(t, l.Client).Flags&net.FlagUp != 0 {
		t.Error("interface is up after SetLink(false)")
	}
	if err := l.Client.SetLink(true); err != nil {
		t.Fatal(err)
	}
	for _, h := range []*lab.Host{l.Client, l.Server} {
		if err := h.AwaitCarrier(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	move(t, l, l.Server.IPv4.Addr(), 1<<16)
	move(t, l, l.Server.IPv6.Addr(), 1<<16)
}

func TestHostDescribesItself(t *testing.T) {
	l := lab.ForTest(t, lab.Config{})
	for _, h := range []*lab.Host{l.Client, l.Server} {
		i := iface(t, h)
		if i.Index != h.Index || i.HardwareAddr.String() != h.MAC.String() {
			t.Errorf("%s: index %d, address %v; the interface has %d, %v", h.Name, h.Index, h.MAC, i.Index, i.HardwareAddr)
		}
		if h.OwnIPv4.Masked() != h.IPv4.Masked() || h.OwnIPv6.Masked() != h.IPv6.Masked() {
			t.Errorf("%s: own addresses %v, %v are not of its subnets %v, %v", h.Name, h.OwnIPv4, h.OwnIPv6, h.IPv4, h.IPv6)
		}
		if ids, err := h.XDPPrograms(); err != nil || len(ids) != 0 {
			t.Errorf("%s: XDP programs %v, %v; want none", h.Name, ids, err)
		}
	}
}

// TestDoLeavesTheCallerAlone also from the main thread, which is the first
// to be tried.
func TestDoLeavesTheCallerAlone(t *testing.T) {
	l := lab.ForTest(t, lab.Config{})
	before, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	inside := ""
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			err := l.Client.Do(func() (err error) {
				_, err = os.Readlink("/proc/thread-self/ns/net")
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	err = l.Client.Do(func() (err error) {
		inside, err = os.Readlink("/proc/thread-self/ns/net")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if inside == before {
		t.Errorf("Do ran in the caller's namespace %s", before)
	}
	tasks, err := filepath.Glob("/proc/self/task/*/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	in := 0
	for _, task := range tasks {
		if ns, err := os.Readlink(task); err == nil && ns == inside {
			in++
			if strings.HasPrefix(task, "/proc/self/task/"+itoa(os.Getpid())+"/") {
				t.Error("the main thread stayed in the namespace")
			}
		}
	}
	if in > 2 { // the host's own thread, and the one of Do on its way out
		t.Errorf("%d threads stayed in the namespace", in)
	}
}

func TestDoPassesPanicsAndExits(t *testing.T) {
	l := lab.ForTest(t, lab.Config{})
	func() {
		defer func() {
			if got := recover(); got != "boom" {
				t.Errorf("recovered %v, want boom", got)
			}
		}()
		l.Client.Do(func() error { panic("boom") })
	}()
	ended := make(chan bool)
	go func() {
		returned := false
		defer func() { ended <- !returned }()
		l.Client.Do(func() error { exit(); return nil })
		returned = true
	}()
	if !<-ended {
		t.Error("Do returned although fn ended its goroutine")
	}
}

func TestStartRunsInTheNamespace(t *testing.T) {
	l := lab.ForTest(t, lab.Config{})
	cmd := exec.Command("readlink", "/proc/self/ns/net")
	var out strings.Builder
	cmd.Stdout = &out
	if err := l.Server.Start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	want := ""
	err := l.Server.Do(func() (err error) {
		want, err = os.Readlink("/proc/thread-self/ns/net")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(out.String()); got != want {
		t.Errorf("child ran in %s, want %s", got, want)
	}
}

func TestCloseEndsChildren(t *testing.T) {
	l := lab.ForTest(t, lab.Config{})
	cmd := exec.Command("sleep", "1000")
	if err := l.Client.Start(cmd); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := cmd.Wait(); err == nil {
		t.Error("child ended by itself")
	}
	if err := l.Client.Do(func() error { return nil }); !errors.Is(err, lab.ErrClosed) {
		t.Errorf("Do after Close: %v, want %v", err, lab.ErrClosed)
	}
	if err := l.Client.Start(exec.Command("true")); !errors.Is(err, lab.ErrClosed) {
		t.Errorf("Start after Close: %v, want %v", err, lab.ErrClosed)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	lab.NeedRoot(t)
	root := lab.RootDir(t)
	fds := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	use := func() {
		l, err := lab.New(t.Context(), lab.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}()
		if names := left(t, os.Getpid()); len(names) != 3 {
			t.Errorf("a lab has %v, want two namespaces and a directory", names)
		}
		for i, kind := range []lab.Kind{lab.Embedded, lab.Vsftpd} {
			_, err := l.Server.StartServer(t.Context(), lab.ServerConfig{Kind: kind, Root: root, Port: 2100 + i})
			if err != nil && !errors.Is(err, lab.ErrNoProgram) {
				t.Error(err)
			}
		}
	}
	use() // opens what the runtime keeps
	before := fds()
	for range 5 {
		use()
	}
	if after := fds(); after != before {
		t.Errorf("%d open files after five labs, %d before", after, before)
	}
	if names := left(t, os.Getpid()); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
	if pids := children(t); len(pids) != 0 {
		t.Errorf("left running: %v", pids)
	}
}

// children returns the ids of this process's children.
func children(t *testing.T) []string {
	t.Helper()
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	if len(lists) == 0 {
		t.Fatal("the kernel does not list children")
	}
	var pids []string
	for _, list := range lists {
		b, err := os.ReadFile(list)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		pids = append(pids, strings.Fields(string(b))...)
	}
	return pids
}

func TestNewStopsWithItsContext(t *testing.T) {
	lab.NeedRoot(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l, err := lab.New(ctx, lab.Config{})
	if err == nil { // the carrier was there at the first look
		l.Close()
	}
	if names := left(t, os.Getpid()); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
}
