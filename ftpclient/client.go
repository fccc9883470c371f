package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// A Client moves files between this host and one site: one server, one login.
// It holds a pool of control connections, which it opens when they are needed
// and keeps for what comes next. Its methods may be called by several
// goroutines at once.
//
// Paths are relative to the directory that the login begins in, or absolute.
// The path of the URL is not used.
//
// A server that allows fewer connections than are asked for makes the work
// slower, and nothing else; one more is tried from time to time. A connection that
// the server has dropped is replaced, and one that saw anything unexpected is not
// used again. The functions that a caller passes in (Open, Done and so on) are
// called while connections are held, so that they must not use the Client.
type Client struct {
	cfg            Config // with defaults
	url            *URL
	user, password string
	pool           pool
	site           site
	unsegmented    refusedSegments
}

// New returns a Client for the site that rawURL names, without connecting to
// it. See [Dial] for rawURL and cfg. The caller must call Close.
func New(rawURL string, cfg *Config) (*Client, error) {
	u, err := ParseURL(rawURL)
	if err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg.withDefaults(), url: u}
	c.cfg.aim(u)
	if c.cfg.Active && c.cfg.Listener == nil {
		return nil, errNoListener
	}
	c.user, c.password = u.credentials(cfg)
	c.serialiseTrace()
	c.pool.init(c)
	return c, nil
}

// serialiseTrace keeps the promise of [Config.Trace] over several connections.
func (c *Client) serialiseTrace() {
	trace := c.cfg.Trace
	if trace == nil {
		return
	}
	var mu sync.Mutex
	c.cfg.Trace = func(line string) {
		mu.Lock()
		defer mu.Unlock()
		trace(line)
	}
}

// ErrClosed is the error of calls on a [Client] that is closed. It is also in
// the errors of calls that Close has ended.
var ErrClosed = errors.New("ftpclient: client is closed")

// Close says goodbye on the connections that nobody uses (QUIT), waiting for
// the replies for at most a second, and closes the others, which ends the calls
// that use them. It waits for the goroutines of the Client, not for those of
// callers. Further calls do nothing.
func (c *Client) Close() error {
	idle, busy := c.pool.close()
	var wg sync.WaitGroup
	errs := make([]error, len(idle)+len(busy))
	for i, conn := range idle {
		wg.Go(func() { errs[i] = goodbye(conn) })
	}
	for i, conn := range busy {
		wg.Go(func() { errs[len(idle)+i] = conn.Close() })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// goodbyeTime is how long Close waits for the reply to QUIT.
const goodbyeTime = time.Second

func goodbye(conn *Conn) error {
	if !conn.Usable() {
		return conn.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), goodbyeTime)
	defer cancel()
	_ = conn.Quit(ctx) // whatever the server makes of it
	return conn.Close()
}

// Do calls f with a connection that is logged in, and takes it back after
// that. It waits until there is one. f must not keep the Conn. A Conn whose
// working directory f has changed, or that f has sent a [Conn.Command], is not
// used again; nor is one after an error that makes the server or the network look
// unreliable. To connect is tried again as [Config.Retries] says, unless nobody
// answers at an address that nobody has been let in at yet. f is called once.
//
// The error is that of f, or else says why there is no connection: it wraps a
// [*ConnectError], the error of ctx, or [ErrClosed].
func (c *Client) Do(ctx context.Context, f func(*Conn) error) error {
	conn, err := c.pool.get(ctx, urgent)
	if err != nil {
		return fmt.Errorf("ftpclient: connect: %w", err)
	}
	defer c.pool.put(conn)
	err = f(conn)
	conn.strayed = conn.strayed || unexpected(err)
	return err
}

// connect opens a connection of the pool and logs in.
func (c *Client) connect(ctx context.Context) (*Conn, error) {
	if err := c.site.refusal(); err != nil {
		return nil, err
	}
	conn, err := dial(ctx, &c.cfg, c.url.Address())
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", c.url.Address(), &dialError{err})
	}
	fc, err := NewConn(ctx, conn, &c.cfg)
	if err != nil {
		return nil, err
	}
	if err := c.login(ctx, fc); err != nil {
		return nil, errors.Join(err, fc.Close())
	}
	fc.want = c.url.Type
	return fc, nil
}

// login logs in. Until the site has let one connection in, the logins go one
// at a time, and a refusal holds for all for some seconds: a wrong password is
// told to the server once, not once for each connection.
func (c *Client) login(ctx context.Context, conn *Conn) error {
	select {
	case c.site.entry <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if c.site.admitted() {
		<-c.site.entry
		return conn.Login(ctx, c.user, c.password)
	}
	defer func() { <-c.site.entry }()
	if err := c.site.refusal(); err != nil {
		return err
	}
	err := conn.Login(ctx, c.user, c.password)
	c.site.answered(err)
	return err
}
