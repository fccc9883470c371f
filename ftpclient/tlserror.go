package ftpclient

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
)

// StepTLS is the handshake of a control or a data connection.
const StepTLS Step = "tls"

// The connections of [TLSError.Step].
const (
	tlsControl = "control"
	tlsData    = "data"
)

// A TLSError reports a connection that could not be protected, or that broke the
// rules of TLS later; not one that the network has broken. It wraps what crypto/tls and crypto/x509 say of it, such as
// an [x509.UnknownAuthorityError], or a [*PinError].
type TLSError struct {
	Step string // "control" or "data": the connection
	Err  error
}

func (e *TLSError) Error() string { return fmt.Sprintf("tls of the %s connection: %v", e.Step, e.Err) }

// Unwrap returns Err.
func (e *TLSError) Unwrap() error { return e.Err }

// A PinError reports a server that shows another key than [Config.TLSPins] asks
// for.
type PinError struct {
	Got [32]byte // SHA-256 of the SubjectPublicKeyInfo that it showed
}

func (e *PinError) Error() string {
	return fmt.Sprintf("the server's key is not pinned: it is %x", e.Got)
}

// handshakeError returns the error of a handshake: a TLSError, unless the network
// or a deadline has ended it.
func handshakeError(step string, err error) error {
	var op *net.OpError
	below := errors.As(err, &op) && op.Op != opRemote && op.Op != opLocal
	if below || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || isTimeout(err) {
		return fmt.Errorf("tls handshake of the %s connection: %w", step, err)
	}
	return &TLSError{Step: step, Err: err}
}

// The operations of errors by which crypto/tls reports alerts, received and sent.
const (
	opRemote = "remote error"
	opLocal  = "local error"
)

// violation returns err as a TLSError if it is TLS that it reports, not the
// network below.
func violation(step string, err error) error {
	var done *TLSError
	var op *net.OpError
	var header tls.RecordHeaderError
	switch {
	case err == nil || errors.As(err, &done):
		return err
	case errors.As(err, &header),
		errors.As(err, &op) && (op.Op == opRemote || op.Op == opLocal):
		return &TLSError{Step: step, Err: err}
	default:
		return err
	}
}
