// Package leak finds the goroutines that tests leave behind. One that has been
// told to end may take its time on a busy machine: go.uber.org/goleak waits
// for it half a second, this package as long as only one that hangs takes.
package leak

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// longest is how long a goroutine may take to end.
const longest = time.Minute

// Main runs the tests of a package and ends the process with their exit code,
// which is 1 if they all pass and a goroutine is left.
func Main(m *testing.M) {
	code := m.Run()
	if code == 0 {
		if err := Find(); err != nil {
			fmt.Fprintln(os.Stderr, "leak: after the tests:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// Find waits until there are no other goroutines than the caller's and those
// that the options name. It returns an error that lists the others if they do
// not end.
func Find(known ...goleak.Option) error {
	return find(longest, known...)
}

func find(wait time.Duration, known ...goleak.Option) error {
	for deadline := time.Now().Add(wait); ; {
		err := goleak.Find(known...)
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}
