//go:build !amd64

package xdp

// pause does nothing where the processor has no instruction for it.
func pause(uint32) {}
