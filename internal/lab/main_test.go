package lab_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

func TestMain(m *testing.M) {
	lab.Main()
	if os.Getenv(holdEnv) != "" {
		hold()
	}
	goleak.VerifyTestMain(m)
}
