package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	ftpserver "github.com/fclairamb/ftpserverlib"
	"github.com/spf13/afero"
)

// A testServer is an FTP server on the loopback interface. Its faults:
//
//	greeting=LINE   say this instead of a greeting and hang up
//	stall=N         stop, on the first download or upload, after N bytes
//	stalltotal=N    the same, after N bytes of all of them
//	noren           refuse to rename
//	fakeren         say that a file was renamed, and leave it
//	nodele          refuse to delete
//	noread          refuse to send files
//	norest          take REST and send or write the whole file all the same
//	full=N          refuse more than N bytes of an upload
//	fullplace=N     the same, but not under a temporary name
//	lists=A,B       name files A and B in the list of every directory too
//	garbled         put a line into every list that is none
//	nomlsd          list by LIST alone
//	nomlst          have no MLST
//	nosize          tell neither size nor time of a file
//	notime          tell the size of a file, and no time
//	hash            have HASH and its like
//	badhash         have them, and tell wrong ones
//	narrow          buffer little of what it sends
//	drop=N          break off all connections, on the first N transfers, after 1 MB
//	tls[=KIND]      have TLS: explicit if it is asked for, or with the KIND
//	                "required" only, with "implicit" from the start
//	cert=KIND       with a certificate that is "expired", or for an "other" host
//	clients         which takes only clients that have a certificate
//
// The user "user" has the password "s3cret-pw", and anonymous any.
type testServer struct {
	listener *trackingListener
	server   *ftpserver.FtpServer // nil with greeting=
	root     string
	faults   map[string]string
	stalled  chan struct{} // closed when stall has happened
	release  chan struct{} // closed by goOn
	first    sync.Once     // guards stalled
	going    sync.Once     // guards release
	serving  sync.WaitGroup
	cert     tls.Certificate      // with tls
	gate     atomic.Pointer[gate] // of what is opened from now on, or nil
	begun    atomic.Int64         // transfers
	moved    atomic.Int64         // bytes
}

func startServer(root string, args []string) (*testServer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &testServer{
		listener: &trackingListener{Listener: l},
		root:     root,
		faults:   make(map[string]string),
		stalled:  make(chan struct{}),
		release:  make(chan struct{}),
	}
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		s.faults[name] = value
	}
	if s.has("tls") {
		if s.cert, err = makeCertificate(s.faults["cert"]); err != nil {
			return nil, err
		}
	}
	if line, ok := s.faults["greeting"]; ok {
		s.serving.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				fmt.Fprintf(c, "%s\r\n", line)
				c.Close()
			}
		})
		return s, nil
	}
	s.server = ftpserver.NewFtpServer(s)
	if err := s.server.Listen(); err != nil {
		return nil, err
	}
	s.serving.Go(func() { s.server.Serve() })
	return s, nil
}

func (s *testServer) port() int   { return s.listener.Addr().(*net.TCPAddr).Port }
func (s *testServer) url() string { return "ftp://127.0.0.1:" + strconv.Itoa(s.port()) }

func (s *testServer) stop() {
	s.goOn()
	s.die()
	s.serving.Wait()
}

// die resets all connections and takes no more.
func (s *testServer) die() {
	s.listener.Close()
	s.listener.breakAll()
}

// number returns the value of a fault, or -1 if the server does not have it.
func (s *testServer) number(fault string) int64 {
	n, err := strconv.ParseInt(s.faults[fault], 10, 64)
	if err != nil {
		return -1
	}
	return n
}

func (s *testServer) has(fault string) bool { _, ok := s.faults[fault]; return ok }

func (s *testServer) GetSettings() (*ftpserver.Settings, error) {
	settings := &ftpserver.Settings{
		Listener:                s.listener,
		ActiveTransferPortNon20: true,
		EnableHASH:              s.has("hash") || s.has("badhash"),
		DisableMLSD:             s.has("nomlsd"),
		DisableMLST:             s.has("nomlst"),
	}
	switch s.faults["tls"] {
	case "required":
		settings.TLSRequired = ftpserver.MandatoryEncryption
	case "implicit":
		settings.TLSRequired = ftpserver.ImplicitEncryption
		config, err := s.GetTLSConfig()
		if err != nil {
			return nil, err
		}
		settings.Listener = tls.NewListener(s.listener, config) // the library does that only with its own
	}
	return settings, nil
}
func (s *testServer) ClientConnected(ftpserver.ClientContext) (string, error) { return "test", nil }
func (s *testServer) ClientDisconnected(ftpserver.ClientContext)              {}

func (s *testServer) GetTLSConfig() (*tls.Config, error) {
	if !s.has("tls") {
		return nil, errors.New("no TLS")
	}
	config := &tls.Config{Certificates: []tls.Certificate{s.cert}}
	if s.has("clients") {
		config.ClientAuth = tls.RequireAnyClientCert
	}
	return config, nil
}

func (s *testServer) AuthUser(_ ftpserver.ClientContext, user, password string) (ftpserver.ClientDriver, error) {
	if user == "user" && password != "s3cret-pw" {
		return nil, fmt.Errorf("wrong password %s", password) // a server that tells what it should not
	}
	return &faultyFs{afero.NewBasePathFs(afero.NewOsFs(), s.root), s}, nil
}

// WrapPassiveListener makes the data connections breakable too.
func (s *testServer) WrapPassiveListener(l net.Listener) (net.Listener, error) {
	return &trackingListener{Listener: l, all: s.listener.tracked(), narrow: s.has("narrow")}, nil
}

// A trackingListener knows the connections that it and its like accepted.
type trackingListener struct {
	net.Listener
	once   sync.Once
	all    *connections
	narrow bool // the buffers of what is sent
}

type connections struct {
	mu    sync.Mutex
	conns []net.Conn
}

func (l *trackingListener) tracked() *connections {
	l.once.Do(func() {
		if l.all == nil {
			l.all = new(connections)
		}
	})
	return l.all
}

func (l *trackingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		if tcp, ok := c.(*net.TCPConn); ok && l.narrow {
			err = tcp.SetWriteBuffer(32 << 10)
		}
		all := l.tracked()
		all.mu.Lock()
		all.conns = append(all.conns, c)
		all.mu.Unlock()
	}
	return c, err
}

func (l *trackingListener) breakAll() {
	all := l.tracked()
	all.mu.Lock()
	defer all.mu.Unlock()
	for _, c := range all.conns {
		if tcp, ok := c.(*net.TCPConn); ok {
			tcp.SetLinger(0)
		}
		c.Close()
	}
}

// stall stops the first caller until goOn. Later ones go on,
// so that a download can be continued.
func (s *testServer) stall() {
	first := false
	s.first.Do(func() { first = true })
	if first {
		close(s.stalled)
		<-s.release
	}
}

// goOn ends the stall.
func (s *testServer) goOn() { s.going.Do(func() { close(s.release) }) }
