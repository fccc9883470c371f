package lab_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// holdEnv makes the test binary hold a lab until it is killed.
const holdEnv = "XFTP_LAB_TEST_HOLD"

// hold makes a lab with a child in it, says so on standard output and never
// returns.
func hold() {
	l, err := lab.New(context.Background(), lab.Config{})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	child := exec.Command("sleep", "1000")
	child.Stdout = os.Stdout
	if err := l.Server.Start(child); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(child.Process.Pid)
	select {}
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
	dead.Env = append(os.Environ(), holdEnv+"=1")
	out, err := dead.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := dead.Start(); err != nil {
		t.Fatal(err)
	}
	var child int
	_, scanErr := fmt.Fscan(out, &child)
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
	// Its child holds the same pipe: the end of it is the end of both.
	if _, err := io.Copy(io.Discard, out); err != nil {
		t.Error(err)
	}
	dead.Wait()
	if scanErr != nil {
		t.Fatal(scanErr)
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
