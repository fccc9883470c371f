package ftpclient

import (
	"errors"
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
}

// lockstep lists servers that lose commands which are sent before the reply
// to the one before, by what their greeting says. They are those for which
// lftp turns its pipelining off by default (ftp:auto-sync-mode in
// src/resource.cc of lftp 4.6.0).
var lockstep = []string{
	"icrosoft FTP Service",
	"MadGoat",
	"MikroTik",
}

// A dialect is what is peculiar to the lists of a server.
type dialect struct {
	mark   string // in its greeting
	noMLSD bool
	all    string // the option of LIST for names that begin with a dot
}

// dialects are the servers whose lists differ from what is tried first. vsftpd
// 3.0.5 has no MLSD (postlogin.c) and leaves out names with a dot unless told
// (ls.c). So do the others in LIST, if MLSD is turned off.
var dialects = []dialect{
	{mark: "vsFTPd", noMLSD: true, all: "-a"},
	{mark: "ProFTPD", all: "-a"},
	{mark: "Pure-FTPd", all: "-a"},
}

// dialectOf returns what is peculiar to the server with this greeting.
func dialectOf(greeting Reply) dialect {
	text := greeting.Text()
	for _, d := range dialects {
		if strings.Contains(text, d.mark) {
			return d
		}
	}
	return dialect{}
}

// listVerb returns the command that lists a directory.
func (c *Conn) listVerb() string {
	if c.refused["MLSD"] || dialectOf(c.greeting).noMLSD {
		return "LIST"
	}
	return "MLSD"
}

// listArgument returns the argument that lists path.
func (c *Conn) listArgument(verb, path string) string {
	if strings.HasPrefix(path, "-") {
		path = "./" + path // or servers take it for options of ls(1)
	}
	option := dialectOf(c.greeting).all
	switch {
	case verb != "LIST" || option == "":
		return path
	case path == "":
		return option
	default:
		return option + " " + path
	}
}

// eager lists servers that read commands while they transfer, and answer those
// that they do not expect then with an error, out of turn: with them a command
// is sent ahead of replies, but not of data. ProFTPD says "450 data transfer in
// progress" (poll_ctrl in src/data.c), Pure-FTPd "500" (dlhandler_handle_commands
// in src/ftpd.c).
var eager = []string{"ProFTPD", "Pure-FTPd"}

// greetedBy reports whether one of the marks is in a greeting.
func greetedBy(greeting Reply, marks []string) bool {
	text := greeting.Text()
	return slices.ContainsFunc(marks, func(mark string) bool { return strings.Contains(text, mark) })
}

// ahead returns how many files are to be asked for while another one flows.
func (s *site) ahead(conn *Conn, most int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.swallows || greetedBy(conn.greeting, eager) {
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
