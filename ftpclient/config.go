package ftpclient

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"net"
	"time"
)

// A Dialer opens the control connection and passive data connections. network
// is always "tcp". DialContext must return when ctx is done. [*net.Dialer]
// satisfies it.
//
// If a connection has a WriteTo or ReadFrom method of its own, data is moved
// through it; see [io.WriterTo] and [io.ReaderFrom]. Of these it uses what there
// is: CloseWrite() error, to end an upload; SetLinger(sec int) error, to break
// one off by a reset; Unacknowledged() int, the number of bytes written that
// the peer has not acknowledged, to tell a slow end of an upload from a dead
// server (for a *net.TCPConn the kernel is asked).
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// A Listener opens the listening endpoints of active mode. network is always
// "tcp" and the port in address is 0. Closing the net.Listener must unblock
// its Accept. [*net.ListenConfig] satisfies it.
type Listener interface {
	Listen(ctx context.Context, network, address string) (net.Listener, error)
}

var (
	_ Dialer   = (*net.Dialer)(nil)
	_ Listener = (*net.ListenConfig)(nil)
)

const (
	defaultTimeout      = 30 * time.Second
	defaultAbortTimeout = 2 * time.Second
	defaultRetries      = 3
	defaultRetryWait    = time.Second

	anonymousUser     = "anonymous"
	anonymousPassword = "anonymous@"
)

// A Config says how to connect and how long to wait. The zero Config, or a nil
// *Config, is an anonymous login over the kernel with passive data
// connections. It must not be modified after it was passed in.
type Config struct {
	// Dialer opens connections. If nil, a zero net.Dialer is used.
	Dialer Dialer

	// Listener opens the endpoints of active mode. If nil there is no active
	// mode.
	Listener Listener

	// Active makes the server open the data connections (EPRT, or PORT if the
	// server refuses that). It needs a Listener.
	Active bool

	// Timeout is the longest wait without progress in any one step: to
	// connect, for a line of a reply, for data to move. It does not limit the
	// whole of an operation. If zero, it is 30 seconds.
	Timeout time.Duration

	// AbortTimeout is the longest that a transfer which was cancelled, or
	// whose local file failed, spends on bringing the control connection back
	// into order (ABOR). If zero, it is 2 seconds. If negative, it is not
	// tried and the Conn is unusable afterwards.
	AbortTimeout time.Duration

	// KeepAlive is how often a NOOP is sent on a control connection while a
	// transfer that it began lasts, for the sake of whatever forgets idle
	// connections: routers, and servers that count the idle time of a session
	// without the transfers. The reply to each is accounted for. Servers that
	// are known to answer out of turn, or to lose such commands, get none. If
	// zero, none are sent: TCP's own keep-alive serves most.
	KeepAlive time.Duration

	// Retries is how often a [Client] begins one file, one listing or one
	// operation again after an error that may pass: a reply of 4yz, a time-out, a
	// connection that could not be made or was lost. Progress does not set the
	// count back. If zero, it is 3; if negative, nothing is tried again.
	Retries int

	// RetryWait is how long a Client waits before the first of those tries. It
	// is doubled each time, up to 30 seconds, and then shortened at random by
	// up to half, so that many clients do not come back together. If zero, it
	// is 1 second.
	RetryWait time.Duration

	// MaxConns is the most control connections that a [Client] has at a time.
	// If zero, there are as many as its work asks for and the server allows.
	MaxConns int

	// Ahead is how many files a [Client] takes from a sequence for each connection
	// before their turn. If zero, it is 4. The first of them is asked for before the
	// one that is under way has ended, except of servers that are known to lose
	// commands then. The others are not: if a server lost what asks for one, it could
	// not be told from the next. If negative, each command waits for the reply to the
	// one before, as with servers that lose even those.
	Ahead int

	// Limiter, if not nil, limits what moves over the data connections of all
	// that share it. Time that is spent waiting for it does not count for Timeout.
	Limiter *Limiter

	// User and Password log in where the URL names no user. If User is empty
	// the login is anonymous. Where the URL names a user but no password,
	// Password is used if User is that user or empty.
	User, Password string

	// Account answers a server that asks for one (ACCT; RFC 959, Section
	// 4.1.1).
	Account string

	// VirtualHost, if not empty, is the name by which the server is to know which of its
	// hosts is meant (HOST; RFC 7151). It is sent before the login, and with
	// [Explicit] also before AUTH TLS, since the certificate may depend on it. A
	// server that does not know the name, usually 504, or not the command, is
	// refused: the error is a [*ReplyError] about HOST.
	VirtualHost string

	// ClientName, if not empty, is what the server is told about the program that uses
	// it, after the login (CLNT). What it answers does not matter.
	ClientName string

	// Security says whether the connections are protected by TLS, for [NewConn].
	// [Dial] and [New] take it from the scheme of the URL and ignore this.
	Security Security

	// TLS holds the particulars of protected connections: roots to trust, a
	// certificate to show. If nil, the server's certificate is verified by the
	// roots of the system, for the host in the URL. It is cloned; of the copy,
	// ServerName is the host in the URL if it is empty, MinVersion is at least
	// TLS 1.2, and ClientSessionCache is replaced by one for each control
	// connection, whose session its data connections resume. Where nothing is
	// to be verified, that is for InsecureSkipVerify to say.
	TLS *tls.Config

	// TLSPins, if there are any, are the keys of which the server must show one:
	// the SHA-256 of the SubjectPublicKeyInfo of its own certificate (RFC 7469,
	// Section 2.4). They are checked beside the certificate, and also where TLS
	// says that that is not verified.
	TLSPins [][sha256.Size]byte

	// Verify says what a transfer is compared with before it is called good. The
	// zero value compares the size where the server tells it.
	Verify Verify

	// Trace, if not nil, is called with each command sent ("> RETR x") and
	// each line of each reply ("< 226 done"). Passwords are masked. It is never
	// called twice at the same time, but not always from the same goroutine.
	Trace func(line string)
}

// withDefaults returns a copy of cfg whose unset fields hold their defaults.
func (cfg *Config) withDefaults() Config {
	var c Config
	if cfg != nil {
		c = *cfg
	}
	if c.Dialer == nil {
		c.Dialer = &net.Dialer{}
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	if c.AbortTimeout == 0 {
		c.AbortTimeout = defaultAbortTimeout
	}
	switch {
	case c.Retries == 0:
		c.Retries = defaultRetries
	case c.Retries < 0:
		c.Retries = 0
	}
	if c.RetryWait <= 0 {
		c.RetryWait = defaultRetryWait
	}
	return c
}
