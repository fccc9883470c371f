package stack_test

import (
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/stack"
	"github.com/seed-54eb6215/xftp/stack/stacktest"
)

// flaws returns 1 % each of loss, reordering, duplication and corruption.
func flaws(seed uint64) stacktest.Impairment {
	return stacktest.Impairment{Seed: seed, Loss: 0.01, Reorder: 0.01, Duplicate: 0.01, Corrupt: 0.01}
}

// TestImpairedWire moves 2 MB each way over a bad wire. The hash shows that
// nothing that the wire did reaches the reader; the counters, that the wire
// did it.
func TestImpairedWire(t *testing.T) {
	for seed := range uint64(32) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			transferImpaired(t, seed, 2e6, seed%2 == 0)
		})
	}
}

// TestImpairedWireLong is the same with 50 MB each way, for make test, which sets
// XFTP_LONG=1.
func TestImpairedWireLong(t *testing.T) {
	if os.Getenv("XFTP_LONG") != "1" {
		t.Skip("moves 100 MB four times: set XFTP_LONG=1, as make test does")
	}
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			transferImpaired(t, 1000+seed, 50e6, seed%2 == 0)
		})
	}
}

// transferImpaired moves n bytes in each direction over a wire with flaws.
func transferImpaired(t *testing.T, seed uint64, n int64, ipv4 bool) {
	t.Helper()
	from, to := addrA6, addrB6
	if ipv4 {
		from, to = addrA4, addrB4
	}
	p := newPair(t, stacktest.Options{})
	p.scout(t, to)
	(&pair{a: p.b, b: p.a}).scout(t, from)
	client, server := p.connect(t, to)
	// Only now: after a lost SYN a connection begins with a time-out of three
	// seconds (RFC 6298, Section 5.7), and the test would be about that.
	p.wire.Impair(flaws(seed), flaws(seed+1))
	move(t, server, client, seed, n)
	move(t, client, server, seed+1, n)
	a, b := p.a.Stats(), p.b.Stats()
	if a.RxChecksum == 0 || b.RxChecksum == 0 {
		t.Errorf("checksum errors seen: %d and %d, want some of each", a.RxChecksum, b.RxChecksum)
	}
	if a.Retransmits+b.Retransmits == 0 {
		t.Error("nothing was sent again, though frames were lost")
	}
}

// scout lets a learn how near b is, also where the machine is busy now and then.
func (p *pair) scout(t *testing.T, to netip.Prefix) {
	t.Helper()
	for range 10 {
		client, server := p.connect(t, to)
		for _, c := range []*stack.Conn{client, server} {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestDelay shows that a wire with delay is used to the full: the window is
// far larger than one packet a round trip.
func TestDelay(t *testing.T) {
	delay := stacktest.Impairment{Delay: 5 * time.Millisecond}
	p := newPair(t, stacktest.Options{AtoB: delay, BtoA: delay})
	client, server := p.connect(t, addrB4)
	move(t, server, client, 1, 4<<20)
}
