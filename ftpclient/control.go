package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// past is a deadline that makes blocked and later calls return at once.
var past = time.Unix(1, 0)

// A control is a control connection. One goroutine reads its replies for as
// long as it lives, so that a reply which comes during a transfer, or between
// two commands, is seen when it comes; stop waits for that goroutine.
type control struct {
	conn    net.Conn
	replies chan Reply   // closed when the connection has ended
	lines   atomic.Int64 // reply lines read so far
	err     error        // why replies was closed; read it after that

	sending  sync.Mutex // held while commands are written
	quit     chan struct{}
	done     chan struct{}
	stopping sync.Once

	auth bool // reading ends behind the reply to AUTH TLS
	left bool // and something stood there
}

// maxReplies is how many replies can wait to be looked at. It is more than
// there are for the commands that are sent at once, so that a server is never
// kept from reading by what it has to say.
const maxReplies = 64

// newControl starts to read conn, which it owns from then on. If auth, it reads up
// to the reply that grants AUTH TLS; then there must be a release.
func newControl(conn net.Conn, auth bool) *control {
	ctl := &control{
		conn:    conn,
		auth:    auth,
		replies: make(chan Reply, maxReplies),
		quit:    make(chan struct{}),
		done:    make(chan struct{}),
	}
	go ctl.read()
	return ctl
}

// read passes replies on until the connection ends or stop is called.
func (ctl *control) read() {
	defer close(ctl.done)
	defer close(ctl.replies)
	rr := newReplyReader(ctl.conn, &ctl.lines)
	for {
		reply, err := rr.read()
		if err != nil {
			ctl.err = controlError(err)
			return
		}
		ending := ctl.auth && reply.Code == codeSecure
		ctl.left = ending && rr.r.Buffered() > 0
		select {
		case ctl.replies <- reply:
		case <-ctl.quit:
			ctl.err = controlError(net.ErrClosed)
			return
		}
		if ending {
			ctl.err = controlError(net.ErrClosed)
			return
		}
	}
}

// stop closes the connection and waits until its reader has ended. Under TLS it
// says that it does so, unless the server has ended it before.
func (ctl *control) stop() (err error) {
	ctl.stopping.Do(func() {
		close(ctl.quit)
		if ctl.ended() {
			ctl.drop()
		}
		err = ctl.conn.Close()
	})
	<-ctl.done
	return err
}

// release gives the connection back after the reply that grants AUTH TLS. left
// says that more than that reply was read.
func (ctl *control) release() (conn net.Conn, left bool) {
	<-ctl.done
	return ctl.conn, ctl.left
}

// drop closes the connection as it is, also one under TLS. stop is still to be
// called.
func (ctl *control) drop() {
	conn := ctl.conn
	if secured, ok := conn.(*secureControl); ok {
		conn = secured.NetConn()
	}
	_ = conn.Close() // nothing can be done with it any more
}

// ended reports whether the reader has ended.
func (ctl *control) ended() bool {
	select {
	case <-ctl.done:
		return true
	default:
		return false
	}
}

// write sends lines, in one piece. It returns the error of ctx if that is done first.
func (ctl *control) write(ctx context.Context, timeout time.Duration, lines ...string) error {
	return ctl.writeIf(ctx, timeout, func() bool { return true }, lines...)
}

// writeIf is write if may returns true. No others are written between.
func (ctl *control) writeIf(ctx context.Context, timeout time.Duration, may func() bool, lines ...string) error {
	ctl.sending.Lock()
	defer ctl.sending.Unlock()
	if !may() {
		return nil
	}
	if err := ctl.conn.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
		return controlError(err)
	}
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(interrupted)
		// The error does not matter: the write that it is for fails as well.
		_ = ctl.conn.SetWriteDeadline(past)
	})
	_, err := io.WriteString(ctl.conn, strings.Join(lines, "\r\n")+"\r\n")
	if !stop() {
		<-interrupted // or it would spoil the deadline of the next write
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case isTimeout(err):
		return &TimeoutError{Step: StepReply, Wait: timeout}
	default:
		return controlError(err)
	}
}

// controlError says that err is one of the control connection. The end of the
// stream is never expected there.
func controlError(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("control connection closed by the server: %w", io.ErrUnexpectedEOF)
	}
	var protocol *ProtocolError
	var violated *TLSError
	if err = violation(tlsControl, err); errors.As(err, &protocol) || errors.As(err, &violated) {
		return err
	}
	return fmt.Errorf("control connection: %w", err)
}

// isTimeout reports whether err is that of a deadline.
func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}
