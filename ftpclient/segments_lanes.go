package ftpclient

import (
	"context"
	"errors"
	"time"
)

// run fetches the parts over up to count connections, or as many as pay if that is
// 0.
func (w *segmented) run(ctx context.Context, count int) (Result, error) {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	w.cancel = cancel
	w.lanes.pool, w.lanes.work = &w.client.pool, func() { w.lane(inner) }
	w.lanes.run(inner, count, w.parts.moved)
	result := Result{Bytes: w.parts.done, Size: w.parts.size, Retries: w.parts.failures, Segments: w.lanes.most}
	err := w.err
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err == nil {
		err = w.verify(ctx, &result)
	}
	return result, err
}

// changed is the error of a file that has another size now.
func (w *segmented) changed(size int64) error {
	return &IntegrityError{Kind: KindChanged, Want: w.parts.size, Got: size}
}

// lane fetches parts until there are none.
func (w *segmented) lane(ctx context.Context) {
	for ctx.Err() == nil {
		part := w.parts.take()
		if part == nil {
			return
		}
		conn, err := w.client.pool.get(ctx, patient)
		if err != nil {
			w.parts.giveBack(part, part.at, nil)
			if ctx.Err() == nil {
				w.fail(err)
			}
			return
		}
		w.lanes.enter()
		var wait time.Duration
		for part != nil && err == nil {
			from := part.at
			err = w.fetch(ctx, conn, part)
			failures := w.parts.giveBack(part, from, err)
			if err != nil && ctx.Err() == nil {
				wait = w.failed(failures, err)
			}
			conn.strayed = conn.strayed || unexpected(err)
			part = nil
			if err == nil && conn.Usable() && !w.client.pool.wanted() {
				part = w.parts.take()
			}
		}
		w.lanes.leave()
		w.client.site.learn(conn)
		w.client.pool.put(conn)
		rest(ctx, wait)
	}
}

// rest returns after wait, or when ctx is done.
func rest(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// failed ends the download because of err, or returns how long to wait before the
// next try of the part that it is about. There were so many failures of that kind.
func (w *segmented) failed(failures int, err error) time.Duration {
	detour := errors.Is(err, errDetour)
	switch {
	case detour && failures <= mostDetours*maxDetourLanes:
		return 0
	case !detour && failures <= w.client.retries() && transient(err):
		return backoff(w.client.cfg.RetryWait, failures)
	default:
		w.fail(err)
		return 0
	}
}

// maxDetourLanes is for how many lanes at a time a way may turn out not to lead
// anywhere.
const maxDetourLanes = 4
