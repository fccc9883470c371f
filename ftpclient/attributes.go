package ftpclient

import (
	"context"
	"errors"
	"time"
)

// Attributes are what a server tells of a file.
type Attributes struct {
	Size    int64     // in bytes, as the present type would move them; -1 if it is not told
	ModTime time.Time // in UTC; zero if it is not told
}

// Attributes asks for the size of a file and when it was last changed (SIZE and
// MDTM; RFC 3659, Sections 3 and 4), and sets the type, in one round trip where
// the server can take that. What the server refuses to tell, or tells in no form
// that is known, is left out; the error is nil unless the type is refused or the
// Conn is in trouble.
func (c *Conn) Attributes(ctx context.Context, path string) (Attributes, error) {
	a := Attributes{Size: -1}
	err := c.attributes(ctx, path, &a)
	return a, operation("attributes", err)
}

func (c *Conn) attributes(ctx context.Context, path string, a *Attributes) error {
	if err := c.checkName("SIZE", path); err != nil {
		return err
	}
	var questions []question
	if c.sent != c.want {
		questions = append(questions, question{verb: "TYPE", arg: string(rune(c.want))})
	}
	for _, verb := range []string{"SIZE", "MDTM"} {
		if !c.refused[verb] {
			questions = append(questions, question{verb: verb, arg: path})
		}
	}
	if err := c.ask(ctx, questions); err != nil {
		return err
	}
	for _, q := range questions {
		switch {
		case q.err != nil && q.verb == "TYPE":
			return q.err
		case q.err != nil:
			c.refused[q.verb] = c.refused[q.verb] || isUnimplemented(q.err)
		case q.verb == "TYPE":
			c.sent = c.want
		case q.verb == "SIZE":
			if n, err := parseSize(q.reply); err == nil {
				a.Size = n
			}
		case q.verb == "MDTM":
			if t, err := parseModTime(q.reply); err == nil {
				a.ModTime = t
			}
		}
	}
	return nil
}

// A question is a command that moves no data, and the answer to it.
type question struct {
	verb, arg string
	reply     Reply
	err       error // a *ReplyError
}

// ask sends all questions in one piece and waits for the answers; one after the
// other where the server cannot take that. The error is nil unless the Conn is in
// trouble or ctx has ended, which leaves the rest of the replies owed.
func (c *Conn) ask(ctx context.Context, questions []question) error {
	if c.cfg.Ahead < 0 || quirksOf(c.greeting).lockstep {
		for i := range questions {
			q := &questions[i]
			var err error
			if q.reply, err = c.exchange(ctx, q.verb, q.arg); err != nil {
				return err
			}
			if q.reply.class() != 2 {
				q.err = q.reply.refuse(commandLine(q.verb, q.arg))
			}
			if q.reply.Code == codeClosing {
				return q.err
			}
		}
		return nil
	}
	if len(questions) == 0 {
		return nil
	}
	if err := c.settle(ctx); err != nil {
		return err
	}
	lines := make([]string, len(questions))
	for i, q := range questions {
		lines[i] = commandLine(q.verb, q.arg)
	}
	if err := c.write(ctx, lines...); err != nil {
		return err
	}
	for i := range questions {
		q := &questions[i]
		var err error
		if q.reply, err = c.final(ctx); err != nil {
			if ctx.Err() != nil && c.unusable() == nil {
				c.owed += len(questions) - i - 1 // final owes the one
			}
			return err
		}
		if q.reply.class() != 2 {
			q.err = q.reply.refuse(lines[i])
		}
		if q.reply.Code == codeClosing {
			return q.err
		}
	}
	return nil
}

func isUnimplemented(err error) bool {
	var refusal *ReplyError
	return errors.As(err, &refusal) && unimplemented[refusal.Code]
}
