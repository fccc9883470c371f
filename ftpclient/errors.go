package ftpclient

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// ErrConnUnusable is wrapped by the error of every call on a [Conn] that can
// only be closed, and by the error of a cancelled transfer that could not
// leave its Conn usable.
var ErrConnUnusable = errors.New("control connection is unusable")

// A ReplyError is a refusal: the server answered a command with a reply that
// does not grant it. The Conn stays usable unless Code is 421 (RFC 959,
// Section 4.2.2: "Service not available, closing control connection").
type ReplyError struct {
	Code    int    // three digits, RFC 959, Section 4.2
	Text    string // without the code; lines are separated by "\n"
	Command string // what was refused, passwords masked; empty for the greeting
}

// Error returns the code and the text on one line, control characters
// replaced. It leaves out the command.
func (e *ReplyError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("%03d %s", e.Code, printable(e.Text)))
}

// Temporary reports whether the server says that the same command may succeed
// later (4yz; RFC 959, Section 4.2.1).
func (e *ReplyError) Temporary() bool { return e.Code/100 == 4 }

// A ProtocolError reports a server that does not speak the protocol.
type ProtocolError struct {
	Problem string // what is wrong, in lower case
	Line    string // the offending text, shortened; may be empty
}

func (e *ProtocolError) Error() string {
	if e.Line == "" {
		return e.Problem
	}
	return fmt.Sprintf("%s: %q", e.Problem, e.Line)
}

// An ArgumentError reports an argument that cannot be sent, or must not be:
// one with a CR, LF or NUL would be taken for more than one command. Nothing
// was sent.
type ArgumentError struct {
	Command string // the verb
	Problem string // what is wrong, in lower case
}

func (e *ArgumentError) Error() string {
	return fmt.Sprintf("argument of %s %s", e.Command, e.Problem)
}

// A NameError reports a name that the server is known to take for another one, without
// a word: it would make, change or tell of a file that was not meant. Nothing was
// sent.
type NameError struct {
	Command string // the verb
	Name    string // the path
	Taken   string // what the server would take it for
}

func (e *NameError) Error() string {
	return fmt.Sprintf("the server would take the name %q for %q", e.Name, e.Taken)
}

// A Step names a part of an operation that can time out.
type Step string

// The steps.
const (
	StepDial     Step = "dial"     // opening the control or a passive data connection
	StepGreeting Step = "greeting" // the server's first reply
	StepReply    Step = "reply"    // the reply to a command
	StepAccept   Step = "accept"   // the server's connection in active mode
	StepData     Step = "data"     // bytes on the data connection
)

// A TimeoutError reports a step that made no progress for [Config.Timeout]. It
// wraps [os.ErrDeadlineExceeded] and has the Timeout method of [net.Error].
type TimeoutError struct {
	Step Step
	Wait time.Duration // how long there was no progress
	Err  error         // what the dialer knows besides, if that is syscall.EHOSTUNREACH, or nil
}

func (e *TimeoutError) Error() string {
	text := fmt.Sprintf("%s: no progress for %v", e.Step, e.Wait)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Timeout returns true.
func (e *TimeoutError) Timeout() bool { return true }

// Temporary returns true: the same may succeed later.
func (e *TimeoutError) Temporary() bool { return true }

// Unwrap returns [os.ErrDeadlineExceeded] and Err, if there is one.
func (e *TimeoutError) Unwrap() []error {
	if e.Err == nil {
		return []error{os.ErrDeadlineExceeded}
	}
	return []error{os.ErrDeadlineExceeded, e.Err}
}

// A Kind says what a transfer did not meet.
type Kind string

// The kinds.
const (
	KindSize       Kind = "size"       // the size of the file, by SIZE, MLST or the caller
	KindAnnounced  Kind = "announced"  // the count in the 150 reply
	KindStored     Kind = "stored"     // the size of the file after an upload
	KindChanged    Kind = "changed"    // the file is not what it was when the transfer began
	KindHash       Kind = "hash"       // the hash that the server computed
	KindContent    Kind = "content"    // bytes that were fetched again to be compared
	KindUnclosed   Kind = "unclosed"   // TLS without close_notify, and no size that agrees
	KindUnverified Kind = "unverified" // the server refuses the check that [Config.Verify] demands
)

// An IntegrityError reports a transfer that both sides called complete but
// that is not what it should be, or not known to be. The Conn stays usable. It
// is never worth a second try as it is.
type IntegrityError struct {
	Kind Kind

	// Want and Got are in bytes. For a download Want is what the server
	// announced, or -1 if it did not, and Got what arrived, both counted from
	// the start of the file. For an upload Want is what the file should now hold
	// and Got what the server says it holds. For a file that has changed they are
	// its sizes before and after. For KindContent both are where the bytes that
	// differ begin. They are 0 where WantSum is set, or Err.
	Want, Got int64

	// WantSum and GotSum are, for KindHash, the hash that the server computed
	// and that of the bytes that were moved, in hex; for a KindChanged that only
	// the time of the file tells, its times before and after (RFC 3339).
	WantSum, GotSum string

	// Err is why a check could not be made, for KindUnverified: the [*ReplyError]
	// by which the server refused it, [ErrNoHash], or nil. For KindStored it is
	// what the server says of a file that it told the size of, and then renamed.
	Err error
}

func (e *IntegrityError) Error() string {
	switch e.Kind {
	case KindStored:
		if e.Err != nil {
			return fmt.Sprintf("the server granted the file its new name and has left it under the old one: %v", e.Err)
		}
		return fmt.Sprintf("the server holds %d bytes after an upload of %d", e.Got, e.Want)
	case KindChanged:
		if e.WantSum != "" {
			return fmt.Sprintf("the file changed meanwhile: it was of %s and is of %s", e.WantSum, e.GotSum)
		}
		return fmt.Sprintf("the file changed meanwhile: it had %d bytes and has %d", e.Want, e.Got)
	case KindAnnounced:
		return fmt.Sprintf("%d bytes arrived, the server announced %d", e.Got, e.Want)
	case KindHash:
		return fmt.Sprintf("the bytes have the hash %s, the file of the server %s", e.GotSum, e.WantSum)
	case KindContent:
		return fmt.Sprintf("what the server holds from byte %d on is something else", e.Got)
	case KindUnclosed:
		if e.Want < 0 {
			return fmt.Sprintf("%d bytes arrived, the server ended them without close_notify and tells no size", e.Got)
		}
		return fmt.Sprintf("%d bytes arrived, the server ended them without close_notify; the file has %d", e.Got, e.Want)
	case KindUnverified:
		if e.Err != nil {
			return fmt.Sprintf("cannot be verified: %v", e.Err)
		}
		return "cannot be verified: the server tells no size"
	default:
		return fmt.Sprintf("%d bytes arrived, the file has %d", e.Got, e.Want)
	}
}

// Unwrap returns Err, or [io.ErrUnexpectedEOF] if bytes are missing or may be, or
// nil.
func (e *IntegrityError) Unwrap() error {
	switch {
	case e.Err != nil:
		return e.Err
	case e.Kind == KindUnclosed, e.Got < e.Want:
		return io.ErrUnexpectedEOF
	default:
		return nil
	}
}

// A TransferError reports a transfer that began and did not end well.
type TransferError struct {
	Bytes int64 // bytes moved before it broke
	Err   error // the root: of the network, of the caller's reader or writer, or a context
	Reply error // what the server said of it (a *ReplyError), or why there is no reply; may be nil
	local bool  // Err is one of the caller's reader or writer
}

func (e *TransferError) Error() string {
	switch {
	case e.Err == nil:
		return fmt.Sprintf("after %d bytes: %v", e.Bytes, e.Reply)
	case e.Reply == nil:
		return fmt.Sprintf("after %d bytes: %v", e.Bytes, e.Err)
	default:
		return fmt.Sprintf("after %d bytes: %v (%v)", e.Bytes, e.Err, e.Reply)
	}
}

// Unwrap returns Err and Reply, those that are not nil.
func (e *TransferError) Unwrap() []error {
	var errs []error
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	if e.Reply != nil {
		errs = append(errs, e.Reply)
	}
	return errs
}

// printable returns s on one line, what a terminal might obey replaced.
func printable(s string) string {
	s = strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "; ")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}

// shorten returns the start of a line from the server, for an error message.
func shorten(s string) string {
	const limit = 120
	if len(s) > limit {
		return s[:limit] + "..."
	}
	return s
}
