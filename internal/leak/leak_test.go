package leak

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestFind(t *testing.T) {
	known := goleak.IgnoreCurrent()
	if err := Find(known); err != nil {
		t.Errorf("with nothing left: %v", err)
	}
	stop := make(chan struct{})
	go func() { <-stop }()
	if find(0, known) == nil {
		t.Error("a goroutine that waits is not found")
	}
	// Longer than goleak waits.
	time.AfterFunc(time.Second, func() { close(stop) })
	if err := Find(known); err != nil {
		t.Errorf("one that ended late: %v", err)
	}
}
