package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// What xftp exits with. Scripts rely on these numbers.
const (
	exitOK       = 0
	exitTransfer = 1 // a transfer failed
	exitUsage    = 2 // the command line, the environment or the config file is wrong
	exitSetup    = 3 // the network path could not be set up
	exitSignal   = 128
)

// exitCode returns the exit code that err stands for. If it is several errors
// joined, the first one that is not a failed transfer decides.
func exitCode(err error) int {
	var (
		usage  *usageError
		setup  *setupError
		caught *signalError
	)
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &caught):
		return exitSignal + int(caught.signal)
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &setup):
		return exitSetup
	}
	return exitTransfer
}

// A usageError is a mistake in what the user typed or configured.
type usageError struct {
	text string
	hint string // may be empty
}

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error {
	return &usageError{text: fmt.Sprintf(format, args...)}
}

// A hintedError is an error that knows what can be done about it.
type hintedError struct {
	err  error
	hint string
}

func (e *hintedError) Error() string { return e.err.Error() }
func (e *hintedError) Unwrap() error { return e.err }

// A setupError says that there is no network path, so that nothing was tried
// on it.
type setupError struct{ err error }

func (e *setupError) Error() string { return e.err.Error() }
func (e *setupError) Unwrap() error { return e.err }

// A signalError is the cause of a context that a signal ended.
type signalError struct{ signal syscall.Signal }

func (e *signalError) Error() string {
	if e.signal == syscall.SIGINT {
		return "interrupted"
	}
	return "terminated"
}

// withSignals returns a context that the first SIGINT or SIGTERM ends, with a
// [*signalError] as its cause. The second one ends the process at once. stop
// ends the watching.
func withSignals(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	done := make(chan struct{})
	go func() { // ended by stop, which waits for it
		defer close(done)
		for first := true; ; first = false {
			s, ok := <-signals
			if !ok {
				return
			}
			number := s.(syscall.Signal)
			if !first {
				os.Exit(exitSignal + int(number))
			}
			cancel(&signalError{number})
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(signals)
		<-done
		cancel(nil)
	}
}

// interrupted returns the signal that ended ctx, or the [*fullError], or nil.
func interrupted(ctx context.Context) error {
	cause := context.Cause(ctx)
	if as[*signalError](cause) || as[*fullError](cause) {
		return cause
	}
	return nil
}
