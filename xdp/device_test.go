package xdp_test

import (
	"github.com/seed-54eb6215/xftp/stack"
	"github.com/seed-54eb6215/xftp/xdp"
)

var _ stack.Device = (*xdp.Socket)(nil)
