package ftptest

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
)

// A Net opens the server's side of data connections: [*Host] and [Kernel] are
// two.
type Net interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
	Listen(ctx context.Context, network, address string) (net.Listener, error)
}

// Kernel is the Net of the kernel's sockets.
type Kernel struct {
	net.Dialer
	net.ListenConfig
}

// A Script is one step of a dialogue, or several; see [Steps].
type Script func(s *Session) error

// A Session is the state of a dialogue, for scripts of one's own.
type Session struct {
	Control net.Conn
	Data    net.Conn // the data connection, once [Accept] or [Connect] has run

	ctx    context.Context
	net    Net
	tls    *tls.Config // of data connections
	reader *bufio.Reader
	ln     net.Listener // of passive mode
	peer   string       // address that the client listens on in active mode

	mu     sync.Mutex
	ended  bool
	opened []io.Closer
}

// track has c closed at the end of the session.
func (s *Session) track(c io.Closer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		_ = c.Close() // too late to be of use
		return
	}
	s.opened = append(s.opened, c)
}

func (s *Session) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	for _, c := range s.opened {
		_ = c.Close() // most are closed already
	}
	s.opened = nil
}

// Line returns the next line that the client sends, without its CR LF. A line
// that does not end in CR LF is an error.
func (s *Session) Line() (string, error) {
	line, err := s.reader.ReadString('\n')
	if err != nil {
		if line != "" {
			return "", fmt.Errorf("half a line %q: %w", line, err)
		}
		return "", err
	}
	line, ok := strings.CutSuffix(line, "\r\n")
	if !ok {
		return "", fmt.Errorf("line %q does not end in CR LF", line)
	}
	return line, nil
}

// A Server plays one script to one client.
type Server struct {
	cancel  context.CancelFunc
	ln      net.Listener
	session *Session
	done    chan struct{}
	err     error
}

// Serve plays script to the first client that connects to ln, which is closed
// then. After the script the client must send nothing more. The caller must
// call Close, and the goroutine of the server has ended when that returns.
func Serve(ln net.Listener, n Net, script ...Script) *Server {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{
		cancel:  cancel,
		ln:      ln,
		session: &Session{ctx: ctx, net: n},
		done:    make(chan struct{}),
	}
	go s.run(script)
	return s
}

func (s *Server) run(script []Script) {
	defer close(s.done)
	defer s.session.end()
	conn, err := s.ln.Accept()
	_ = s.ln.Close() // one client is enough
	if err != nil {
		s.err = err
		return
	}
	s.session.track(conn)
	s.session.Control = conn
	s.session.reader = bufio.NewReader(conn)
	if s.err = Steps(script...)(s.session); s.err != nil {
		return
	}
	line, err := s.session.Line()
	if err == nil {
		s.err = fmt.Errorf("after the script: client sent %q", line)
	}
}

// Wait waits until the script has been played and the client has closed its
// connection. It returns where the dialogue left the script, or nil.
func (s *Server) Wait() error {
	<-s.done
	return s.err
}

// Close ends the dialogue where it is and returns what Wait returns, but nil if
// the dialogue was only cut short.
func (s *Server) Close() error {
	s.cancel()
	_ = s.ln.Close() // may be closed already
	s.session.end()
	<-s.done
	if errors.Is(s.err, net.ErrClosed) || errors.Is(s.err, io.ErrClosedPipe) || errors.Is(s.err, context.Canceled) {
		return nil
	}
	return s.err
}
