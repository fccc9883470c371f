package ftpclient

// A Security says whether and how connections are protected by TLS. There is no
// way from one to another: a server that refuses what is asked for gets no user,
// no password and no file.
type Security uint8

// The ways.
const (
	// Plain is no protection.
	Plain Security = iota

	// Explicit protects the control connection before the login, and each data
	// connection (AUTH TLS, PBSZ, PROT P; RFC 4217).
	Explicit

	// Implicit protects both from their first byte, on a port of its own.
	Implicit
)

// String returns "plain", "explicit" or "implicit".
func (s Security) String() string {
	switch s {
	case Explicit:
		return "explicit"
	case Implicit:
		return "implicit"
	default:
		return "plain"
	}
}

// port returns where servers listen that are spoken to in this way.
func (s Security) port() int {
	if s == Implicit {
		return implicitPort
	}
	return defaultPort
}
