package ftpclient

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"
)

// A job is one file that is to be moved, or one operation, and what has become of
// it.
type job struct {
	verb, path string
	offset     int64
	size       int64  // of the whole file, or not positive
	rename     string // of an upload, or empty
	list       bool   // a listing of path; verb is chosen when the server is known
	op         *operating
	truncated  string // what the server says of entries that a list leaves out
	told       func(Attributes)
	writer     func() (io.Writer, error)
	reader     func() (io.Reader, error)
	before     func() (io.Reader, error) // the bytes before offset, or nil
	check      func() error              // an upload that ended well, or nil
	progress   func(done, total int64)
	done       func(Result, error)

	known   int64  // size that told was last called with
	opened  bool   // writer or reader was called, which is done once
	digest  digest // of what has passed
	detours int    // times that it has to go another way, with what was learned
	begun          // in earlier tries

	due   time.Time   // when it is tried again
	rouse *time.Timer // then
}

// end tells the caller what became of the job.
func (j *job) end(result Result, err error) {
	if j.done != nil {
		name := "retr"
		switch {
		case j.op != nil:
			name = string(j.op.kind)
		case j.verb == "STOR":
			name = "stor"
		}
		if j.held != nil {
			result.Bytes = j.held.n
		}
		result.Retries = j.failures
		j.done(result, operation(name, err))
	}
}

// A backlog holds the jobs that are not begun.
type backlog struct {
	mu       sync.Mutex
	changed  sync.Cond
	jobs     []*job
	resting  []*job // until they are due
	begun    int    // jobs that lanes have taken and not ended
	coming   int    // lanes on their way to a connection, each for one job
	complete bool   // no more jobs come from the supply
	room     int    // jobs that are read ahead
	lanes    int
	err      error // why the work has ended early
	cancel   context.CancelCauseFunc
}

// A supply yields jobs, and ends soon after ctx is done.
type supply func(ctx context.Context, yield func(*job) bool)

// work carries the jobs out over at most parallel connections, in the type of the
// URL.
func (c *Client) work(ctx context.Context, jobs supply, parallel int) error {
	return c.workAs(ctx, c.url.Type, jobs, parallel)
}

// workAs is work in another type.
func (c *Client) workAs(ctx context.Context, want Type, jobs supply, parallel int) error {
	pipe := func(ctx context.Context, conn *Conn, b *backlog, claim *bool) {
		conn.want = want
		p := newPipeline(c, conn, b)
		p.claim = claim
		p.run(ctx)
	}
	return c.workBy(ctx, 2+c.ahead(), pipe, jobs, parallel)
}

// A worker does jobs of a backlog on one Conn, until there are none waiting,
// somebody else needs it, or it is lost. claim is on the first of them.
type worker func(ctx context.Context, conn *Conn, b *backlog, claim *bool)

// workBy carries the jobs out by worker. room is how many are read ahead for each
// connection.
func (c *Client) workBy(ctx context.Context, room int, w worker, jobs supply, parallel int) error {
	parallel = max(parallel, 1)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	b := &backlog{room: parallel * room, lanes: parallel, cancel: cancel}
	b.changed.L = &b.mu
	stop := context.AfterFunc(ctx, b.interrupt)
	defer stop()

	var wg sync.WaitGroup
	wg.Go(func() { b.fill(ctx, jobs) })
	for range parallel {
		wg.Go(func() { c.lane(ctx, b, w) })
	}
	wg.Wait()
	return b.finish(ctx)
}

// fill takes jobs from the supply as fast as they are begun.
func (b *backlog) fill(ctx context.Context, jobs supply) {
	jobs(ctx, func(j *job) bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		for len(b.jobs) >= b.room && ctx.Err() == nil {
			b.changed.Wait()
		}
		b.jobs = append(b.jobs, j)
		b.changed.Broadcast()
		return ctx.Err() == nil
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complete = true
	b.changed.Broadcast()
}

func (b *backlog) interrupt() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.changed.Broadcast()
}

// await waits until there is a job that no other lane is about to take, and
// returns false if there will be none.
func (b *backlog) await(ctx context.Context) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.awake() <= b.coming && ctx.Err() == nil {
		if b.complete && b.begun == 0 && len(b.jobs) == 0 && len(b.resting) == 0 {
			return false
		}
		b.changed.Wait()
	}
	if ctx.Err() != nil {
		return false
	}
	b.coming++
	return true
}

// leave gives up what await has claimed, if it is not taken.
func (b *backlog) leave(claim *bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.redeem(claim)
}

// redeem ends a claim, if there is one. The caller holds mu.
func (b *backlog) redeem(claim *bool) {
	if *claim {
		*claim = false
		b.coming--
		b.changed.Broadcast()
	}
}

// take returns a job to begin, or nil if at most spare are there, or if fits
// does not want the next one. It redeems the claim in the same step, so that no
// other lane sees the job without it. With ahead it is one that is not to begin
// at once; then those are left which others are on their way to.
func (b *backlog) take(claim *bool, ahead bool, spare int, fits func(*job) bool) *job {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.redeem(claim)
	b.awake()
	if ahead {
		spare += b.coming
	}
	if len(b.jobs) <= spare || fits != nil && !fits(b.jobs[0]) {
		return nil
	}
	j := b.jobs[0]
	b.jobs = b.jobs[1:]
	b.begun++
	b.changed.Broadcast()
	return j
}

// end tells the caller what became of a job that was taken.
func (b *backlog) end(j *job, result Result, err error) {
	j.end(result, err)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.begun--
	b.changed.Broadcast()
}

// rest puts a job that was taken aside for some time.
func (b *backlog) rest(j *job, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.begun--
	j.due, j.rouse = time.Now().Add(wait), time.AfterFunc(wait, b.interrupt)
	b.resting = append(b.resting, j)
	b.changed.Broadcast()
}

// awake puts the jobs that have rested before all others, and returns how many
// can be taken. The caller holds mu.
func (b *backlog) awake() int {
	now := time.Now()
	b.resting = slices.DeleteFunc(b.resting, func(j *job) bool {
		if now.Before(j.due) {
			return false
		}
		b.jobs = append([]*job{j}, b.jobs...)
		return true
	})
	return len(b.jobs)
}

// giveBack puts jobs that were taken back, before all others.
func (b *backlog) giveBack(jobs ...*job) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.begun -= len(jobs)
	b.jobs = append(jobs[:len(jobs):len(jobs)], b.jobs...)
	b.changed.Broadcast()
}

// waiting returns how many jobs no lane has a claim on.
func (b *backlog) waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.jobs) - b.coming
}

// fail ends the work because of err.
func (b *backlog) fail(err error) {
	b.mu.Lock()
	if b.err == nil {
		b.err = err
	}
	b.mu.Unlock()
	b.cancel(err)
}

// finish tells the jobs that were never begun, and returns why the work ended.
func (b *backlog) finish(ctx context.Context) error {
	err := b.err
	if err == nil {
		err = ctx.Err()
	}
	for _, j := range b.jobs {
		j.end(Result{Size: -1}, err)
	}
	for _, j := range b.resting {
		j.rouse.Stop()
		j.end(Result{Size: -1}, errors.Join(err, j.cause))
	}
	return err
}

// lane does jobs one after the other on one connection at a time.
func (c *Client) lane(ctx context.Context, b *backlog, w worker) {
	for b.await(ctx) {
		claim := true
		conn, err := c.pool.get(ctx, patient)
		if err != nil {
			b.leave(&claim)
			b.fail(err)
			return
		}
		w(ctx, conn, b, &claim)
		b.leave(&claim)
		c.pool.put(conn)
	}
}

// ahead returns how many files are asked for before their turn.
func (c *Client) ahead() int {
	switch {
	case c.cfg.Ahead < 0:
		return 0
	case c.cfg.Ahead == 0:
		return defaultAhead
	default:
		return c.cfg.Ahead
	}
}

const defaultAhead = 4
