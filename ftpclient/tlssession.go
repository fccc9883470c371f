package ftpclient

import (
	"crypto/tls"
	"sync"
)

// sessions holds what the data connections of one Conn resume. Servers that want
// resumption want the session of the control connection: ProFTPD compares the two,
// and every server's own client, as it were, FileZilla, offers nothing else. So
// that is what each data connection offers, as often as there are data connections
// (a ticket may be used again; RFC 8446, Appendix C.4, only prefers otherwise). A
// server whose tickets are good for one use declines the second time; then the
// tickets that it gave on data connections are used, the newest first.
type sessions struct {
	mu      sync.Mutex
	control *tls.ClientSessionState
	data    *tls.ClientSessionState // newest that a data connection was given
	spent   bool                    // control was declined
}

// offer returns the session for the next data connection.
func (s *sessions) offer() (*tls.ClientSessionState, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.data != nil && (s.spent || s.control == nil) {
		return s.data, true
	}
	return s.control, s.control != nil
}

// decline notes that the server made a data connection without the session that
// it was offered.
func (s *sessions) decline() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spent = true
}

// controlSessions is the cache of a control connection, which itself never
// resumes: it is the first of its Conn.
type controlSessions struct{ *sessions }

func (controlSessions) Get(string) (*tls.ClientSessionState, bool) { return nil, false }

// Put keeps the newest session. The key is always the same.
func (c controlSessions) Put(_ string, session *tls.ClientSessionState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if session != nil {
		c.control, c.spent = session, false
	}
}

// dataSessions is the cache of data connections.
type dataSessions struct{ *sessions }

func (d dataSessions) Get(string) (*tls.ClientSessionState, bool) { return d.offer() }

// Put keeps the newest session. It is told to forget one (nil) whenever a
// handshake failed that offered it, be it for a time-out; the session is kept.
func (d dataSessions) Put(_ string, session *tls.ClientSessionState) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if session != nil {
		d.data = session
	}
}
