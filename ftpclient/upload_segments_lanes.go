package ftpclient

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// A sending is an upload in segments under way.
type sending struct {
	client *Client
	path   string
	src    io.ReaderAt
	size   int64
	lanes  lanes

	mu       sync.Mutex
	free     []Range // nobody sends
	taken    []Range
	stored   int64 // bytes that the server has confirmed
	sent     int64 // bytes that have gone, those of parts that broke not counted
	total    int64
	failures int
	err      error // the first that ended it
	cancel   context.CancelFunc

	progress func(done, total int64)
	written  func([]Range)
}

// run sends the parts over up to count connections, or as many as pay if that is 0.
func (w *sending) run(ctx context.Context, count int, result *Result) error {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	w.cancel = cancel
	w.lanes.pool, w.lanes.work = &w.client.pool, func() { w.lane(inner) }
	w.lanes.run(inner, min(count, max(len(w.free), 1)), w.moved)
	result.Bytes, result.Retries, result.Segments = w.stored, w.failures, w.lanes.most
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return w.err
}

func (w *sending) moved() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent
}

// fail ends the upload because of err.
func (w *sending) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
	w.cancel()
}

// take returns a part to send, if there is one, and how many failures there were by
// then.
func (w *sending) take() (r Range, round int, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.free) == 0 {
		return r, 0, false
	}
	r = w.free[0]
	w.free = w.free[1:]
	w.taken = append(w.taken, r)
	return r, w.failures, true
}

// giveBack ends the work on a part, of which so many bytes have gone, with the error
// that ended it.
func (w *sending) giveBack(r Range, gone int64, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.taken = slices.DeleteFunc(w.taken, func(other Range) bool { return other == r })
	if err != nil {
		w.free = slices.Insert(w.free, 0, r)
		w.sent -= gone
		return
	}
	w.stored += r.To - r.From
	if w.written != nil {
		w.written(w.missing())
	}
}

// missing returns what the server has not confirmed. The caller holds mu.
func (w *sending) missing() []Range {
	all := slices.Concat(w.free, w.taken)
	slices.SortFunc(all, byPlace)
	runs := all[:0]
	for _, r := range all {
		if n := len(runs); n > 0 && runs[n-1].To == r.From {
			runs[n-1].To = r.To
		} else {
			runs = append(runs, r)
		}
	}
	return runs
}

// lane sends parts until there are none.
func (w *sending) lane(ctx context.Context) {
	for ctx.Err() == nil {
		part, round, ok := w.take()
		if !ok {
			return
		}
		conn, err := w.client.pool.get(ctx, patient)
		if err != nil {
			w.giveBack(part, 0, err)
			if ctx.Err() == nil {
				w.fail(err)
			}
			return
		}
		w.lanes.enter()
		var wait time.Duration
		left := false
		for ok && err == nil {
			var gone int64
			gone, err = w.store(ctx, conn, part)
			w.giveBack(part, gone, err)
			if err != nil && ctx.Err() == nil {
				if left = further(err) && w.lanes.leaveTo(); !left {
					wait = w.failed(round, err)
				}
			}
			conn.strayed = conn.strayed || unexpected(err)
			ok = false
			if err == nil && conn.Usable() && !w.client.pool.wanted() {
				part, round, ok = w.take()
			}
		}
		if !left {
			w.lanes.leave()
		}
		w.client.site.learn(conn)
		w.client.pool.put(conn)
		if left {
			return
		}
		rest(ctx, wait)
	}
}

// further reports whether err may be that of one upload too many: the server has
// refused it, or does not begin with it.
func further(err error) bool {
	var refusal *ReplyError
	var timeout *TimeoutError
	return errors.As(err, &refusal) || errors.As(err, &timeout) && timeout.Step == StepReply
}

// failed ends the upload because of err, or returns how long to wait before the next
// try. The part that it is about was taken after so many failures: of those that are
// under way at the same time one counts.
func (w *sending) failed(round int, err error) time.Duration {
	w.mu.Lock()
	again := transient(err) && round < w.client.retries()
	if again {
		w.failures = max(w.failures, round+1)
	}
	w.mu.Unlock()
	if !again {
		w.fail(err)
		return 0
	}
	return backoff(w.client.cfg.RetryWait, round+1)
}

// store sends one part. The error is nil if the server has confirmed it; gone is how
// much was sent.
func (w *sending) store(ctx context.Context, conn *Conn, part Range) (gone int64, err error) {
	return w.send(ctx, conn, part, io.NewSectionReader(w.src, part.From, part.To-part.From))
}

// send sends what r reads to where part is.
func (w *sending) send(ctx context.Context, conn *Conn, part Range, r io.Reader) (gone int64, err error) {
	conn.want = Binary
	if err := conn.setType(ctx, Binary); err != nil {
		return 0, err
	}
	m := &meter{total: -1, progress: func(done, _ int64) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.sent += done - gone
		gone = done
		if w.progress != nil && w.total > 0 {
			w.progress(w.sent, w.total)
		}
	}}
	t := &transfer{verb: "STOR", path: w.path, offset: part.From, upload: true, meter: m}
	t.copy = func(data net.Conn) (int64, error) {
		n, err := conn.upload(data, r, m)
		if err == nil && n < part.To-part.From {
			err = &localError{io.ErrUnexpectedEOF} // the file has been cut meanwhile
		}
		return n, err
	}
	err = conn.run(ctx, t)
	if err == nil && t.early {
		err = &TransferError{Bytes: t.moved, Err: errEarly}
	}
	return gone, err
}
