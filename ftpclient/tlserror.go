package ftpclient

import (
	"crypto/tls"
	"errors"
	"fmt"
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
// rules of TLS later. It wraps what crypto/tls and crypto/x509 say of it, such as
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

func (e *PinError) Error() string { return fmt.Sprintf("the server's key is not pinned: it is %x", e.Got) }

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
		errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error"):
		return &TLSError{Step: step, Err: err}
	default:
		return err
	}
}
