package lab_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// TestThreaded: each host receives in a kernel thread of its own if that is
// asked for, and bytes cross the link.
func TestThreaded(t *testing.T) {
	before := receivers(t)
	lab.ForTest(t, lab.Config{})
	if n := receivers(t); n != before {
		t.Errorf("%d more threads receive for hosts that have none of their own", n-before)
	}
	l := lab.ForTest(t, lab.Config{Threaded: true})
	if n := receivers(t); n != before+2 {
		t.Errorf("%d more threads receive for two hosts, want 2", n-before)
	}
	move(t, l, l.Server.IPv4.Addr(), 4<<20)
}

// receivers counts the kernel's threads that receive for some interface.
func receivers(t *testing.T) int {
	t.Helper()
	names, err := filepath.Glob("/proc/[0-9]*/comm")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, name := range names {
		comm, err := os.ReadFile(name)
		if err == nil && strings.HasPrefix(string(comm), "napi/") { // else it has ended
			n++
		}
	}
	return n
}
