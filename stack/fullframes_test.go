package stack_test

import (
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/seed-54eb6215/xftp/stack"
	"github.com/seed-54eb6215/xftp/stack/stacktest"
)

// A fullCounter counts the frames that are as long as the MTU allows.
type fullCounter struct {
	*stacktest.End
	full atomic.Int64
}

func (c *fullCounter) Submit(lengths []int) error {
	for _, n := range lengths {
		if n == c.Info().MaxFrame {
			c.full.Add(1)
		}
	}
	return c.End.Submit(lengths)
}

// TestFullFrames shows that a file crosses the wire in frames as long as the
// MTU allows. Some are shorter: the stack also cuts where its send buffer or
// the peer's window is full, which happens more often where the peer is slow.
func TestFullFrames(t *testing.T) {
	const size = 32 << 20
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		to      netip.Prefix
		segment int64 // bytes of payload beside addresses, ports and time stamps
	}{{addrB4, 1500 - 20 - 32}, {addrB6, 1500 - 40 - 32}} {
		wire := stacktest.NewWire(stacktest.Options{})
		counter := &fullCounter{End: wire.A}
		p := &pair{wire: wire}
		p.a = newStack(t, stack.Config{Addresses: []netip.Prefix{addrA4, addrA6}}, counter)
		p.b = newStack(t, stack.Config{Addresses: []netip.Prefix{addrB4, addrB6}}, wire.B)
		client, server := p.connect(t, tt.to)
		received := make(chan error, 1)
		go func() {
			_, err := io.Copy(io.Discard, server)
			received <- err
		}()
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := client.ReadFrom(f); err != nil {
			t.Fatal(err)
		}
		if err := client.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if err := <-received; err != nil {
			t.Fatal(err)
		}
		if n := counter.full.Load(); n*tt.segment < size*3/4 {
			t.Errorf("of %d bytes to %v %d went in full frames", size, tt.to, n*tt.segment)
		}
	}
}
