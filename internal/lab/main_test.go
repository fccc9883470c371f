package lab_test

import (
	"os"
	"testing"

	"github.com/seed-54eb6215/xftp/internal/lab"
	"github.com/seed-54eb6215/xftp/internal/leak"
)

func TestMain(m *testing.M) {
	lab.Main()
	if os.Getenv(holdEnv) != "" {
		hold()
	}
	leak.Main(m)
}
