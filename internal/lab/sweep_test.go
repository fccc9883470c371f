package lab_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// holdEnv makes the test binary hold a lab until it is killed.
const holdEnv = "XFTP_LAB_TEST_HOLD"

// hold makes a lab with processes in it, prints the ids of those and never
// returns.
func hold() {
	pids, err := populate()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for _, pid := range pids {
		fmt.Print(pid, " ")
	}
	fmt.Println()
	select {}
}

// populate starts an ordinary child and all servers that the machine has.
func populate() ([]int, error) {
	l, err := lab.New(context.Background(), lab.Config{})
	if err != nil {
		return nil, err
	}
	child := exec.Command("sleep", "1000")
	if err := l.Server.Start(child); err != nil {
		return nil, err
	}
	pids := []int{child.Process.Pid}
	for i, kind := range []lab.Kind{lab.Embedded, lab.Vsftpd} {
		s, err := l.Server.StartServer(context.Background(), lab.ServerConfig{
			Kind: kind, Root: os.Getenv(holdEnv), Port: 2100 + i,
		})
		if errors.Is(err, lab.ErrNoProgram) {
			continue
		}
		if err != nil {
			return nil, err
		}
		// A session is a process too.
		conn, err := l.Client.DialContext(context.Background(), "tcp", s.Addr(false).String())
		if err != nil {
			return nil, err
		}
		if _, err := conn.Read(make([]byte, 1)); err != nil {
			return nil, err
		}
		pids = append(pids, s.PID())
	}
	return pids, nil
}

// awaitDeath waits until a process is dead, whoever has to wait(2) for it,
// and gives up after a minute: it would never die then.
func awaitDeath(pidfd int) error {
	for {
		fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, 60_000)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return err
		case n == 0:
			return errors.New("a child outlives its owner")
		default:
			return nil
		}
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

func exit() { runtime.Goexit() }

// left returns the names that the process has in the file system.
func left(t *testing.T, pid int) []string {
	t.Helper()
	var names []string
	for _, dir := range []string{"/run/netns", "/run/xftp"} {
		found, err := filepath.Glob(filepath.Join(dir, fmt.Sprintf("xftp-%d-*", pid)))
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, found...)
	}
	return names
}

func iface(t *testing.T, h *lab.Host) *net.Interface {
	t.Helper()
	var i *net.Interface
	err := h.Do(func() (err error) {
		i, err = net.InterfaceByName(h.Interface)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestSweepRemovesOnlyWhatTheDeadLeft(t *testing.T) {
	alive := lab.ForTest(t, lab.Config{})
	dead := exec.Command(os.Args[0])
	dead.Env = append(os.Environ(), holdEnv+"="+lab.RootDir(t))
	out, err := dead.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := dead.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var children []int
	for _, pid := range strings.Fields(line) {
		n, err := strconv.Atoi(pid)
		if err != nil {
			t.Fatal(line)
		}
		fd, err := unix.PidfdOpen(n, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		children = append(children, fd)
	}
	if names := left(t, dead.Process.Pid); len(names) != 3 {
		t.Errorf("the other lab has %v, want two namespaces and a directory", names)
	}
	if err := lab.Sweep(); err != nil {
		t.Error(err)
	}
	if names := left(t, dead.Process.Pid); len(names) != 3 {
		t.Errorf("a sweep took from a living owner: left are %v", names)
	}
	if err := dead.Process.Kill(); err != nil {
		t.Error(err)
	}
	dead.Wait()
	for _, fd := range children { // they are killed with it
		if err := awaitDeath(fd); err != nil {
			t.Error(err)
		}
	}
	if err := lab.Sweep(); err != nil {
		t.Error(err)
	}
	if names := left(t, dead.Process.Pid); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
	if names := left(t, os.Getpid()); len(names) != 3 {
		t.Errorf("a sweep took from this lab: left are %v", names)
	}
	move(t, alive, alive.Server.IPv4.Addr(), 1<<16)
}
