package xdp

import (
	"errors"
	"io/fs"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMatchKey(t *testing.T) {
	for _, c := range []struct {
		addr   string
		lo, hi uint16
		ok     bool
		text   string
	}{
		{"192.0.2.1", 0, 0, true, "192.0.2.1"},
		{"::ffff:192.0.2.1", 0, 0, true, "::ffff:192.0.2.1"},
		{"2001:db8::1", 0, 0, true, "2001:db8::1"},
		{"fe80::1", 0, 0, true, "fe80::1"},
		{"192.0.2.1", 1, 1, true, "192.0.2.1 ports 1-1"},
		{"192.0.2.1", 1, 65535, true, "192.0.2.1 ports 1-65535"},
		{"192.0.2.1", 0, 1, false, ""},
		{"192.0.2.1", 2, 1, false, ""},
		{"192.0.2.1", 1, 0, false, ""},
		{"fe80::1%eth0", 0, 0, false, ""},
		{"0.0.0.0", 0, 0, false, ""},
		{"::", 0, 0, false, ""},
		{"224.0.0.1", 0, 0, false, ""},
		{"ff02::1", 0, 0, false, ""},
	} {
		m := Match{netip.MustParseAddr(c.addr), c.lo, c.hi}
		key, err := m.key()
		if (err == nil) != c.ok {
			t.Errorf("%v: %v", m, err)
		}
		if c.ok && (netip.AddrFrom16(key.B).Unmap() != m.Addr.Unmap() || m.String() != c.text) {
			t.Errorf("%v: key %v", m, key.B)
		}
	}
	if _, err := (Match{}).key(); err == nil {
		t.Error("a match without address has a key")
	}
}

func TestMatchEntry(t *testing.T) {
	a := netip.MustParseAddr("192.0.2.1")
	ports := func(i int) Match { return Match{a, uint16(100*i + 1), uint16(100*i + 50)} }
	var e steerMatch
	for i := range maxRanges {
		for range 2 { // a second time changes nothing
			if err := e.add(ports(i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if int(e.Count) != maxRanges {
		t.Fatalf("%d ranges", e.Count)
	}
	if err := e.add(ports(maxRanges)); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("one range too many: %v", err)
	}
	if err := e.add(Match{Addr: a}); err != nil || e.Whole != 1 || e.empty() {
		t.Errorf("whole address beside its ranges: %v, %+v", err, e)
	}
	if err := e.remove(Match{a, 1, 2}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("unknown range: %v", err)
	}
	for _, i := range []int{3, 15, 0, 7, 1, 2, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14} {
		if err := e.remove(ports(i)); err != nil {
			t.Fatal(err)
		}
		if e.index(ports(i)) >= 0 {
			t.Errorf("range %d is still there", i)
		}
	}
	if err := e.remove(Match{Addr: a}); err != nil || !e.empty() || e != (steerMatch{}) {
		t.Errorf("all removed: %v, %+v", err, e)
	}
	if err := e.remove(Match{Addr: a}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removed twice: %v", err)
	}
}

func TestMode(t *testing.T) {
	for m, text := range map[Mode]string{ModeAuto: "auto", ModeZeroCopy: "zerocopy", ModeCopy: "copy", ModeGeneric: "generic"} {
		parsed, err := ParseMode(text)
		if m.String() != text || parsed != m || err != nil {
			t.Errorf("%v, %q, %v", m, text, err)
		}
	}
	for _, text := range []string{"", "Auto", "zero-copy"} {
		if _, err := ParseMode(text); err == nil {
			t.Errorf("%q is a mode", text)
		}
	}
}
