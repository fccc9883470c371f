package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A Conn is one control connection to a server and what is known about it. It
// does one thing at a time: only Close may be called while another call runs.
type Conn struct {
	cfg  Config // with defaults
	ctl  *control
	peer string      // host of the control connection's peer, as an address
	tls  *protection // nil if there is none

	// What the protocol leaves pending.
	preface   preface
	owed      int  // replies to commands whose callers no longer wait
	restDirty bool // the server may still hold an offset from REST
	strayed   bool // the working directory, or more, may not be that of the login
	noops     int  // sent in this transfer and not answered
	beats     int  // sent in this transfer
	beatless  bool // they are refused
	secret    string

	// What the server may make of commands that it gets during a transfer.
	ahead     atomic.Bool // there are some
	swallowed bool        // it has refused one

	// What is known about the server.
	greeting Reply
	sent     Type // last TYPE that the server granted, or 0
	want     Type // type of the next transfer
	refused  map[string]bool
	features Features
	lore     *lore   // of its ways, shared with the other connections of a Client
	hashes   hashing // how it is asked for hashes, once that is settled
	buf      []byte  // for copying; kept between transfers
	text     []byte  // for converting text; kept likewise
	wire     *wire   // of protected data connections; kept likewise, or nil

	// draining is the data connection of an upload whose last bytes are on
	// their way, or nil.
	draining net.Conn

	mu   sync.Mutex
	dead error // why the Conn is unusable
}

// Dial connects to the server that rawURL names, waits for its greeting and
// logs in. The path of the URL is not used, its type is as if by [Conn.Type].
// See [ParseURL] for the form of rawURL and [Config.User] for who logs in.
//
// The error wraps a [*URLError], a [*TimeoutError], a [*ReplyError] or the
// error of the dialer or of ctx.
func Dial(ctx context.Context, rawURL string, cfg *Config) (*Conn, error) {
	u, err := ParseURL(rawURL)
	if err != nil {
		return nil, err
	}
	full := cfg.withDefaults()
	full.aim(u)
	conn, err := dial(ctx, &full, u.Address())
	if err != nil {
		return nil, fmt.Errorf("ftpclient: dial %s: %w", u.Address(), err)
	}
	c, err := NewConn(ctx, conn, &full)
	if err != nil {
		return nil, err
	}
	c.want = u.Type
	user, password := u.credentials(cfg)
	if err := c.Login(ctx, user, password); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// dial opens a connection within the configured time.
func dial(ctx context.Context, cfg *Config, address string) (net.Conn, error) {
	step, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	conn, err := cfg.Dialer.DialContext(step, "tcp", address)
	switch {
	case err == nil:
		return conn, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case step.Err() != nil:
		late := &TimeoutError{Step: StepDial, Wait: cfg.Timeout}
		if errors.Is(err, syscall.EHOSTUNREACH) { // which the dialer would have found out later
			late.Err = err
		}
		return nil, late
	default:
		return nil, err
	}
}

// NewConn returns a Conn over an existing connection, after the server's
// greeting; the caller is to call [Conn.Login]. If [Config.Security] asks for it,
// the connection is protected then, and so will be the data connections; the error
// is a [*ReplyError] if the server refuses that, or wraps a [*TLSError]. NewConn
// owns conn and closes it if it returns an error.
func NewConn(ctx context.Context, conn net.Conn, cfg *Config) (*Conn, error) {
	c := &Conn{
		cfg:     cfg.withDefaults(),
		want:    Binary,
		refused: make(map[string]bool),
		lore:    new(lore),
	}
	if c.cfg.Active && c.cfg.Listener == nil {
		return nil, errors.Join(errNoListener, conn.Close())
	}
	c.peer = host(conn.RemoteAddr())
	c.tls = newProtection(&c.cfg, c.peer)
	if c.cfg.Security == Implicit {
		secured, err := c.secure(ctx, conn)
		if err != nil {
			return nil, fmt.Errorf("ftpclient: %w", err)
		}
		conn = secured
	}
	c.ctl = newControl(conn, c.cfg.Security == Explicit)
	if err := c.begin(ctx); err != nil {
		_ = c.Close() // err says more
		return nil, fmt.Errorf("ftpclient: %w", err)
	}
	return c, nil
}

// begin does what is to be done before the login.
func (c *Conn) begin(ctx context.Context) error {
	if err := c.greet(ctx); err != nil {
		return fmt.Errorf("greeting: %w", err)
	}
	if c.cfg.Security == Explicit {
		if err := c.auth(ctx); err != nil {
			return fmt.Errorf("auth tls: %w", err)
		}
	}
	if c.tls == nil {
		return nil
	}
	c.tls.awaited = quirksOf(c.greeting).awaits
	if err := c.protectFirst(ctx); err != nil {
		return fmt.Errorf("protect: %w", err)
	}
	return nil
}

var errNoListener = errors.New("ftpclient: active mode without a Listener")

// greet waits until the server is ready. RFC 959, Section 5.4: 220, or 120
// ("ready in nnn minutes") and then 220, or 421.
func (c *Conn) greet(ctx context.Context) error {
	for {
		reply, err := c.wait(ctx, StepGreeting)
		switch {
		case err != nil:
			return err
		case reply.preliminary():
		case reply.class() == 2:
			c.greeting = reply
			return nil
		default:
			return reply.refuse("")
		}
	}
}

// host returns the host part of addr; all of it if it has no port.
func host(addr net.Addr) string {
	if h, _, err := net.SplitHostPort(addr.String()); err == nil {
		return h
	}
	return addr.String()
}

// Usable reports whether the Conn can take another command as far as is known:
// the connection has not ended, no reply has come that nothing asked for, and
// no earlier call had to give it up. Between two calls it sees what the server
// did meanwhile, such as closing an idle connection.
func (c *Conn) Usable() bool {
	return c.unusable() == nil && !c.ctl.ended() && len(c.ctl.replies) <= c.owed+c.preface.pending
}

// unusable returns why the Conn was given up, or nil.
func (c *Conn) unusable() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dead
}

// fail gives the Conn up because of err, which it returns.
func (c *Conn) fail(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead == nil {
		c.dead = err
		// The goroutine that reads the connection ends now; Close waits for it.
		c.ctl.drop()
	}
	return err
}

// Quit says goodbye and closes the Conn whatever the server answers (RFC 959,
// Section 4.1.1). It returns a [*ReplyError] if the server refused, and nil if
// the server closed the connection instead of answering.
func (c *Conn) Quit(ctx context.Context) error {
	_, err := c.do(ctx, "QUIT", "")
	var refusal *ReplyError
	if c.ctl.ended() && !errors.As(err, &refusal) && !errors.Is(err, ErrConnUnusable) {
		err = nil
	}
	if closed := c.Close(); err == nil {
		err = closed
	}
	return operation("quit", err)
}

// Close closes the connections at once and waits until nothing of the Conn
// runs any more. It may be called at any time, also from another goroutine,
// and unblocks a call that runs; it does not wait for that call.
func (c *Conn) Close() error {
	c.mu.Lock()
	if c.dead == nil {
		c.dead = net.ErrClosed
	}
	c.mu.Unlock()
	if err := c.ctl.stop(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("ftpclient: close: %w", err)
	}
	return nil
}

// position changes whenever the server comes closer to its next reply.
func (c *Conn) position() int64 {
	position := c.ctl.lines.Load()
	if c.draining != nil {
		position -= int64(unacknowledged(c.draining))
	}
	return position
}

// wait returns the next reply, which must make progress line by line.
func (c *Conn) wait(ctx context.Context, step Step) (Reply, error) {
	timer := time.NewTimer(c.cfg.Timeout)
	defer timer.Stop()
	seen := c.position()
	for {
		select {
		case reply, ok := <-c.ctl.replies:
			reply, err := c.took(reply, ok)
			if err == nil && c.preface.pending > 0 && reply.Code != codeClosing {
				if !reply.preliminary() {
					c.preface.pending--
				}
				continue
			}
			return reply, err
		case <-ctx.Done():
			return Reply{}, ctx.Err()
		case <-timer.C:
			now := c.position()
			if now == seen {
				return Reply{}, c.fail(&TimeoutError{Step: step, Wait: c.cfg.Timeout})
			}
			seen = now
			timer.Reset(c.cfg.Timeout)
		}
	}
}

// swallow reports whether reply, which came during a transfer, refuses a
// command that was sent ahead: no transfer that has begun ends by one of these
// (RFC 959, Section 5.4). The Conn cannot go on after that transfer.
func (c *Conn) swallow(reply Reply) bool {
	switch reply.Code {
	case 450, 500, 501, 502, 503:
		if c.ahead.Load() {
			c.swallowed = true
			return true
		}
	}
	return false
}

// took accounts for what was received from the reader: a reply, or its end.
func (c *Conn) took(reply Reply, ok bool) (Reply, error) {
	if !ok {
		return Reply{}, c.fail(c.ctl.err)
	}
	c.mask(reply)
	c.traceReply(reply)
	if reply.Code == codeClosing {
		c.fail(reply.refuse(""))
	}
	return reply, nil
}
