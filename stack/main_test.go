package stack_test

import (
	"flag"
	"testing"

	"github.com/seed-54eb6215/xftp/internal/leak"
)

func TestMain(m *testing.M) {
	// Tests on a bad wire wait for timers, not for processors: all of them
	// may run at once.
	if err := flag.Set("test.parallel", "32"); err != nil {
		panic(err)
	}
	leak.Main(m)
}
