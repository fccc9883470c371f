package lab

import (
	"context"
	"os"
)

// TB is what the lab uses of a *testing.T or *testing.B.
type TB interface {
	Helper()
	Context() context.Context
	Cleanup(func())
	Skip(args ...any)
	Fatal(args ...any)
	Error(args ...any)
}

// NeedRoot skips the test where the process is not root.
func NeedRoot(t TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Skip(t, "needs root for network namespaces and AF_XDP: type sudo make test")
	}
}

// ForTest makes a lab that is closed when the test ends, also by a panic. It
// calls NeedRoot.
func ForTest(t TB, cfg Config) *Lab {
	t.Helper()
	NeedRoot(t)
	l, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// NeedVsftpd skips the test where vsftpd, or root to run it, is missing.
func NeedVsftpd(t TB) {
	t.Helper()
	NeedServer(t, Vsftpd)
}

// NeedServer skips the test where the server, or root to run it, is missing.
func NeedServer(t TB, kind Kind) {
	t.Helper()
	NeedRoot(t)
	if kind == Embedded {
		return
	}
	if _, err := FindServer(kind); err != nil {
		Skip(t, err.Error())
	}
}

// RootDir returns a new directory for a server to serve, in memory where the
// machine has such a file system. It is removed when the test ends.
func RootDir(t TB) string {
	t.Helper()
	parent := "/dev/shm"
	if info, err := os.Stat(parent); err != nil || !info.IsDir() {
		parent = "" // the usual one
	}
	dir, err := os.MkdirTemp(parent, "xftp-lab-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // a server may not be root
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// Skip skips the test and says why, or fails it where the environment has
// XFTP_REQUIRE=1: there every test has to run.
func Skip(t TB, reason string) {
	t.Helper()
	if os.Getenv("XFTP_REQUIRE") == "1" {
		t.Fatal("XFTP_REQUIRE=1: must not be skipped: " + reason)
	}
	t.Skip(reason)
}
