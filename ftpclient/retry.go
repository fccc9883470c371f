package ftpclient

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"
)

// mostRetryWait is the longest pause before something is tried again.
const mostRetryWait = 30 * time.Second

// backoff returns how long to wait before the nth retry, which counts from 1.
func backoff(first time.Duration, n int) time.Duration {
	wait := min(first, mostRetryWait)
	for range n - 1 {
		wait = min(2*wait, mostRetryWait)
	}
	return wait - rand.N(wait/2+1)
}

// retries returns how often one thing is tried again.
func (c *Client) retries() int { return max(c.cfg.Retries, 0) }

// transient reports whether what failed with err may go well another time: after
// a reply of 4yz, a time-out, a connection that could not be made or was lost.
// What the server refuses for good, a wrong byte count, and what is the caller's
// own fault stay as they are.
func transient(err error) bool {
	var (
		integrity  *IntegrityError
		local      *localError
		transfer   *TransferError
		argument   *ArgumentError
		name       *NameError
		bad        *URLError
		protection *TLSError
	)
	switch {
	case err == nil,
		errors.As(err, &integrity), errors.As(err, &local), errors.As(err, &argument), errors.As(err, &name), errors.As(err, &bad),
		errors.As(err, &protection),
		errors.As(err, &transfer) && transfer.local,
		errors.Is(err, ErrClosed), errors.Is(err, errNoRestart), errors.Is(err, errListing):
		return false
	}
	refusals, others := refusalsIn(err)
	for _, refusal := range refusals {
		verb, _, _ := strings.Cut(refusal.Command, " ")
		if others && substitutes[verb] != "" {
			continue // there was another way, which came to something else
		}
		return refusal.Temporary() || refusal.Code == codeNotLoggedIn && crowded(refusal)
	}
	return others
}

// codeNotLoggedIn is also what some servers say when they are full.
const codeNotLoggedIn = 530

// refusalsIn returns what the server refused in the course of err, and whether
// there is anything else in it.
func refusalsIn(err error) (refusals []*ReplyError, others bool) {
	if refusal, ok := err.(*ReplyError); ok {
		return []*ReplyError{refusal}, false
	}
	var causes []error
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		causes = []error{err.Unwrap()}
	case interface{ Unwrap() []error }:
		causes = err.Unwrap()
	}
	for _, cause := range causes {
		if cause == nil {
			continue
		}
		more, other := refusalsIn(cause)
		refusals = append(refusals, more...)
		others = others || other
	}
	return refusals, others || len(causes) == 0
}

// unexpected reports whether err is one after which nobody should go on with the
// same control connection, although its replies are in order: the server did not
// do what it said, or the network what it should.
func unexpected(err error) bool {
	var (
		integrity  *IntegrityError
		protocol   *ProtocolError
		protection *TLSError
		timeout    *TimeoutError
		transfer   *TransferError
	)
	switch {
	case errors.As(err, &integrity), errors.As(err, &protocol), errors.As(err, &protection), errors.As(err, &timeout):
		return true
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false // ABOR has said whether it can go on
	case errors.As(err, &transfer):
		return !transfer.local && transfer.Err != nil
	default:
		return false
	}
}

// A ConnectError says that there is no connection to the site. Nothing has been
// asked of the server. It wraps what [Dial] returns.
type ConnectError struct {
	Address string // host and port
	Tries   int    // at least 1; those of several callers at the same time count once
	Err     error  // of the last
}

// Error returns what Err says.
func (e *ConnectError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *ConnectError) Unwrap() error { return e.Err }

// A dialError is one of the dialer: nobody was there.
type dialError struct{ error }

// Unwrap returns the dialer's error.
func (e *dialError) Unwrap() error { return e.error }
