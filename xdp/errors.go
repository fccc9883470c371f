package xdp

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Class says what a caller can do about an [OpError].
type Class uint8

const (
	// ClassFatal: this will not work here, whatever is tried.
	ClassFatal Class = iota

	// ClassRetry: the same call may succeed in a moment.
	ClassRetry

	// ClassLink: the call will succeed once the link is up.
	ClassLink

	// ClassReopen: the socket has lost its device. Close it, and open another
	// one if the device comes back.
	ClassReopen
)

// String returns "fatal", "retry", "link" or "reopen".
func (c Class) String() string {
	switch c {
	case ClassRetry:
		return "retry"
	case ClassLink:
		return "link"
	case ClassReopen:
		return "reopen"
	}
	return "fatal"
}

// OpError is the error of an operation on a socket or a program. It unwraps
// to the kernel's errno, or to [net.ErrClosed].
type OpError struct {
	Op    string // what was done: "bind", "attach", "send"
	Class Class
	Err   error
}

func (e *OpError) Error() string { return e.Op + ": " + e.Err.Error() }

// Unwrap returns e.Err.
func (e *OpError) Unwrap() error { return e.Err }

// IncumbentError says that the interface has an XDP program of someone else's.
// It unwraps to [unix.EBUSY]. Nothing was changed.
type IncumbentError struct {
	ID       uint32 // of the program, as bpftool(8) shows it
	Name     string // of the program; empty where the kernel does not tell
	Attached string // "native", "generic" or "hardware"
}

func (e *IncumbentError) Error() string {
	name := ""
	if e.Name != "" {
		name = fmt.Sprintf(" (%s)", e.Name)
	}
	return fmt.Sprintf("another XDP program is attached: id %d%s, %s mode", e.ID, name, e.Attached)
}

// Unwrap returns [unix.EBUSY].
func (e *IncumbentError) Unwrap() error { return unix.EBUSY }

// classOf returns the class of an errno that sendto(2), recvfrom(2), bind(2)
// or setsockopt(2) on an AF_XDP socket returned.
func classOf(errno unix.Errno) Class {
	switch errno {
	case unix.EAGAIN, unix.EBUSY, unix.ENOBUFS, unix.ENOMEM, unix.EINTR:
		return ClassRetry
	case unix.ENETDOWN:
		return ClassLink
	case unix.ENXIO, unix.ENODEV:
		return ClassReopen
	}
	return ClassFatal
}

// opError wraps err, which is not nil. Unless it holds an errno, its class is
// ClassFatal.
func opError(op string, err error) *OpError {
	e := &OpError{Op: op, Err: err}
	var errno unix.Errno
	if errors.As(err, &errno) {
		e.Class = classOf(errno)
	}
	return e
}
