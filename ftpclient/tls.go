package ftpclient

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
	"time"
)

// A protection holds what the protected connections of one Conn have in common.
type protection struct {
	control, data *tls.Config
	sessions      *sessions

	granted bool // PROT P
	awaited bool // the server waits until its close_notify is answered
}

// newProtection returns the protection of connections to host, or nil if cfg asks
// for none.
func newProtection(cfg *Config, host string) *protection {
	if cfg.Security == Plain {
		return nil
	}
	config := cfg.TLS.Clone() // nil stays nil
	if config == nil {
		config = new(tls.Config)
	}
	if config.ServerName == "" {
		config.ServerName = host
	}
	config.ServerName, _, _ = strings.Cut(config.ServerName, "%") // a zone is in no certificate
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	config.DynamicRecordSizingDisabled = true // files are not read by eye
	if len(cfg.TLSPins) > 0 {
		config.VerifyConnection = pinned(cfg.TLSPins, config.VerifyConnection)
	}
	p := &protection{control: config, data: config.Clone(), sessions: new(sessions)}
	p.control.ClientSessionCache = controlSessions{p.sessions}
	p.data.ClientSessionCache = dataSessions{p.sessions}
	return p
}

// pinned returns a VerifyConnection that wants one of the pins, and what next
// wants. It is called for resumed sessions too.
func pinned(pins [][sha256.Size]byte, next func(tls.ConnectionState) error) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 {
			return errors.New("the server shows no certificate")
		}
		got := sha256.Sum256(state.PeerCertificates[0].RawSubjectPublicKeyInfo)
		if !slices.Contains(pins, got) {
			return &PinError{Got: got}
		}
		if next != nil {
			return next(state)
		}
		return nil
	}
}

// secure makes the handshake on a control connection, which is closed if it
// returns an error.
func (c *Conn) secure(ctx context.Context, conn net.Conn) (*secureControl, error) {
	step, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	secured := tls.Client(conn, c.tls.control)
	err := secured.HandshakeContext(step)
	switch {
	case err == nil:
		return &secureControl{secured}, nil
	case ctx.Err() != nil:
		err = ctx.Err()
	case step.Err() != nil:
		err = &TimeoutError{Step: StepTLS, Wait: c.cfg.Timeout}
	default:
		err = handshakeError(tlsControl, err)
	}
	_ = conn.Close() // err says more
	return nil, err
}

// codeSecure grants AUTH (RFC 4217, Section 4; RFC 2228, Section 5.1).
const codeSecure = 234

// errInjected is of bytes that somebody has put where the handshake belongs: they
// would be taken for what the server says under the protection of TLS.
var errInjected = &ProtocolError{Problem: "something in clear behind the reply to AUTH TLS"}

// auth asks for TLS on a control connection that is in clear, and makes it (AUTH
// TLS; RFC 4217, Section 4). Nothing that was said in clear is believed later but
// the greeting, and that only in so far as it says which quirks to expect. A
// refusal is a *ReplyError.
func (c *Conn) auth(ctx context.Context) error {
	reply, err := c.askAtHost(ctx, "AUTH", "TLS")
	switch {
	case err != nil:
		return err
	case reply.Code != codeSecure:
		return reply.refuse("AUTH TLS")
	}
	conn, left := c.ctl.release()
	if left {
		return c.fail(errInjected)
	}
	secured, err := c.secure(ctx, conn)
	if err != nil {
		return c.fail(err)
	}
	c.ctl = newControl(secured, false)
	return nil
}

// protect makes the data connections private (PBSZ 0, PROT P; RFC 4217, Section
// 9). A refusal is a *ReplyError.
func (c *Conn) protect(ctx context.Context) error {
	if c.tls == nil || c.tls.granted {
		return nil
	}
	// PBSZ is a form without content; if it was of importance, PROT will tell.
	if _, err := c.do(ctx, "PBSZ", "0"); err != nil && c.unusable() != nil {
		return err
	}
	if _, err := c.do(ctx, "PROT", "P"); err != nil {
		return err
	}
	c.tls.granted = true
	return nil
}

// protectFirst is protect before the login, so that nobody logs in where files
// would go in clear. A server may want to know first who asks (530, or 503 for
// the order of the commands): it is asked again after the login.
func (c *Conn) protectFirst(ctx context.Context) error {
	err := c.protect(ctx)
	var refusal *ReplyError
	if errors.As(err, &refusal) && (refusal.Code == 530 || refusal.Code == 503) {
		return nil
	}
	return err
}

// A secureControl is a control connection under TLS.
type secureControl struct{ *tls.Conn }

// farewell is the longest that a close waits to say that it is one.
const farewell = time.Second

// Close says that the connection ends (close_notify) and closes it.
func (s *secureControl) Close() error {
	below := s.NetConn()
	late := time.AfterFunc(farewell, func() { _ = below.Close() })
	defer late.Stop()
	_ = s.Conn.Close() // its errors are those of saying so
	return nil
}

// aim takes from u what concerns TLS.
func (cfg *Config) aim(u *URL) {
	cfg.Security = u.security()
	if cfg.Security == Plain {
		return
	}
	if cfg.TLS = cfg.TLS.Clone(); cfg.TLS == nil {
		cfg.TLS = new(tls.Config)
	}
	if cfg.TLS.ServerName == "" {
		cfg.TLS.ServerName = u.Host
	}
}
