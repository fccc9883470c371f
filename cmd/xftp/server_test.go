package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	ftpserver "github.com/fclairamb/ftpserverlib"
	"github.com/spf13/afero"
)

// A testServer is an FTP server on the loopback interface. Its faults:
//
//	greeting=LINE   say this instead of a greeting and hang up
//	stall=N         stop, on the first download or upload, after N bytes
//	noren           refuse to rename
//	nodele          refuse to delete
//	noread          refuse to send files
//	norest          take REST and send or write the whole file all the same
//	full=N          refuse more than N bytes of an upload
//	lists=A,B       name files A and B in the list of every directory too
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

func (s *testServer) GetSettings() (*ftpserver.Settings, error) {
	return &ftpserver.Settings{Listener: s.listener, ActiveTransferPortNon20: true}, nil
}
func (s *testServer) ClientConnected(ftpserver.ClientContext) (string, error) { return "test", nil }
func (s *testServer) ClientDisconnected(ftpserver.ClientContext)              {}
func (s *testServer) GetTLSConfig() (*tls.Config, error)                      { return nil, errors.New("no TLS") }

func (s *testServer) AuthUser(_ ftpserver.ClientContext, user, password string) (ftpserver.ClientDriver, error) {
	if user == "user" && password != "s3cret-pw" {
		return nil, fmt.Errorf("wrong password %s", password) // a server that tells what it should not
	}
	return &faultyFs{afero.NewBasePathFs(afero.NewOsFs(), s.root), s}, nil
}

// WrapPassiveListener makes the data connections breakable too.
func (s *testServer) WrapPassiveListener(l net.Listener) (net.Listener, error) {
	return &trackingListener{Listener: l, all: s.listener.tracked()}, nil
}

// A trackingListener knows the connections that it and its like accepted.
type trackingListener struct {
	net.Listener
	once sync.Once
	all  *connections
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

// A faultyFs is what one client sees.
type faultyFs struct {
	afero.Fs
	server *testServer
}

func (f *faultyFs) OpenFile(name string, flag int, perm os.FileMode) (afero.File, error) {
	if _, ok := f.server.faults["noread"]; ok && flag&(os.O_WRONLY|os.O_RDWR) == 0 {
		return nil, errors.New("reading is not allowed")
	}
	file, err := f.Fs.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &faultyFile{File: file, server: f.server}, nil
}

// ReadDir lists a directory.
func (f *faultyFs) ReadDir(name string) ([]os.FileInfo, error) {
	all, err := afero.ReadDir(f.Fs, name)
	if names := f.server.faults["lists"]; names != "" {
		for name := range strings.SplitSeq(names, ",") {
			all = append(all, invented{name})
		}
	}
	return all, err
}

// An invented file is only in the lists of a server.
type invented struct{ name string }

func (i invented) Name() string     { return i.name }
func (invented) Size() int64        { return 5 }
func (invented) Mode() fs.FileMode  { return 0o644 }
func (invented) ModTime() time.Time { return time.Unix(1e9, 0) }
func (invented) IsDir() bool        { return false }
func (invented) Sys() any           { return nil }

func (f *faultyFs) Rename(from, to string) error {
	if _, ok := f.server.faults["noren"]; ok {
		return errors.New("renaming is not allowed")
	}
	return f.Fs.Rename(from, to)
}

func (f *faultyFs) Remove(name string) error {
	if _, ok := f.server.faults["nodele"]; ok {
		return errors.New("deleting is not allowed")
	}
	return f.Fs.Remove(name)
}

type faultyFile struct {
	afero.File
	server *testServer
	moved  atomic.Int64
}

func (f *faultyFile) Read(b []byte) (int, error) {
	s := f.server
	if limit := s.number("stall"); limit >= 0 && f.moved.Load() >= limit {
		s.stall()
	}
	n, err := f.File.Read(b)
	f.moved.Add(int64(n))
	return n, err
}

func (f *faultyFile) Write(b []byte) (int, error) {
	s := f.server
	if limit := s.number("stall"); limit >= 0 && f.moved.Load() >= limit {
		s.stall()
	}
	if limit := s.number("full"); limit >= 0 && f.moved.Load()+int64(len(b)) > limit {
		return 0, errors.New("no space left on the server")
	}
	n, err := f.File.Write(b)
	f.moved.Add(int64(n))
	return n, err
}

func (f *faultyFile) Seek(offset int64, whence int) (int64, error) {
	if _, ok := f.server.faults["norest"]; ok {
		return offset, nil
	}
	return f.File.Seek(offset, whence)
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
