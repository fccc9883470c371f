package main

import (
	"context"
	"crypto/tls"
	"errors"
	"sync"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// A session is one run of a verb that talks to servers: the network path, and
// the connections to each site.
type session struct {
	verb  string
	o     *options
	out   *output
	path  *transport
	tls   *tls.Config        // of the connections that have it
	limit *ftpclient.Limiter // of all connections, or nil

	clients map[site]*ftpclient.Client
	tally   *tally
	bars    *progress // of transfers

	unsegmented sync.Once // it was said why files are not sent in segments

	full context.CancelCauseFunc // of untilFull, or nil

	mu   sync.Mutex
	code int // exit code so far
}

// runSession opens the network path, becomes the caller and does the work. Work
// reports its own errors with [session.failed]; what runSession returns says
// how the process ends.
//
// The order matters. Only opening the path needs root; names are looked up,
// servers dialled and files opened as the caller.
func runSession(ctx context.Context, verb string, o *options, out *output, who *caller, do work) error {
	if err := o.checkTransport(); err != nil {
		return err
	}
	tlsConfig, err := o.tls.config(who)
	if err != nil {
		return err
	}
	ctx, stop := withSignals(ctx)
	defer stop()
	path, err := openTransport(ctx, o)
	if err != nil {
		if caught := interrupted(ctx); caught != nil {
			return caught
		}
		return &hintedError{err, hintFor(err, o)}
	}
	defer path.close()
	if err := who.become(); err != nil {
		return &setupError{err}
	}
	if err := dropCapabilities(); errors.Is(err, errors.ErrUnsupported) {
		out.note("%v", err)
	} else if err != nil {
		return &setupError{err}
	}
	if out.onStdout {
		data, closeData := openData(ctx)
		defer closeData()
		out.stdout = data
	}
	o.tls.say(out, o.flags)
	s := &session{verb: verb, o: o, out: out, path: path, tls: tlsConfig, limit: o.limiter()}
	do(ctx, s)
	s.hangUp()
	if o.stats {
		for _, c := range path.counters() {
			out.line("xftp: stats: %s %d", c.name, c.value)
		}
	}
	if s.code != exitOK {
		return &reportedError{s.code}
	}
	return nil
}

// A site is what one client serves: a server, and who logs in.
type site struct {
	scheme, address, user, password, account string
	transferType                             ftpclient.Type
}

// client returns the client for r's site. All that go to one site share it.
// It must not be called while transfers run.
func (s *session) client(r remote) (*ftpclient.Client, error) {
	to := site{r.Scheme, r.Address(), r.User, r.Password, r.account, r.Type}
	if c := s.clients[to]; c != nil {
		return c, nil
	}
	c, err := ftpclient.New(r.raw, &ftpclient.Config{
		Dialer:   s.path.dialer,
		Listener: s.path.listener,
		Active:   s.o.active,
		Timeout:  s.o.timeout,
		Trace:    s.out.tracer(),
		Limiter:  s.limit,

		User:     r.User,
		Password: r.Password,
		Account:  r.account,

		VirtualHost: s.o.virtualHost,

		TLS:       s.tls,
		TLSPins:   s.o.tls.pins,
		KeepAlive: s.o.alive,
		Verify:    s.o.clientVerify(),
		Retries:   s.o.tries(),

		// Who interrupts xftp wants it to end, not to tidy the connection.
		AbortTimeout: -1,
	})
	if err != nil {
		return nil, err
	}
	if s.clients == nil {
		s.clients = make(map[site]*ftpclient.Client)
	}
	s.clients[to] = c
	return c, nil
}

// hangUp ends all connections.
func (s *session) hangUp() {
	for _, c := range s.clients {
		_ = c.Close() // everything is done, and was checked
	}
	s.clients = nil
}

// failed reports an error. If a signal has ended ctx, the error is only its
// consequence, and the signal is what is reported. So it is with a [*fullError],
// which an error may become here; that is reported only if it is err itself.
func (s *session) failed(ctx context.Context, subject string, err error, hint string) error {
	switch caught := interrupted(ctx); {
	case caught != err && as[*fullError](caught):
		return caught
	case caught != nil:
		err = caught
	case s.full != nil && isUnwritable(err):
		s.full(&fullError{subject, err})
		return err
	}
	if hint == "" {
		hint = hintFor(err, s.o)
	}
	s.out.fail(s.verb, subject, err, hint)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.code = max(s.code, exitCode(err))
	return err
}

// begin starts the counting and drawing of a run for one file or several; end
// must be called.
func (s *session) begin(several bool) {
	s.tally = newTally(several)
	s.bars = newProgress(s.out, s.tally)
}

// end ends what begin has started, and sums it up.
func (s *session) end() {
	took := time.Since(s.tally.start) // to take the bars off the screen is no part of it
	s.bars.stop()
	if s.tally.several && !s.o.quiet && !s.o.json && (s.o.verbose || !s.out.onStdout) {
		s.out.line("%s", s.tally.summary(took.Seconds(), s.path))
	}
}

// ended reports a file that was begun at start, or never if that is zero. The
// error, if any, has been reported by [session.failed].
func (s *session) ended(t transfer, start time.Time, result ftpclient.Result, err error) {
	if !start.IsZero() { // it was refused before it began
		t.Seconds = time.Since(start).Seconds()
	}
	t.Bytes = result.Bytes
	t.Retries += result.Retries
	if err == nil {
		t.Verified = result.Verified.String()
	}
	t.Error = errorOf(err)
	s.tally.end(t.Bytes, err != nil)
	s.out.finished(t, s.tally.several)
}

// transfer returns the beginning of a report.
func (s *session) transfer(r remote, path string) transfer {
	return transfer{URL: r.String(), Path: path, Net: s.path.net, Mode: s.path.mode, Segments: 1, Verified: ftpclient.VerifiedNone.String()}
}

// errorOf describes err for a report.
func errorOf(err error) *transferError {
	if err == nil {
		return nil
	}
	t := &transferError{Message: describe(err)}
	var reply *ftpclient.ReplyError
	if errors.As(err, &reply) {
		t.Code = reply.Code
	}
	return t
}

// lost reports what could not even be begun, such as a directory that cannot be
// read.
func (s *session) lost(ctx context.Context, r remote, path, subject string, err error) {
	report := s.transfer(r, path)
	report.Segments = 0
	s.tally.find(-1)
	s.ended(report, time.Now(), ftpclient.Result{}, s.failed(ctx, subject, err, ""))
}
