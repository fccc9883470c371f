package stack_test

import (
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed-54eb6215/xftp/stack/stacktest"
)

// TestFullFrames shows that a file crosses the wire in frames as long as the
// MTU allows. Some are shorter: the stack also cuts where its send buffer or
// the peer's window is full.
func TestFullFrames(t *testing.T) {
	const size = 32 << 20
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		to      netip.Prefix
		segment uint64 // bytes of payload beside addresses, ports and time stamps
	}{{addrB4, 1500 - 20 - 32}, {addrB6, 1500 - 40 - 32}} {
		p := newPair(t, stacktest.Options{})
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
		before := p.a.Stats().TxFrames
		if _, err := client.ReadFrom(f); err != nil {
			t.Fatal(err)
		}
		if err := client.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if err := <-received; err != nil {
			t.Fatal(err)
		}
		least := size / tt.segment
		if sent := p.a.Stats().TxFrames - before; sent < least || sent > least+least/16 {
			t.Errorf("%d bytes to %v went in %d frames, want little more than %d", size, tt.to, sent, least)
		}
	}
}
