package ftpclient

import (
	"cmp"
	"context"
	"errors"
	"slices"
)

const (
	// mostAtOnce is how many operations are sent at once. Their replies have room
	// where replies wait.
	mostAtOnce = maxReplies / 4
)

// An operator carries operations out on one Conn.
type operator struct {
	client  *Client
	c       *Conn
	backlog *backlog
	claim   *bool // on a job of the backlog
	single  bool  // each command waits for the reply to the one before
	census  census
}

// operate carries operations out on conn, until there are none waiting, somebody
// else needs it, or it is lost.
func (c *Client) operate(ctx context.Context, conn *Conn, b *backlog, claim *bool) {
	o := &operator{
		client: c, c: conn, backlog: b, claim: claim,
		single: c.cfg.Ahead < 0 || quirksOf(conn.greeting).lockstep,
	}
	for conn.unusable() == nil && !conn.strayed && ctx.Err() == nil && !c.pool.wanted() {
		jobs := o.take()
		if len(jobs) == 0 {
			return
		}
		o.carryOut(ctx, jobs)
	}
}

// take returns the operations to be sent next. Some are left for the other lanes.
func (o *operator) take() (jobs []*job) {
	for len(jobs) < mostAtOnce {
		j := o.backlog.take(o.claim, len(jobs) > 0, (o.backlog.lanes-1)*len(jobs), nil)
		if j == nil {
			break
		}
		jobs = append(jobs, j)
	}
	return jobs
}

// carryOut carries operations out in their order.
func (o *operator) carryOut(ctx context.Context, jobs []*job) {
	for len(jobs) > 0 {
		sent := o.together(ctx, jobs)
		if len(sent) == 0 {
			sent = []*dispatch{{job: jobs[0]}}
			o.conclude(ctx, sent[0], o.stepwise(ctx, jobs[0].op))
		} else {
			o.flight(ctx, sent)
		}
		jobs = jobs[len(sent):]
		if o.c.unusable() != nil || o.c.strayed || ctx.Err() != nil {
			o.backlog.giveBack(jobs...) // nothing was sent of them
			return
		}
	}
}

// A dispatch is an operation whose commands are sent with those of others.
type dispatch struct {
	*job
	questions []question
	way       *way // of those that have several
}

// together returns the first of the operations as far as they can be sent at once.
func (o *operator) together(ctx context.Context, jobs []*job) (all []*dispatch) {
	bytes := 0
	for _, j := range jobs {
		s, ok := o.prepare(ctx, j)
		if !ok {
			break
		}
		for _, q := range s.questions {
			bytes += len(commandLine(q.verb, q.arg)) + len("\r\n")
		}
		if bytes > maxAhead && len(all) > 0 {
			break
		}
		all = append(all, s)
	}
	return all
}

// prepare returns the commands of an operation, if they can be sent before others
// are answered.
func (o *operator) prepare(ctx context.Context, j *job) (*dispatch, bool) {
	op := j.op
	if o.single || j.failures > 0 || op.unsure != nil || op.check(o.c) != nil {
		return nil, false
	}
	s := &dispatch{job: j}
	switch op.kind {
	case opRename:
		s.questions = []question{{verb: "RNFR", arg: op.path}, {verb: "RNTO", arg: op.to}}
	case opExists:
		if o.c.features == nil {
			return nil, false
		}
		s.questions = o.c.existsQuestions(op.path)
	case opModTime:
		if o.c.refused["MDTM"] {
			return nil, false
		}
		s.questions = []question{{verb: "MDTM", arg: op.path}}
	case opChmod, opSetModTime, opSetCreateTime:
		if o.c.features == nil && op.kind != opSetCreateTime {
			return nil, false
		}
		ways, err := o.ways(ctx, op) // which asks for nothing now
		ways = slices.DeleteFunc(ways, func(w way) bool { return o.c.lore.lacks(w.name) != nil })
		if err != nil || len(ways) == 0 || !o.c.lore.proves(ways[0].name) {
			return nil, false
		}
		s.way = &ways[0]
		s.questions = []question{{verb: s.way.verb, arg: s.way.arg}}
	default:
		s.questions = []question{{verb: operationVerbs[op.kind], arg: op.path}}
	}
	return s, len(s.questions) > 0
}

// operationVerbs holds the commands of operations that have one.
var operationVerbs = map[operationKind]string{opDelete: "DELE", opMakeDir: "MKD", opRemoveDir: "RMD"}

// check refuses the operation that cannot be sent.
func (op *operating) check(c *Conn) error {
	err := checkPath(string(op.kind), op.path)
	if err == nil && op.kind == opRename {
		err = checkPath(string(op.kind), op.to)
	}
	if err == nil {
		err = c.checkTaken(cmp.Or(operationVerbs[op.kind], string(op.kind)), op.path)
	}
	if err == nil && op.kind == opRename {
		err = c.checkTaken("RNTO", op.to)
	}
	return err
}

// flight sends operations at once and takes the replies.
func (o *operator) flight(ctx context.Context, all []*dispatch) {
	err := o.c.settle(ctx)
	if err == nil {
		var lines []string
		for _, s := range all {
			for _, q := range s.questions {
				lines = append(lines, commandLine(q.verb, q.arg))
			}
		}
		err = o.c.write(ctx, lines...)
	}
	var open []*dispatch // questions that the replies do not decide
	for i, s := range all {
		var result error
		if err == nil {
			result, err = o.replies(ctx, s)
		}
		switch {
		case err != nil:
			o.lost(ctx, append(open, all[i:]...), err)
			return
		case errors.Is(result, errDetour):
			open = append(open, s)
		default:
			o.conclude(ctx, s, result)
		}
	}
	for i, s := range open {
		o.conclude(ctx, s, o.again(ctx, s))
		if o.c.unusable() != nil || o.c.strayed || ctx.Err() != nil {
			var back []*job
			for _, s := range open[i+1:] {
				back = append(back, s.job)
			}
			o.backlog.giveBack(back...)
			return
		}
	}
}

// replies takes the replies to an operation and returns what they say. An errDetour
// means that this is yet to be found out. err means that the Conn is lost.
func (o *operator) replies(ctx context.Context, s *dispatch) (result, err error) {
	for i := range s.questions {
		q := &s.questions[i]
		if q.reply, err = o.c.wait(ctx, StepReply); err != nil {
			return nil, err
		}
		line := commandLine(q.verb, q.arg)
		switch {
		case q.reply.Code == codeClosing:
			return nil, q.reply.refuse(line)
		case !replies(q.reply, q.verb, s.way != nil),
			q.verb == "RNTO" && result != nil && q.reply.class() == 2:
			return nil, o.c.fail(misplaced(q.reply, q.verb))
		case q.verb == "RNFR" && q.reply.class() == 3:
			s.op.granted = true
		case q.reply.class() != 2:
			q.err = q.reply.refuse(line)
			note(&result, q.err)
		}
	}
	switch {
	case s.op.kind == opExists:
		if judge(s.questions).there {
			return nil, nil
		}
		return errDetour, nil
	case s.op.kind == opModTime:
		return o.c.tell(s.op.told, s.questions[0]), nil
	case s.way == nil:
		return result, nil
	case o.c.unknown(*s.way, s.questions[0].reply) || s.questions[0].reply.Code == codeBadArgument:
		return errDetour, nil // another way may do
	case result == nil && s.way.check != nil:
		return s.way.check(s.questions[0].reply), nil
	default:
		return result, nil
	}
}

// again does what a flight has not decided.
func (o *operator) again(ctx context.Context, s *dispatch) error {
	if s.op.kind == opExists {
		return o.c.exists(ctx, s.op.path, s.questions, &o.census)
	}
	return o.stepwise(ctx, s.op)
}

// replies reports whether reply can be one to verb. With setter the command sets
// something, also MDTM.
func replies(reply Reply, verb string, setter bool) bool {
	switch {
	case setter:
		return reply.class() > 3 || reply.class() == 2 && !slices.Contains([]int{227, 229}, reply.Code)
	case reply.class() == 3:
		return verb == "RNFR" && answers(reply, verb)
	default:
		return answers(reply, verb)
	}
}

// lost ends operations in a flight whose Conn was lost because of err, or puts them
// aside for another try. Any of them may have been carried out.
func (o *operator) lost(ctx context.Context, all []*dispatch, err error) {
	o.client.site.learn(o.c)
	if o.c.unusable() == nil {
		_ = o.c.fail(err) // replies are outstanding
	}
	if ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		err = errors.Join(ctx.Err(), err)
	}
	sent := !errors.Is(err, ErrConnUnusable)
	var back []*job
	for i, s := range all {
		if sent {
			s.op.unsure = err
		}
		if (i > 0 || !sent) && !s.op.swept && ctx.Err() == nil {
			s.op.swept = true
			back = append(back, s.job)
			continue
		}
		o.conclude(ctx, s, err)
	}
	o.backlog.giveBack(back...)
}

// settled reports whether err is what was found out, although nobody has refused
// anything.
func settled(err error) bool {
	var uncertain *uncertainError
	return errors.As(err, &uncertain) || errors.Is(err, errors.ErrUnsupported)
}

// conclude ends an operation, or puts it aside for another try.
func (o *operator) conclude(ctx context.Context, s *dispatch, err error) {
	if unexpected(err) {
		o.c.strayed = true
	}
	if err != nil && o.c.unusable() != nil && s.op.unsure == nil && !errors.Is(err, ErrConnUnusable) {
		s.op.unsure = err
	}
	if ctx.Err() == nil && s.failures < o.client.retries() && transient(err) && !settled(err) {
		s.failures++
		s.cause = err
		o.backlog.rest(s.job, backoff(o.client.cfg.RetryWait, s.failures))
		return
	}
	o.backlog.end(s.job, Result{Size: -1}, err)
}
