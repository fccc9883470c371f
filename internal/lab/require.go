package lab

import (
	"context"
	"fmt"
	"os"
)

// TB is what the lab uses of a *testing.T or *testing.B.
type TB interface {
	Helper()
	Name() string
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

// Skip skips the test and says why, or fails it where the environment has
// XFTP_REQUIRE=1: there every test has to run. If XFTP_SKIPS names a file, the
// skip is noted in it.
func Skip(t TB, reason string) {
	t.Helper()
	if os.Getenv("XFTP_REQUIRE") == "1" {
		t.Fatal("XFTP_REQUIRE=1: must not be skipped: " + reason)
	}
	if err := noteSkip(t.Name(), reason); err != nil {
		t.Fatal(err)
	}
	t.Skip(reason)
}

func noteSkip(test, reason string) error {
	path := os.Getenv("XFTP_SKIPS")
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s: %s\n", test, reason)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}
