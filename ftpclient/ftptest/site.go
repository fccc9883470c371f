package ftptest

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"maps"
	"net"
	"strings"
	"sync"
	"time"
)

// A Site is an FTP server for any number of sessions, for clients whose
// dialogue cannot be written down because several connections share the work.
// It has files in memory, handles the commands of a session strictly one after
// the other, and fails where Fault tells it to. The fields must not be changed
// while it runs.
type Site struct {
	// Greeting is the text of the first reply; "ready" if empty.
	Greeting string

	// Files holds the files by path; a directory is whatever is before a slash.
	Files map[string]string

	// Times holds what MDTM answers, by path. If nil, there is no MDTM.
	Times map[string]string

	// Lists holds what LIST and MLSD send, by the command line: "MLSD d".
	Lists map[string]string

	// Dirs holds directories beside those that Files are in. If it is not nil, there
	// are also DELE, MKD, RMD, CWD, MLST, MFMT and SITE CHMOD, and what Lists does not hold is
	// listed as it is.
	Dirs []string

	// Features is the reply to FEAT, without the first and the last line. If
	// nil, there is no FEAT.
	Features []string

	// Refuse holds replies by verb, or by a whole command line, that are sent
	// instead of doing anything.
	Refuse map[string]string

	// TLS, if not nil, protects the connections, and what a client says without
	// it is refused: by AUTH TLS, PBSZ and PROT P (RFC 4217), or from the first
	// byte if Implicit. The network has to buffer; see [Network].
	TLS      *tls.Config
	Implicit bool

	// Reuse refuses data connections that do not resume a session.
	Reuse bool

	// Truncate ends protected data without a close_notify. Patient waits for that
	// of the client before it closes the connection.
	Truncate, Patient bool

	// Eager, if not empty, is the reply to commands that are there during a
	// transfer: they are read then, and lost.
	Eager string

	// Deaf says that commands which are there during a transfer are read then, and
	// lost without a word.
	Deaf bool

	// Storing is what becomes of an upload at an offset. InTurn lets the uploads to
	// one file wait for each other.
	Storing Storing
	InTurn  bool

	// MaxSessions is how many sessions there may be at a time, or 0. What
	// comes above that is answered by TooMany: a 421 at once, another code
	// after PASS.
	MaxSessions int
	TooMany     string

	// Fault, if not nil, is asked before each command. session counts from 0,
	// as does n, the number of the command in the session.
	Fault func(session, n int, line string) Fault

	mu       sync.Mutex
	stored   map[string]string
	tree     tree
	log      []string
	sessions int // at present
	most     int
	begun    int
	wg       sync.WaitGroup
	cancel   context.CancelFunc
	ln       net.Listener
	conns    map[io.Closer]bool
	turns    turns
}

// A Fault is what goes wrong with a command. The zero Fault is nothing.
type Fault struct {
	Reply  string // is sent instead of doing anything, if not empty
	Hangup bool   // closes the control connection instead, or after Reply
	Mute   bool   // does what there is to do and closes the control connection instead of saying so
	Silent bool   // does what there is to do and says nothing
	Cut    bool   // closes the control connection in the middle of the data
	Last   string // is the last reply, in the middle of the data, which ends cleanly
	Short  bool   // half of the data, with a reply as if it were all
	Await  <-chan struct{}
	Pause  time.Duration // in the middle of the data

	// Bytes is where the middle of the data is for Cut and Last: if zero, where
	// they are halved (before the first byte of an upload), if negative before
	// the first.
	Bytes int

	// Change holds the files that change before the command, by path.
	Change map[string]string
}

// Start serves on ln, which it closes in the end, and opens data connections
// by n. The caller must call Close.
func (s *Site) Start(ln net.Listener, n Net) {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel, s.ln = cancel, ln
	s.stored = make(map[string]string)
	s.conns = make(map[io.Closer]bool)
	maps.Copy(s.stored, s.Files)
	s.tree.begin(s)
	s.wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() { s.serve(ctx, conn, n) })
		}
	})
}

// Close ends all sessions and waits for them.
func (s *Site) Close() {
	s.cancel()
	_ = s.ln.Close() // ends Accept
	s.mu.Lock()
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

// SetMaxSessions sets MaxSessions while the site runs. Sessions that there are
// stay.
func (s *Site) SetMaxSessions(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.MaxSessions = n
}

// Stored returns the files as they are now.
func (s *Site) Stored() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.stored)
}

// Content returns what a file holds now. It is for Fault, which may not call
// Stored.
func (s *Site) Content(path string) string { return s.stored[path] }

// Log returns the commands of all sessions, in the order in which they were
// handled.
func (s *Site) Log() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.log...)
}

// MostSessions returns how many sessions there were at the same time, those
// not counted that were refused.
func (s *Site) MostSessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.most
}

// Sessions returns how many sessions were begun.
func (s *Site) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.begun
}

// enter counts a session, unless there are too many.
func (s *Site) enter() (number int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	number = s.begun
	s.begun++
	if s.MaxSessions > 0 && s.sessions >= s.MaxSessions {
		return number, false
	}
	s.sessions++
	s.most = max(s.most, s.sessions)
	return number, true
}

func (s *Site) serve(ctx context.Context, control net.Conn, n Net) {
	v := &visit{
		site: s, ctx: ctx, net: n, control: control,
	}
	v.keep(control)
	defer v.drop(control)
	defer v.closeData()
	var entered bool
	v.number, entered = s.enter()
	if entered {
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.sessions--
		}()
	}
	if s.TLS != nil && s.Implicit && v.secure() != nil {
		return
	}
	if !entered && strings.HasPrefix(s.TooMany, "421") {
		_ = v.reply(s.TooMany)
		return
	}
	v.refused = !entered
	greeting := s.Greeting
	if greeting == "" {
		greeting = "ready"
	}
	if v.reply("220 "+greeting) != nil {
		return
	}
	v.lines = s.read(v.control)
	for n := 0; ; n++ {
		line, ok := <-v.lines
		if !ok {
			return
		}
		if err := v.handle(n, strings.TrimSuffix(line, "\r\n")); err != nil {
			return
		}
	}
}

// received is how many lines of a client wait for the server, as in the buffer
// of a socket.
const received = 256

// read reads lines until the connection ends, while others are handled. After AUTH
// it ends too: what follows that may be no lines.
func (s *Site) read(control net.Conn) <-chan string {
	lines := make(chan string, received)
	s.wg.Go(func() {
		defer close(lines)
		r := bufio.NewReader(control)
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			select {
			case lines <- line:
			default:
				_ = control.Close() // no client sends so much ahead
				return
			}
			if strings.HasPrefix(line, "AUTH ") {
				return
			}
		}
	})
	return lines
}

var errHangup = errors.New("hung up")

// note writes a command into the log and returns what is to go wrong with it.
func (s *Site) note(session, n int, line string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, line)
	if s.Fault == nil {
		return Fault{}
	}
	fault := s.Fault(session, n, line)
	maps.Copy(s.stored, fault.Change)
	return fault
}
