package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// A way is one of several commands for the same purpose.
type way struct {
	name      string // by which it is remembered: "MFMT", "SITE CHMOD"
	verb, arg string

	// check, if not nil, judges a reply that grants the command.
	check func(reply Reply) error

	// confirm, if not nil, asks the server whether the command, which it has granted,
	// did what it should, until it has told so once.
	confirm func(ctx context.Context) (told bool, err error)
}

// errOther is why a command that the server grants is not used again.
var errOther = errors.New("it sets something else than it is told")

// tryWays sends the commands for a purpose, best first, until the server knows
// one. What it does not know is not sent again on this Conn, nor on others of the
// same Client. The error wraps errors.ErrUnsupported if it knows none.
func (c *Conn) tryWays(ctx context.Context, purpose string, ways []way) error {
	var lack, misfit error
	for _, w := range ways {
		if known := c.lore.lacks(w.name); known != nil {
			lack = known
			continue
		}
		reply, err := c.exchange(ctx, w.verb, w.arg)
		if err != nil {
			return err
		}
		refusal := reply.refuse(commandLine(w.verb, w.arg))
		switch {
		case c.unknown(w, reply):
			lack = refusal
			c.lore.lack(w.name, lack)
		case reply.class() == 2:
			err := c.granted(ctx, w, reply)
			if err == nil || !errors.Is(err, errOther) {
				return err
			}
			lack = err
			c.lore.lack(w.name, lack)
		case reply.Code == codeBadArgument:
			misfit = refusal // another way may take it
		default:
			if w.confirm == nil { // what it does is not seen in a refusal
				c.lore.has(w.name)
			}
			return refusal
		}
	}
	if misfit != nil {
		return misfit
	}
	return &lackError{purpose: purpose, cause: lack}
}

// granted judges a reply that grants w.
func (c *Conn) granted(ctx context.Context, w way, reply Reply) error {
	if w.check != nil {
		if err := w.check(reply); err != nil {
			return err
		}
	}
	if w.confirm != nil && !c.lore.proves(w.name) {
		if told, err := w.confirm(ctx); !told || err != nil {
			return err
		}
	}
	c.lore.has(w.name)
	return nil
}

const (
	codeSuperfluous  = 202 // "command not implemented, superfluous at this site"
	codeBadArgument  = 501
	codeBadParameter = 504 // "command not implemented for that parameter"
	codeUnavailable  = 550
)

// unknown reports whether reply means that the server does not have w at all,
// for whatever file.
func (c *Conn) unknown(w way, reply Reply) bool {
	switch {
	case unimplemented[reply.Code], reply.Code == codeSuperfluous, reply.Code == codeBadParameter:
		return true
	case reply.Code != codeUnavailable:
		return false
	}
	denial := quirksOf(c.greeting).denials[w.name]
	return denial != "" && strings.Contains(reply.Text(), denial)
}

// A lore is what is known of the ways of a server, by their names.
type lore struct {
	mu      sync.Mutex
	lacking map[string]error // and why
	proven  map[string]bool
}

// lack notes that the server does not have a way.
func (l *lore) lack(name string, why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lacking == nil {
		l.lacking = make(map[string]error)
	}
	l.lacking[name] = why
}

// lacks returns why the server does not have a way, or nil.
func (l *lore) lacks(name string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lacking[name]
}

// has notes that the server has a way, which does what it should.
func (l *lore) has(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.proven == nil {
		l.proven = make(map[string]bool)
	}
	l.proven[name] = true
}

// proves reports whether the server is known to have a way.
func (l *lore) proves(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.proven[name]
}

// A lackError says that a server has no command for a purpose.
type lackError struct {
	purpose string // such as "set permissions"
	cause   error  // why the last of them is none
}

func (e *lackError) Error() string {
	return fmt.Sprintf("the server has no command to %s: %v", e.purpose, e.cause)
}

// Unwrap returns errors.ErrUnsupported and the cause.
func (e *lackError) Unwrap() []error { return []error{errors.ErrUnsupported, e.cause} }

// behind returns a path as it stands behind other arguments: servers skip the
// spaces before it, so that " x" would be x.
func behind(path string) string {
	if strings.HasPrefix(path, " ") || strings.HasPrefix(path, "\t") {
		return "./" + path
	}
	return path
}
