package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/seed-54eb6215/xftp/ftpclient/listing"
)

// existsQuestions returns the commands that ask about a name: MLST, which tells of
// anything, or those that tell of files and of some directories.
func (c *Conn) existsQuestions(path string) (questions []question) {
	verbs := []string{"MLST"}
	if c.lacks("MLST") {
		verbs = []string{"SIZE", "MDTM"}
	}
	for _, verb := range verbs {
		if !c.refused[verb] {
			questions = append(questions, question{verb: verb, arg: path})
		}
	}
	return questions
}

// A verdict is what the answers to such questions say.
type verdict struct {
	there   bool
	refusal *ReplyError // a 550, or nil
	all     bool        // the question was about anything, not files only
	doubt   error       // why the refusal is not to be believed, or nil
}

// judge reads the answers to questions about a name.
func judge(questions []question) (v verdict) {
	for _, q := range questions {
		refusal := q.reply.refuse(commandLine(q.verb, q.arg))
		switch {
		case q.reply.class() == 2 && answers(q.reply, q.verb):
			v.there = true
		case unimplemented[q.reply.Code]:
		case q.reply.Code != codeUnavailable, refusal.says(presences):
			note(&v.doubt, refusal)
		default:
			v.refusal, v.all = refusal, q.verb == "MLST"
		}
	}
	return v
}

// An uncertainError says that it is not known whether there is anything of a name.
// What the server said is not unwrapped: that may be that there is nothing.
type uncertainError struct{ cause error }

func (e *uncertainError) Error() string {
	return fmt.Sprintf("not known whether it is there: %v", e.cause)
}

// uncertain returns err where it says why nothing could be asked, or an
// uncertainError.
func (c *Conn) uncertain(ctx context.Context, err error) error {
	var refusal *ReplyError
	if ctx.Err() != nil || c.unusable() != nil || errors.As(err, &refusal) && refusal.Temporary() {
		return err
	}
	return &uncertainError{err}
}

var (
	errUnasked = errors.New("the server answers no question about a name")
	errEmpty   = errors.New("a list that is empty, as that of a directory which cannot be read")
	errAlike   = errors.New("a name that may be the same")
	errHidden  = errors.New("a list that may leave out names with a dot")
	errPattern = errors.New("a directory whose name servers take for a pattern")
)

// Exists asks whether there is anything of this name, as [OpExists] does, and means
// the same by its errors.
func (c *Conn) Exists(ctx context.Context, path string) error {
	err := c.checkName("MLST", path)
	if err == nil {
		err = c.exists(ctx, path, nil, new(census))
	}
	return operation("exists", err)
}

// exists is OpExists. asked are questions that were answered already, or nil.
func (c *Conn) exists(ctx context.Context, path string, asked []question, known *census) error {
	if asked == nil {
		if _, err := c.known(ctx); err != nil {
			return err
		}
		asked = c.existsQuestions(path)
		if err := c.ask(ctx, asked); err != nil {
			return err
		}
	}
	v := judge(asked)
	if v.there {
		return nil
	}
	for _, q := range asked {
		if unimplemented[q.reply.Code] {
			c.refused[q.verb] = true
			if q.verb == "MLST" {
				return c.exists(ctx, path, nil, known)
			}
		}
	}
	switch {
	case v.refusal == nil && v.doubt == nil:
		return c.uncertain(ctx, errUnasked)
	case v.refusal == nil:
		return c.uncertain(ctx, v.doubt)
	}
	err := c.unlisted(ctx, path, known)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if v.doubt != nil {
		return c.uncertain(ctx, v.doubt)
	}
	if !v.all {
		if err := c.unentered(ctx, path); err == nil || !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return fmt.Errorf("%w: %w", fs.ErrNotExist, v.refusal)
}

// unlisted asks for a name in a list of the directory that it is in. Nil is that it
// is there, fs.ErrNotExist that it is not.
func (c *Conn) unlisted(ctx context.Context, name string, known *census) error {
	dir, base := path.Split(strings.TrimRight(name, "/"))
	if problem := listing.NameProblem(base); problem != "" {
		return &uncertainError{errors.New(problem)}
	}
	if dir != "/" {
		dir = strings.TrimRight(dir, "/")
	}
	for fresh := false; ; fresh = true {
		old, err := known.take(ctx, c, dir, fresh)
		if err != nil {
			return c.uncertain(ctx, err)
		}
		switch {
		case known.names[base] && old:
			continue // it may have been there, and is no more
		case known.names[base]:
			return nil
		case known.err != nil && errors.Is(known.err, errEmpty):
			// Many servers answer LIST for nothing with nothing.
			if dir != "" && dir != "/" && errors.Is(c.exists(ctx, dir, nil, new(census)), fs.ErrNotExist) {
				return fs.ErrNotExist
			}
			return &uncertainError{known.err}
		case known.err != nil:
			return &uncertainError{known.err}
		case known.alike(base):
			return &uncertainError{errAlike}
		case known.bare && base[0] == '.':
			return &uncertainError{errHidden}
		default:
			return fs.ErrNotExist
		}
	}
}

// unentered tries to enter a directory. Nil is that it is there, fs.ErrNotExist that
// there is no reason to think so.
func (c *Conn) unentered(ctx context.Context, path string) error {
	reply, err := c.exchange(ctx, "CWD", path)
	if err != nil {
		return err
	}
	refusal := reply.refuse("CWD " + path)
	switch {
	case reply.class() == 2:
		c.strayed = true
		return nil
	case reply.Code == codeUnavailable && !refusal.says(presences):
		return fs.ErrNotExist
	default:
		return c.uncertain(ctx, refusal)
	}
}

// isDir reports whether the server says that path is a directory.
func (c *Conn) isDir(ctx context.Context, path string) bool {
	if !c.lacks("MLST") {
		entry, err := c.MLST(ctx, path)
		return err == nil && (entry.Type == EntryDir || entry.Type == EntryCurrent)
	}
	return c.unentered(ctx, path) == nil
}
