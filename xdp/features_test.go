package xdp

import (
	"errors"
	"net"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestGenericAttribute(t *testing.T) {
	answer := func(attributes ...[]byte) []byte {
		return linkMessage(27, append([]byte{1, 1, 0, 0}, slices.Concat(attributes...)...))
	}
	for _, c := range []struct {
		name   string
		answer []byte
		want   uint64
		err    bool
	}{
		{"8 bytes", answer(attribute(1, word(2)...), attribute(3, 9, 0, 0, 0, 0, 0, 0, 1)), 1<<56 + 9, false},
		{"another size", answer(attribute(3, word(8)...)), 0, true},
		{"absent", answer(attribute(1, word(2)...)), 0, true},
		{"empty", answer(), 0, true},
		{"short", linkMessage(27, []byte{1}), 0, true},
		{"nothing", nil, 0, true},
		{"refused", linkMessage(unix.NLMSG_ERROR, word(^uint32(unix.ENODEV)+1)), 0, true},
	} {
		got, err := genericAttribute(c.answer, 3, 8)
		if got != c.want || (err != nil) != c.err {
			t.Errorf("%s: %d, %v", c.name, got, err)
		}
	}
}

// TestZeroCopyDeclared asks the running kernel, which answers anybody.
func TestZeroCopyDeclared(t *testing.T) {
	loopback, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	declared, err := zeroCopyDeclared(loopback.Index)
	if errors.Is(err, unix.ENOENT) {
		t.Skip("the kernel is older than 6.3")
	}
	if declared || err != nil {
		t.Errorf("the loopback interface: %t, %v", declared, err)
	}
	if _, err := zeroCopyDeclared(1 << 30); !errors.Is(err, unix.ENODEV) {
		t.Errorf("no such interface: %v, want ENODEV", err)
	}
}
