package main

import (
	"fmt"
	"runtime"
	"syscall"
)

// withSmallDisk runs fn while a file system of 1 MB is mounted on dir, in a
// mount namespace of its own, with flags of mount(2).
func withSmallDisk(dir string, flags uintptr, fn func() error) error {
	// The thread is in the namespace for good, so it is not unlocked.
	runtime.LockOSThread()
	if err := syscall.Unshare(syscall.CLONE_FS | syscall.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	if err := syscall.Mount("", "/", "", syscall.MS_PRIVATE|syscall.MS_REC, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", flags, "size=1m"); err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	return fn()
}
