package xdp

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"unsafe"

	asavie "github.com/asavie/xdp"
	"golang.org/x/sys/unix"
)

// asavieRings is an AF_XDP socket that github.com/asavie/xdp has set up. Only
// its constructor and its Close are used. Its methods for the rings lack
// memory ordering, panic on errors of sendto(2) and search all frames for a
// free one, so the rings are driven here, through the pointers inside it.
type asavieRings struct {
	socket  *asavie.Socket
	fd      int
	shared  memory
	mapped  [4][]byte // the mappings of the rings, which asavie never unmaps
	offsets unix.XDPMmapOffsets
}

// asavieMu guards asavie's package variable for the flags of bind(2).
var asavieMu sync.Mutex

// openAsavie creates a socket, its memory and its rings, and binds it with the
// given flags (bind(2), struct sockaddr_xdp).
func openAsavie(ifindex, queue int, g geometry, flags uint16) (_ *asavieRings, err error) {
	offsets, err := ringOffsets()
	if err != nil {
		return nil, err
	}
	options := asavie.SocketOptions{
		NumFrames:              g.frames(),
		FrameSize:              g.frameSize,
		FillRingNumDescs:       g.rxFrames,
		RxRingNumDescs:         g.rxFrames,
		TxRingNumDescs:         g.txFrames,
		CompletionRingNumDescs: g.txFrames,
	}

	asavieMu.Lock()
	defer asavieMu.Unlock()
	before := ringMappings()
	asavie.DefaultSocketFlags = flags
	// The lock keeps a child process from being forked before the descriptor
	// is marked close-on-exec: the child would keep the queue.
	syscall.ForkLock.RLock()
	socket, err := asavie.NewSocket(ifindex, queue, &options)
	if err == nil {
		unix.CloseOnExec(socket.FD())
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		unmapLeaked(before, offsets, g)
		return nil, asavieError(err, g)
	}

	r := &asavieRings{socket: socket, fd: socket.FD(), offsets: offsets}
	if err := r.find(g); err != nil {
		socket.Close()
		return nil, opError("find rings", err)
	}
	// The memory holds what others sent; keep it out of core dumps. A kernel
	// that cannot is no reason to stop.
	_ = unix.Madvise(r.shared.frames, unix.MADV_DONTDUMP)
	return r, nil
}

// ringOffsets asks the kernel where in a ring its indices are. It also tells
// apart, with proper errnos, why there can be no socket at all.
func ringOffsets() (unix.XDPMmapOffsets, error) {
	var offsets unix.XDPMmapOffsets
	fd, err := unix.Socket(unix.AF_XDP, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return offsets, opError("socket", err)
	}
	defer unix.Close(fd)
	length := uint32(unsafe.Sizeof(offsets))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_XDP, unix.XDP_MMAP_OFFSETS,
		uintptr(unsafe.Pointer(&offsets)), uintptr(unsafe.Pointer(&length)), 0)
	if errno != 0 {
		return offsets, opError("read ring offsets", errno)
	}
	if length < uint32(unsafe.Sizeof(offsets)) {
		return offsets, opError("read ring offsets", fmt.Errorf("kernel older than 5.4: %w", unix.EOPNOTSUPP))
	}
	return offsets, nil
}

// find takes the addresses of the memory and the rings out of asavie's socket.
func (r *asavieRings) find(g geometry) (err error) {
	defer func() {
		if p := recover(); p != nil { // reflect: another version of asavie
			err = fmt.Errorf("asavie/xdp has changed: %v", p)
		}
	}()
	socket := reflect.ValueOf(r.socket).Elem()
	m := &r.shared
	frames := socket.FieldByName("umem")
	m.frames = unsafe.Slice((*byte)(frames.UnsafePointer()), frames.Len())
	m.fill.header, m.fill.slots, r.mapped[0] = findRing[uint64](socket.FieldByName("fillRing"), r.offsets.Fr, g.rxFrames)
	m.completion.header, m.completion.slots, r.mapped[1] = findRing[uint64](socket.FieldByName("completionRing"), r.offsets.Cr, g.txFrames)
	m.rx.header, m.rx.slots, r.mapped[2] = findRing[unix.XDPDesc](socket.FieldByName("rxRing"), r.offsets.Rx, g.rxFrames)
	m.tx.header, m.tx.slots, r.mapped[3] = findRing[unix.XDPDesc](socket.FieldByName("txRing"), r.offsets.Tx, g.txFrames)
	return nil
}

// findRing returns a ring's parts, and its mapping, from asavie's pointers
// into it.
func findRing[T any](ring reflect.Value, offsets unix.XDPRingOffset, entries int) (header, []T, []byte) {
	producer := ring.FieldByName("Producer").UnsafePointer()
	start := unsafe.Add(producer, -int(offsets.Producer))
	h := header{
		producer: (*uint32)(producer),
		consumer: (*uint32)(unsafe.Add(start, offsets.Consumer)),
		flags:    (*uint32)(unsafe.Add(start, offsets.Flags)),
	}
	slots := unsafe.Slice((*T)(unsafe.Add(start, offsets.Desc)), entries)
	if ring.FieldByName("Descs").UnsafePointer() != unsafe.Pointer(&slots[0]) {
		panic("a ring is not where it should be")
	}
	return h, slots, unsafe.Slice((*byte)(start), ringLength[T](offsets, entries))
}

// ringLength returns the length in bytes of the mapping of a ring.
func ringLength[T any](offsets unix.XDPRingOffset, entries int) int {
	var entry T
	return int(offsets.Desc) + entries*int(unsafe.Sizeof(entry))
}

func (r *asavieRings) memory() *memory { return &r.shared }
func (r *asavieRings) descriptor() int { return r.fd }

func (r *asavieRings) send() unix.Errno {
	_, _, errno := unix.Syscall6(unix.SYS_SENDTO, uintptr(r.fd), 0, 0, unix.MSG_DONTWAIT, 0, 0)
	return errno
}

func (r *asavieRings) receive() unix.Errno {
	_, _, errno := unix.Syscall6(unix.SYS_RECVFROM, uintptr(r.fd), 0, 0, unix.MSG_DONTWAIT, 0, 0)
	return errno
}

func (r *asavieRings) statistics() (unix.XDPStatistics, error) {
	var statistics unix.XDPStatistics // kernels before 5.9 fill only its first half
	length := uint32(unsafe.Sizeof(statistics))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(r.fd), unix.SOL_XDP, unix.XDP_STATISTICS,
		uintptr(unsafe.Pointer(&statistics)), uintptr(unsafe.Pointer(&length)), 0)
	if errno != 0 {
		return statistics, errno
	}
	return statistics, nil
}

// close unmaps the rings as well: a mapping keeps the socket, and with it the
// queue.
func (r *asavieRings) close() error {
	err := r.socket.Close()
	for _, b := range r.mapped {
		err = errors.Join(err, syscall.Munmap(b))
	}
	r.shared = memory{}
	return err
}

// asavieError turns an error of asavie, which holds the errno as text only,
// into an *OpError.
func asavieError(err error, g geometry) error {
	e := &OpError{Op: "set up socket", Err: err}
	text := err.Error()
	for n := unix.Errno(1); n < 134; n++ {
		if strings.HasSuffix(text, ": "+n.Error()) {
			e.Err, e.Class = n, classOf(n)
			break
		}
	}
	switch {
	case strings.Contains(text, "Bind"):
		e.Op = "bind"
	case strings.Contains(text, "XDP_UMEM_REG"):
		e.Op = "register memory"
		if errors.Is(e.Err, unix.ENOBUFS) {
			e.Class = ClassFatal
			e.Err = fmt.Errorf("the limit on locked memory is too low for %d KiB (ulimit -l): %w", g.frames()*g.frameSize>>10, e.Err)
		}
	}
	return e
}
