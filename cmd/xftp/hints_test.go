package main

import (
	"fmt"
	"testing"

	"github.com/seed-54eb6215/xftp/xdp"
	"golang.org/x/sys/unix"
)

// What an errno means depends on the step: the kernel says ENOBUFS where too
// little memory may be locked, drivers say ENOMEM where they have too few queues
// for a program, and EINVAL has a reason at each step.
func TestSetupHints(t *testing.T) {
	o := &options{iface: "eth7"}
	for _, tt := range []struct {
		op    string
		errno unix.Errno
		want  string
	}{
		{"register memory", unix.ENOBUFS, "too little memory may be locked; see: ulimit -l"},
		{"attach", unix.ENOMEM, "use fewer channels: ethtool -L eth7 combined N"},
		{"set up socket", unix.ENOMEM, ""},
		{"load program", unix.EINVAL, "this kernel refuses xftp's program; take --net kernel, and tell the makers of xftp which kernel it is: uname -r"},
		{"load program", unix.EACCES, "this kernel refuses xftp's program; take --net kernel, and tell the makers of xftp which kernel it is: uname -r"},
		{"attach", unix.EINVAL, "make the MTU smaller at both ends of the link: sudo ip link set dev eth7 mtu 1500"},
		{"bind", unix.EINVAL, "let xftp choose the mode: --xdp-mode auto"},
	} {
		err := &setupError{&xdp.OpError{Op: tt.op, Err: fmt.Errorf("more words: %w", tt.errno)}}
		if got := hintFor(err, o); got != tt.want {
			t.Errorf("hint for %v: %q, want %q", err, got, tt.want)
		}
	}
}
