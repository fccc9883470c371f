package ftpclient

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// A site is what the connections of a [Client] have learned of its server.
type site struct {
	entry chan struct{} // held by who logs in while nobody has been let in

	mu       sync.Mutex
	in       bool            // somebody was let in
	refused  error           // the last login that was refused for good
	when     time.Time       // that was
	without  map[string]bool // commands that the server does not have
	reached  bool            // a port that EPSV named
	swallows bool            // loses commands that it gets during a transfer

	features Features // as FEAT names them, or nil
	lore     lore
}

// admitted reports whether the server has let this user in before.
func (s *site) admitted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.in
}

// refusalHolds is how long a login that was refused is not tried again.
const refusalHolds = 5 * time.Second

// refusal returns why it is no use to log in now, or nil.
func (s *site) refusal() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.when) > refusalHolds {
		return nil
	}
	return s.refused
}

// answered notes what became of a login.
func (s *site) answered(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var refusal *ReplyError
	switch {
	case err == nil:
		s.in = true
	case errors.As(err, &refusal) && !refusal.Temporary() && !crowded(refusal):
		s.refused, s.when = err, time.Now()
	}
}

// crowds are phrases by which servers that answer 530 mean that there are too
// many connections, not that the password is wrong. They are what lftp looks
// for (ftp:retry-530 in its manual).
var crowds = []string{
	"too many", "overloaded", "try again later", "try later", "try back later", "is restricted to", "maximum number",
	"number of connect", "more connection", "already connected", "simultaneous login",
}

// crowded reports whether a login was refused for the number of connections.
func crowded(refusal *ReplyError) bool {
	text := strings.ToLower(refusal.Text)
	return slices.ContainsFunc(crowds, func(phrase string) bool { return strings.Contains(text, phrase) })
}

// teach tells conn what is known of the server.
func (s *site) teach(conn *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for verb := range s.without {
		conn.refused[verb] = true
	}
	if conn.features == nil {
		conn.features = maps.Clone(s.features)
		conn.tellOptions()
	}
	conn.lore = &s.lore
}

// learn notes what conn has found out.
func (s *site) learn(conn *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for verb, lacks := range conn.refused {
		if lacks {
			s.without[verb] = true
		}
	}
	if conn.features != nil {
		s.features = maps.Clone(conn.features)
	}
}

// listVerb returns the command that lists a directory.
func (c *Conn) listVerb() string {
	if c.refused["MLSD"] || quirksOf(c.greeting).noMLSD {
		return "LIST"
	}
	return "MLSD"
}

// listArgument returns the argument that lists path.
func (c *Conn) listArgument(verb, path string) string {
	if strings.HasPrefix(path, "-") {
		path = "./" + path // or servers take it for options of ls(1)
	}
	option := quirksOf(c.greeting).all
	switch {
	case verb != "LIST" || option == "":
		return path
	case path == "":
		return option
	default:
		return option + " " + path
	}
}

// ahead returns how many files are to be asked for while another one flows.
func (s *site) ahead(conn *Conn, most int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.swallows || quirksOf(conn.greeting).eager {
		return 0
	}
	return most
}

// swallow notes that the server loses commands that it gets during a transfer.
func (s *site) swallow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.swallows = true
}

// reach notes that a data connection could be made where the server said.
func (s *site) reach() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reached = true
}

// reachable reports whether that was so before.
func (s *site) reachable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reached
}
