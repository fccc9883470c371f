package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// stepwise carries an operation out command by command. If it may have been done
// before, a refusal is compared with what there is.
func (o *operator) stepwise(ctx context.Context, op *operating) error {
	if err := op.check(o.c); err != nil {
		return err
	}
	before, granted := op.unsure, op.granted
	err := o.command(ctx, op)
	var refusal *ReplyError
	if err == nil || before == nil || !errors.As(err, &refusal) || o.c.unusable() != nil {
		return err
	}
	if o.done(ctx, op, granted, refusal) {
		return nil
	}
	return fmt.Errorf("%w (%w)", err, before)
}

// command sends the commands of one operation.
func (o *operator) command(ctx context.Context, op *operating) error {
	switch op.kind {
	case opRename:
		_, err := o.c.expect(ctx, 3, "RNFR", op.path)
		if err == nil {
			op.granted = true
			_, err = o.c.do(ctx, "RNTO", op.to)
		}
		return err
	case opChmod, opSetModTime, opSetCreateTime:
		ways, err := o.ways(ctx, op)
		if err != nil {
			return err
		}
		return o.c.tryWays(ctx, operationPurposes[op.kind], ways)
	case opModTime:
		questions := []question{{verb: "MDTM", arg: op.path}}
		if o.c.refused["MDTM"] {
			return errTimeless
		}
		if err := o.c.ask(ctx, questions); err != nil {
			return err
		}
		return o.c.tell(op.told, questions[0])
	case opExists:
		return o.c.exists(ctx, op.path, nil, &o.census)
	default:
		_, err := o.c.do(ctx, operationVerbs[op.kind], op.path)
		return err
	}
}

// operationPurposes holds what operations with several ways are for.
var operationPurposes = map[operationKind]string{
	opChmod: purposeMode, opSetModTime: purposeTime, opSetCreateTime: purposeCreate,
}

// ways returns the commands for an operation that has several.
func (o *operator) ways(ctx context.Context, op *operating) ([]way, error) {
	switch op.kind {
	case opChmod:
		return o.c.chmodWays(ctx, op.path, op.mode)
	case opSetModTime:
		return o.c.timeWays(ctx, op.path, op.time)
	default:
		return createWays(op.path, op.time)
	}
}

// done reports whether an operation that is refused, and may have been carried out
// before, has been.
func (o *operator) done(ctx context.Context, op *operating, granted bool, refusal *ReplyError) bool {
	switch op.kind {
	case opDelete, opRemoveDir:
		return o.absent(ctx, op.path)
	case opMakeDir:
		return o.c.isDir(ctx, op.path)
	case opRename:
		return granted && refusal.verb() == "RNFR" && o.absent(ctx, op.path) &&
			o.c.exists(ctx, op.to, nil, new(census)) == nil
	default:
		return false
	}
}

// absent reports whether there is nothing of a name, for sure.
func (o *operator) absent(ctx context.Context, path string) bool {
	return errors.Is(o.c.exists(ctx, path, nil, new(census)), fs.ErrNotExist)
}

// errTimeless is the end of a question that is not asked again.
var errTimeless = fmt.Errorf("the server tells no times: %w", errors.ErrUnsupported)

// tell reads the answer to a question about a time.
func (c *Conn) tell(told *time.Time, q question) error {
	if q.err != nil {
		if unimplemented[q.reply.Code] {
			c.refused[q.verb] = true
			return fmt.Errorf("%w: %w", errTimeless, q.err)
		}
		return q.err
	}
	if t, err := parseModTime(q.reply); err == nil {
		*told = t
	}
	return nil
}
