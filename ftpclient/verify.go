package ftpclient

import "errors"

// A Verify says what a transfer is compared with before it is called good. What
// is known is always compared; it says what has to be known.
//
// Sizes are compared where the type is [Binary] and all bytes of a file have
// come or gone. A hash is compared for whole files: for a transfer with an
// Offset the library needs the bytes before it; see TransferOptions.Before.
type Verify uint8

// The ways. For those that demand a check which the server refuses, the transfer
// ends by an [*IntegrityError] of [KindUnverified].
const (
	// VerifyAuto asks for the size (SIZE, or else MLST). A server that tells
	// none gives a good Result that says [VerifiedNone].
	VerifyAuto Verify = iota

	// VerifySize demands that a size was told, and agrees.
	VerifySize

	// VerifyHash demands that a hash of the whole file agrees, beside each
	// size that is told; see [Conn.Hash]. A server without a command for it is
	// found out before the transfer begins. On a [Client] each command then
	// waits for the reply to the one before.
	VerifyHash

	// VerifyNone asks for nothing that the transfer does not need. The clean
	// end of the data connection and the server's positive last reply are
	// still demanded, and what happens to be known is still compared.
	VerifyNone
)

// String returns "auto", "size", "hash" or "none".
func (v Verify) String() string {
	switch v {
	case VerifySize:
		return "size"
	case VerifyHash:
		return "hash"
	case VerifyNone:
		return "none"
	default:
		return "auto"
	}
}

// Verified says by what a transfer was found complete, beyond the clean end of
// the data connection and the server's word.
type Verified uint8

// The ways, each stronger than the one before.
const (
	VerifiedNone Verified = iota // by nothing: the server told no size
	VerifiedSize                 // the byte count equals every size that the server told
	VerifiedHash                 // a hash of the file, computed by the server, is that of the bytes moved
)

// String returns "none", "size" or "hash".
func (v Verified) String() string {
	switch v {
	case VerifiedSize:
		return "size"
	case VerifiedHash:
		return "hash"
	default:
		return "none"
	}
}

// errTyped is why a text is not compared: its lines end otherwise on the way.
var errTyped = errors.New("the type is not binary")

// unverified is the error of a transfer that the demanded check is refused for.
func unverified(err error) error { return &IntegrityError{Kind: KindUnverified, Err: err} }

// verifiable refuses a transfer that cannot be checked as the caller demands,
// before it begins.
func (c *Conn) verifiable() error {
	if c.want != Binary && (c.cfg.Verify == VerifySize || c.cfg.Verify == VerifyHash) {
		return unverified(errTyped)
	}
	return nil
}

// sizing reports whether sizes are asked for.
func (c *Conn) sizing() bool { return c.want == Binary && c.cfg.Verify != VerifyNone }

// lacks reports whether the server is known not to have a command.
func (c *Conn) lacks(verb string) bool {
	return c.refused[verb] || c.features != nil && !c.features.Has(verb) && verb == "MLST"
}

// sizeVerb returns the command that asks for a size, or "".
func (c *Conn) sizeVerb() string {
	switch {
	case !c.sizing():
		return ""
	case !c.lacks("SIZE"):
		return "SIZE"
	case !c.lacks("MLST"):
		return "MLST"
	default:
		return ""
	}
}

// mayHash reports whether the server may have a command that hashes.
func (c *Conn) mayHash() bool {
	if c.features == nil {
		return true
	}
	_, ok := hashingOf(c.features)
	return ok
}
