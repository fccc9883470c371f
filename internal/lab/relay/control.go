package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A Control is the end of the control socket with which a relay in another
// process is asked. Its methods may be called from any goroutine.
type Control struct {
	conn *net.UnixConn

	mu   sync.Mutex // one request at a time
	last uint64     // id of the last request
}

// NewControl returns a Control, and the other end of its socket, which is
// for Run in the relay's process. The caller closes both.
func NewControl() (*Control, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "control"), os.NewFile(uintptr(fds[1]), "control")
	defer ours.Close() // FileConn takes a copy
	conn, err := net.FileConn(ours)
	if err != nil {
		return nil, nil, errors.Join(err, theirs.Close())
	}
	return &Control{conn: conn.(*net.UnixConn)}, theirs, nil
}

// Ready waits for the relay's first report. It has to be called once, before
// anything else. The context unblocks it, and so does the end of the relay if
// the caller has closed its copy of the other end.
func (c *Control) Ready(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.await(ctx, 0)
	return err
}

// Report asks for the counters.
func (c *Control) Report(ctx context.Context) (Report, error) { return c.ask(ctx, request{}) }

// Set replaces the impairment of both directions. The frames on their way stay
// on it, the generators start anew, the counters go on.
func (c *Control) Set(ctx context.Context, imp Impairment) error {
	_, err := c.ask(ctx, request{Set: &imp})
	return err
}

func (c *Control) ask(ctx context.Context, r request) (Report, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	r.ID = c.last
	b, err := json.Marshal(r)
	if err != nil {
		return Report{}, err
	}
	if _, err := c.conn.Write(b); err != nil {
		return Report{}, fmt.Errorf("ask the relay: %w", err)
	}
	return c.await(ctx, r.ID)
}

// await reads the answer to a request. Those to earlier ones, which nobody
// waited for, are skipped.
func (c *Control) await(ctx context.Context, id uint64) (Report, error) {
	if err := c.conn.SetReadDeadline(time.Time{}); err != nil {
		return Report{}, err
	}
	stop := context.AfterFunc(ctx, func() {
		_ = c.conn.SetReadDeadline(time.Unix(1, 0)) // a closed one does not block
	})
	defer stop()
	buf := make([]byte, maxMessage)
	for {
		n, err := c.conn.Read(buf)
		switch {
		case err != nil && ctx.Err() != nil:
			return Report{}, context.Cause(ctx)
		case err != nil:
			return Report{}, fmt.Errorf("answer of the relay: %w", err)
		}
		var a answer
		if err := json.Unmarshal(buf[:n], &a); err != nil {
			return Report{}, fmt.Errorf("answer of the relay: %w", err)
		}
		switch {
		case a.ID != id:
		case a.Error != "":
			return Report{}, fmt.Errorf("relay: %s", a.Error)
		default:
			return a.Report, nil
		}
	}
}

// Close lets the relay end.
func (c *Control) Close() error { return c.conn.Close() }
