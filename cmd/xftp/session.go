package main

import (
	"context"
	"errors"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// A session is one run of a verb that talks to servers: the network path, and
// the control connection that is open at the moment.
type session struct {
	verb string
	o    *options
	out  *output
	path *transport

	conn *ftpclient.Conn
	to   remote // what conn was made for
	code int    // exit code so far
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
	s := &session{verb: verb, o: o, out: out, path: path}
	do(ctx, s)
	s.hangUp(ctx)
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

// connect returns a control connection to r's server that is logged in. It
// takes the one that is open if that leads there.
func (s *session) connect(ctx context.Context, r remote) (*ftpclient.Conn, error) {
	if s.conn != nil && r.sameLogin(s.to) && s.conn.Usable() {
		return s.conn, nil
	}
	s.hangUp(ctx)
	s.out.hide(r.Password)
	conn, err := ftpclient.Dial(ctx, r.raw, &ftpclient.Config{
		Dialer:   s.path.dialer,
		Listener: s.path.listener,
		Active:   s.o.active,
		Timeout:  s.o.timeout,
		Trace:    s.out.trace,

		// Who interrupts xftp wants it to end, not to tidy the connection.
		AbortTimeout: -1,
	})
	if err != nil {
		return nil, err
	}
	s.conn, s.to = conn, r
	return conn, nil
}

// hangUp ends the control connection, politely if there is time for it.
func (s *session) hangUp(ctx context.Context) {
	if s.conn == nil {
		return
	}
	if s.conn.Usable() && ctx.Err() == nil {
		s.conn.Quit(ctx)
	}
	s.conn.Close()
	s.conn = nil
}

// failed reports an error. If a signal has ended ctx, the error is only its
// consequence, and the signal is what is reported.
func (s *session) failed(ctx context.Context, subject string, err error, hint string) error {
	if caught := interrupted(ctx); caught != nil {
		err = caught
	}
	if hint == "" {
		hint = hintFor(err, s.o)
	}
	s.out.fail(s.verb, subject, err, hint)
	s.code = max(s.code, exitCode(err))
	return err
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
