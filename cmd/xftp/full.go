package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// A file that cannot be written because the disk is full, or may not be written to,
// is one of many that are to come: each of them would be asked for, and fail alike.
// The first one ends the run as a signal does.

// A fullError is the cause of a context that ended because nothing more can be
// written here.
type fullError struct {
	subject string // what was to be written
	err     error  // of the kind of isUnwritable
}

func (e *fullError) Error() string { return describe(e.err) }

// untilFull returns a context that the first error of the kind of isUnwritable which
// [session.failed] gets ends. [session.stopped], to be called after that, reports it.
func (s *session) untilFull(parent context.Context) (ctx context.Context, release func()) {
	ctx, s.full = context.WithCancelCause(parent)
	return ctx, func() { s.full(nil) }
}

// isUnwritable says whether err means that nothing can be written to a local file
// system, whatever it is.
func isUnwritable(err error) bool { return isDiskFull(err) || errors.Is(err, unix.EROFS) }

// filled reports what ended the run, once, and how to go on with rest, the arguments
// that are not done; with all of args if none is left, to be sure.
func (s *session) filled(ctx context.Context, full *fullError, args, rest, always []string) {
	if len(rest) == 0 {
		rest = args
	}
	hint := hintFor(full.err, s.o)
	if !s.out.onStdout {
		hint = full.hint(len(rest), rest[0], s.command(true, slices.Concat(rest, always)...))
	}
	_ = s.failed(ctx, full.subject, full, hint)
}

// hint says how to go on with n arguments, of which first is one, by a command.
func (e *fullError) hint(n int, first, command string) string {
	next := "continue with: " + command
	if n > maxShown {
		next = fmt.Sprintf("continue; %d are left, of which the first is %s", n, first)
	}
	if isDiskFull(e.err) {
		return "make room, then " + next
	}
	return "that file system is read-only: write elsewhere, or make it writable and " + next
}
