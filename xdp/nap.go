package xdp

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// napTime is how long a nap is meant to be, in nanoseconds. The kernel adds its
// timer slack, 50 microseconds where nobody asked for less (prctl(2)).
const napTime = 20_000

// nap has the thread sleep for a moment, in which a link of 10 Gb/s brings some
// 50 frames. The Go runtime is not told (it takes longer to take another thread
// than the nap lasts), so that no other goroutine runs on this processor.
func nap() {
	t := unix.Timespec{Nsec: napTime}
	_, _, _ = unix.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&t)), 0, 0) // cut short by a signal, at worst
}
