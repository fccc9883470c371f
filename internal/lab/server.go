package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// Kind says which FTP server is meant.
type Kind uint8

// The servers that a host can run.
const (
	Embedded Kind = iota // the one that is part of the calling executable
	Vsftpd               // Debian's vsftpd, see FindProgram
	Proftpd              // Debian's proftpd, see FindProgram
	Pureftpd             // Debian's pure-ftpd, see FindProgram
)

// String returns the name of the server.
func (k Kind) String() string {
	switch k {
	case Embedded:
		return "embedded"
	case Vsftpd:
		return "vsftpd"
	case Proftpd:
		return "proftpd"
	case Pureftpd:
		return "pureftpd"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Kinds returns all servers, whether this machine has them or not.
func Kinds() []Kind {
	var all []Kind
	for k := Embedded; !strings.HasPrefix(k.String(), "Kind("); k++ {
		all = append(all, k)
	}
	return all
}

// UploadDir is the directory below ServerConfig.Root in which any server lets
// a client write, whoever it is.
const UploadDir = "upload"

// ServerConfig describes an FTP server. The zero value, with a Root, serves
// anybody who logs in as anonymous, and lets him write below UploadDir.
type ServerConfig struct {
	Kind Kind

	// Root is the directory that is served. It has to exist. Tests put it
	// on a file system in memory where there is one: see RootDir. Unless
	// ReadOnly is set, UploadDir is made in it with mode 0777, because vsftpd
	// writes as an unprivileged user. vsftpd refuses all sessions if that user
	// can write to Root itself; the embedded server writes there too.
	Root string

	// Port of the control connection on all the host's addresses. Zero is 21,
	// and 990 with implicit TLS.
	Port int

	// TLS is for the control connection and for data. The certificate is made
	// by the lab, see Server.CAFile. vsftpd and proftpd demand that a data
	// connection resumes the session of its control connection.
	TLS TLSMode

	ReadOnly    bool // refuse whatever changes a file
	NoAnonymous bool // refuse the users anonymous and ftp; Embedded only

	// Users may log in with these passwords, to the same Root. Embedded only.
	Users map[string]string
}

// Server is an FTP server on a host, in processes of its own. It serves IPv4
// and IPv6, passive and active mode. Its methods may be called from any
// goroutine.
type Server struct {
	host   *Host
	kind   Kind
	port   int
	tls    TLSMode
	cert   certificate // where there is TLS
	cmd    *exec.Cmd
	output *os.File      // what the process has printed
	exited chan struct{} // closed when the process has been waited for

	begun   func() // frees what only the start needs
	release func() // frees what is needed until the end

	stop    sync.Once
	stopErr error
}

// StartServer starts an FTP server and returns when it listens. The context
// bounds the start alone. The server runs until Stop or the lab's Close. It
// is killed if this process dies.
//
// The error wraps ErrNoProgram if the server's program is not on this machine,
// and errors.ErrUnsupported if it cannot do what cfg asks for.
func (h *Host) StartServer(ctx context.Context, cfg ServerConfig) (*Server, error) {
	s, err := h.startServer(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("lab: start %s: %w", cfg.Kind, err)
	}
	return s, nil
}

func (h *Host) startServer(ctx context.Context, cfg ServerConfig) (*Server, error) {
	if role := os.Getenv(roleEnv); role != "" {
		// Main was not called: this would go on for ever.
		return nil, fmt.Errorf("this process was started as %q, but its main does not call lab.Main", role)
	}
	if cfg.Port == 0 {
		cfg.Port = cfg.TLS.port()
	}
	root, err := filepath.Abs(cfg.Root)
	if err != nil {
		return nil, err
	}
	cfg.Root = root
	info, err := os.Stat(root)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, &os.PathError{Op: "serve", Path: root, Err: syscall.ENOTDIR}
	}
	if !cfg.ReadOnly {
		if err := makeUploadDir(root); err != nil {
			return nil, err
		}
	}
	s := &Server{host: h, kind: cfg.Kind, port: cfg.Port, tls: cfg.TLS, exited: make(chan struct{}), begun: func() {}, release: func() {}}
	if cfg.TLS != NoTLS {
		if s.cert, err = h.lab.certificate(); err != nil {
			return nil, err
		}
	}
	if err := h.add(s); err != nil {
		return nil, err
	}
	if err := s.start(ctx, cfg); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func makeUploadDir(root string) error {
	dir := filepath.Join(root, UploadDir)
	if err := os.Mkdir(dir, 0o777); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return os.Chmod(dir, 0o777) // whatever the umask is
}

// start starts the process and waits until it listens or dies.
func (s *Server) start(ctx context.Context, cfg ServerConfig) error {
	var listening func(context.Context) error
	var err error
	if cfg.Kind == Embedded {
		listening, err = s.prepareEmbedded(cfg)
	} else {
		listening, err = s.prepareDaemon(cfg)
	}
	if err != nil {
		close(s.exited)
		return err
	}
	defer s.begun()
	s.output, err = os.CreateTemp(s.host.lab.dir, "output-")
	if err != nil {
		close(s.exited)
		return err
	}
	// vsftpd takes its standard input for the client, and complains there.
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = s.output, s.output, s.output
	if err := s.host.Start(s.cmd); err != nil {
		close(s.exited)
		return errors.Join(err, s.output.Close())
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() { // ends with the process; Stop waits for it
		_ = s.cmd.Wait()                        // how it ended is in ProcessState
		said, _ := os.ReadFile(s.output.Name()) // better than nothing
		_ = s.output.Close()
		close(s.exited)
		cancel(fmt.Errorf("%v: %s", s.cmd.ProcessState, bytes.TrimSpace(said)))
	}()
	return listening(ctx)
}

// Addr returns the address of the control connection, over IPv6 or IPv4.
func (s *Server) Addr(v6 bool) netip.AddrPort {
	if v6 {
		return netip.AddrPortFrom(s.host.IPv6.Addr(), uint16(s.port))
	}
	return netip.AddrPortFrom(s.host.IPv4.Addr(), uint16(s.port))
}

// CAFile returns the name of a file with the certificate, in PEM, of the
// authority that has signed the server's; "" if it does without TLS. It is
// there until the lab is closed.
func (s *Server) CAFile() string { return s.cert.CAFile }

// URL returns the URL, over IPv4, of a path below the root.
func (s *Server) URL(path string) string { return s.url(false, path) }

// URL6 returns the URL, over IPv6, of a path below the root.
func (s *Server) URL6(path string) string { return s.url(true, path) }

func (s *Server) url(v6 bool, path string) string {
	addr := s.Addr(v6)
	host := addr.Addr().String()
	if v6 {
		host = "[" + host + "]"
	}
	if s.port != s.tls.port() {
		host = addr.String()
	}
	u := url.URL{Scheme: s.tls.scheme(), Host: host, Path: "/" + strings.TrimPrefix(path, "/")}
	return u.String()
}

// PID returns the id of the server's first process.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Running reports whether the server's first process still runs.
func (s *Server) Running() bool {
	select {
	case <-s.exited:
		return false
	default:
		return true
	}
}

// Stop ends all processes of the server, in the midst of whatever they do,
// and waits for them. It may be called more than once.
func (s *Server) Stop() error {
	s.stop.Do(func() {
		if s.cmd != nil && s.cmd.Process != nil {
			if err := s.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
				s.stopErr = fmt.Errorf("lab: end process %d: %w", s.PID(), err)
				return
			}
		}
		<-s.exited
		s.release()
		s.host.drop(s)
	})
	return s.stopErr
}

// add makes the server one of the host's, which close stops.
func (h *Host) add(s *Server) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return ErrClosed
	}
	for _, other := range h.servers {
		if other.port == s.port {
			return fmt.Errorf("port %d of %s: %w", s.port, h.Name, syscall.EADDRINUSE)
		}
	}
	h.servers = append(h.servers, s)
	return nil
}

func (h *Host) drop(s *Server) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, other := range h.servers {
		if other == s {
			h.servers = append(h.servers[:i:i], h.servers[i+1:]...)
			return
		}
	}
}
