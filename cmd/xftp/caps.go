package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// dropCapabilities gives up what a binary with file capabilities got: opening
// the path is all that they are for. Root keeps its own, and through sudo they
// go with the user. All threads give them up, for good.
//
// In a build with cgo Go cannot reach threads that are not its own, and the
// error wraps [errors.ErrUnsupported]. make build makes none such.
func dropCapabilities() error {
	if os.Geteuid() == 0 {
		return nil
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData // capabilities 0 to 31, and the others
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return fmt.Errorf("read capabilities: %w", err)
	}
	if sets[0].Permitted|sets[1].Permitted == 0 {
		return nil
	}
	sets = [2]unix.CapUserData{}
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET,
		uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&sets[0])), 0)
	if errno == syscall.ENOTSUP {
		return fmt.Errorf("drop capabilities in a build with cgo: %w", errors.ErrUnsupported)
	}
	if errno != 0 {
		return fmt.Errorf("drop capabilities: %w", errno)
	}
	return nil
}
