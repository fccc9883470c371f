package xdp

import "fmt"

// Mode says how frames get from the interface into a socket's memory.
type Mode uint8

const (
	// ModeAuto asks for the best that the driver can do: zero-copy, else
	// copy, else generic. It is never the mode that a socket reports.
	ModeAuto Mode = iota

	// ModeZeroCopy is the driver's own receive and transmit into and out of
	// the socket's memory.
	ModeZeroCopy

	// ModeCopy is a program in the driver (native XDP) and one copy by the
	// kernel between the driver's memory and the socket's.
	ModeCopy

	// ModeGeneric is a program that runs after the driver, on the kernel's
	// own packet buffers. It works with every driver.
	ModeGeneric
)

var modeNames = [...]string{"auto", "zerocopy", "copy", "generic"}

// String returns "auto", "zerocopy", "copy" or "generic".
func (m Mode) String() string {
	if int(m) < len(modeNames) {
		return modeNames[m]
	}
	return fmt.Sprintf("Mode(%d)", uint8(m))
}

// ParseMode returns the mode whose String is s.
func ParseMode(s string) (Mode, error) {
	for i, name := range modeNames {
		if s == name {
			return Mode(i), nil
		}
	}
	return 0, fmt.Errorf("parse mode %q: want auto, zerocopy, copy or generic", s)
}
