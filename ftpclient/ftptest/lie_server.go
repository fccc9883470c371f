package ftptest

import (
	"context"
	"crypto/tls"
	"io"
	"maps"
	"net"
	"slices"
	"sync"
	"time"
)

// LieOptions are the particulars of a server that lies. A nil *LieOptions is a
// server without TLS.
type LieOptions struct {
	// TLS, if not nil, makes the server demand TLS on both connections: by
	// AUTH TLS, PBSZ and PROT P (RFC 4217), or from the first byte if Implicit.
	TLS      *tls.Config
	Implicit bool

	// Beside holds more files for downloads, by name, of at most as many bytes as
	// LieContent. They must not be changed.
	Beside map[string][]byte

	// Pause is how long the server waits where it is late. If zero, it is half
	// a second. A client whose time-outs are longer has to bear it.
	Pause time.Duration
}

const defaultLiePause = time.Second / 2

// A Liar is a server that tells one lie to any number of clients, one session
// each.
type Liar struct {
	lie    Lie
	opts   LieOptions
	net    Net
	ctx    context.Context
	cancel context.CancelFunc
	ln     net.Listener
	wg     sync.WaitGroup

	mu    sync.Mutex
	conns map[io.Closer]bool
	files map[string][]byte
	sent  map[string]int64 // bytes that clients meant to store
	sized int              // times that SIZE was asked
	begun int              // RETR
	log   []string
}

// Serve tells the lie to all who connect to ln, which it closes in the end, and
// opens data connections by n. The caller must call Close.
func (l Lie) Serve(ln net.Listener, n Net, opts *LieOptions) *Liar {
	s := &Liar{
		lie: l, net: n, ln: ln,
		conns: make(map[io.Closer]bool),
		files: map[string][]byte{LieFile: LieContent()},
		sent:  make(map[string]int64),
	}
	if l.Direction == Upload {
		delete(s.files, LieFile)
	}
	if opts != nil {
		s.opts = *opts
	}
	maps.Copy(s.files, s.opts.Beside)
	if s.opts.Pause == 0 {
		s.opts.Pause = defaultLiePause
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() { s.serve(conn) })
		}
	})
	return s
}

// Close ends all sessions and waits for them.
func (s *Liar) Close() {
	s.cancel()
	_ = s.ln.Close() // ends Accept
	s.mu.Lock()
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

// Files returns what the server really holds, by name without directories. The
// caller owns the map and must not change the contents.
func (s *Liar) Files() map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.files)
}

// Log returns the commands of all sessions, in the order in which they came.
func (s *Liar) Log() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}

// keep has c closed by Close, if that was not before.
func (s *Liar) keep(c io.Closer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[c] = true
	if s.ctx.Err() != nil {
		_ = c.Close()
	}
}

func (s *Liar) drop(c io.Closer) {
	_ = c.Close() // may be closed already
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// beside reports whether a file is one that the lie is not about.
func (s *Liar) beside(name string) bool { return s.opts.Beside[name] != nil }

// store adds content to a file behind the first offset bytes of it.
func (s *Liar) store(name string, offset int64, content []byte, sent int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.files[name]
	before = before[:min(offset, int64(len(before)))]
	s.files[name] = append(slices.Clip(before), content...)
	s.sent[name] = offset + sent
}

// file returns a file, and how often its size was asked, this time included.
func (s *Liar) file(name string, asking bool) (content []byte, sent int64, asked int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if asking && !s.beside(name) {
		s.sized++
	}
	content, ok = s.files[name]
	return content, s.sent[name], s.sized, ok
}

// begin counts the downloads, and makes the file another one when it is time for
// that.
func (s *Liar) begin(name string) (times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun++
	if change := s.lie.plan.changed; change != nil && s.begun == 2 {
		s.files[name] = change(slices.Clone(s.files[name]))
	}
	return s.begun
}

// modified returns when the file was, as MDTM tells.
func (s *Liar) modified() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lie.plan.changed != nil && s.begun > 0 {
		return "20240203040506"
	}
	return "20240102030405"
}

// rename reports whether there was a file to rename.
func (s *Liar) rename(from, to string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	content, ok := s.files[from]
	if change := s.lie.plan.renamed; change != nil {
		content = change(content)
	}
	if ok && !s.lie.plan.renameUndone {
		s.files[to], s.sent[to] = content, s.sent[from]
		delete(s.files, from)
		delete(s.sent, from)
	}
	return ok
}

func (s *Liar) remove(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.files[name]
	delete(s.files, name)
	return ok
}
