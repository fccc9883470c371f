package xdp

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A mapping is memory of this process that belongs to a socket.
type mapping struct {
	start  uintptr
	offset uint64 // which ring: XDP_PGOFF_RX_RING, ...
	file   string // "socket:[12345]"
}

// ringMappings returns the mappings of sockets in this process, or none where
// /proc is not mounted.
func ringMappings() map[mapping]bool {
	text, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return nil
	}
	return parseMappings(string(text))
}

// parseMappings picks the mappings of sockets out of proc_pid_maps(5):
//
//	7f0c8a000000-7f0c8a002000 rw-s 80000000 00:08 12345   socket:[12345]
func parseMappings(text string) map[mapping]bool {
	found := map[mapping]bool{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) != 6 || !strings.HasPrefix(fields[5], "socket:[") {
			continue
		}
		first, _, _ := strings.Cut(fields[0], "-")
		start, err1 := strconv.ParseUint(first, 16, 64)
		offset, err2 := strconv.ParseUint(fields[2], 16, 64)
		if err1 != nil || err2 != nil {
			continue
		}
		found[mapping{start: uintptr(start), offset: offset, file: fields[5]}] = true
	}
	return found
}

// unmapLeaked unmaps the rings of a socket that asavie failed to bind: it
// closes the descriptor and forgets the rings. They are the mappings that were
// not there before and whose socket has no descriptor any more.
func unmapLeaked(before map[mapping]bool, offsets unix.XDPMmapOffsets, g geometry) {
	open := openFiles()
	for m := range ringMappings() {
		if before[m] || open[m.file] {
			continue
		}
		var length int
		switch m.offset {
		case unix.XDP_UMEM_PGOFF_FILL_RING:
			length = ringLength[uint64](offsets.Fr, g.rxFrames)
		case unix.XDP_UMEM_PGOFF_COMPLETION_RING:
			length = ringLength[uint64](offsets.Cr, g.txFrames)
		case unix.XDP_PGOFF_RX_RING:
			length = ringLength[unix.XDPDesc](offsets.Rx, g.rxFrames)
		case unix.XDP_PGOFF_TX_RING:
			length = ringLength[unix.XDPDesc](offsets.Tx, g.txFrames)
		default:
			continue
		}
		// The memory is not Go's, so that its address may be a number.
		start := *(*unsafe.Pointer)(unsafe.Pointer(&m.start))
		// Munmap takes the slice that Mmap returned, or does nothing.
		_ = syscall.Munmap(unsafe.Slice((*byte)(start), length))
	}
}

// openFiles returns what the descriptors of this process stand for.
func openFiles() map[string]bool {
	const directory = "/proc/self/fd"
	entries, err := os.ReadDir(directory)
	if err != nil {
		return nil
	}
	open := map[string]bool{}
	for _, entry := range entries {
		if target, err := os.Readlink(filepath.Join(directory, entry.Name())); err == nil {
			open[target] = true
		}
	}
	return open
}
