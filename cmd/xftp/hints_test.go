package main

import (
	"fmt"
	"testing"

	"github.com/seed-54eb6215/xftp/xdp"
	"golang.org/x/sys/unix"
)

// The kernel says ENOBUFS where too little memory may be locked, and drivers
// say ENOMEM where they have too few queues for a program.
func TestMemoryHints(t *testing.T) {
	o := &options{iface: "eth7"}
	for _, tt := range []struct {
		op    string
		errno unix.Errno
		want  string
	}{
		{"register memory", unix.ENOBUFS, "too little memory may be locked; see: ulimit -l"},
		{"attach", unix.ENOMEM, "use fewer channels: ethtool -L eth7 combined N"},
		{"set up socket", unix.ENOMEM, ""},
	} {
		err := &setupError{&xdp.OpError{Op: tt.op, Err: fmt.Errorf("more words: %w", tt.errno)}}
		if got := hintFor(err, o); got != tt.want {
			t.Errorf("hint for %v: %q, want %q", err, got, tt.want)
		}
	}
}
