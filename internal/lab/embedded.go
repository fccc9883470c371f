package lab

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"

	ftpserver "github.com/fclairamb/ftpserverlib"
	"github.com/spf13/afero"
)

// prepareEmbedded makes the command that runs this executable as a server,
// and a function that waits until it listens.
func (s *Server) prepareEmbedded(cfg ServerConfig) (listening func(context.Context) error, err error) {
	config, err := json.Marshal(embeddedConfig{cfg, s.cert})
	if err != nil {
		return nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	s.cmd = reexec(roleServer)
	s.cmd.Env = append(s.cmd.Env, configEnv+"="+string(config))
	s.cmd.ExtraFiles = []*os.File{w} // becomes readyFD
	s.begun = func() { r.Close(); w.Close() }
	return func(ctx context.Context) error {
		w.Close() // the end of the pipe is then the child's death
		stop := context.AfterFunc(ctx, func() { r.Close() })
		defer stop()
		if _, err := io.ReadFull(r, make([]byte, 1)); err != nil {
			<-ctx.Done() // which the child's end is, too
			return context.Cause(ctx)
		}
		return nil
	}, nil
}

// embeddedConfig is what the process of an embedded server is told.
type embeddedConfig struct {
	ServerConfig
	Certificate certificate
}

// serveEmbedded serves until the process is killed. It closes ready, after
// writing one byte, when it listens.
func serveEmbedded(cfg embeddedConfig, ready io.WriteCloser) error {
	// One socket for both families, like vsftpd's.
	ln, err := net.Listen("tcp", net.JoinHostPort("::", strconv.Itoa(cfg.Port)))
	if err != nil {
		return err
	}
	d := &mainDriver{cfg: cfg.ServerConfig, ln: ln}
	if cfg.TLS != NoTLS {
		cert, err := tls.LoadX509KeyPair(cfg.Certificate.CertFile, cfg.Certificate.KeyFile)
		if err != nil {
			return err
		}
		d.tls = &tls.Config{Certificates: []tls.Certificate{cert}}
	}
	if cfg.TLS == ImplicitTLS {
		d.ln = tls.NewListener(ln, d.tls) // the library does that only with its own
	}
	srv := ftpserver.NewFtpServer(d)
	if err := srv.Listen(); err != nil {
		return err
	}
	if _, err := ready.Write([]byte{1}); err != nil {
		return err
	}
	if err := ready.Close(); err != nil {
		return err
	}
	return srv.Serve()
}

// mainDriver is what ftpserverlib asks about the server as a whole.
type mainDriver struct {
	cfg ServerConfig
	ln  net.Listener
	tls *tls.Config // nil without TLS
}

func (d *mainDriver) GetSettings() (*ftpserver.Settings, error) {
	return &ftpserver.Settings{
		Listener:   d.ln,
		EnableHASH: true,
		Banner:     "xftp lab",
		TLSRequired: [...]ftpserver.TLSRequirement{
			NoTLS:       ftpserver.ClearOrEncrypted,
			ExplicitTLS: ftpserver.MandatoryEncryption,
			ImplicitTLS: ftpserver.ImplicitEncryption,
		}[d.cfg.TLS],
	}, nil
}

func (d *mainDriver) ClientConnected(ftpserver.ClientContext) (string, error) {
	return "xftp lab", nil
}

func (d *mainDriver) ClientDisconnected(ftpserver.ClientContext) {}

func (d *mainDriver) GetTLSConfig() (*tls.Config, error) {
	if d.tls == nil {
		return nil, errors.New("the embedded server has no certificate")
	}
	return d.tls, nil
}

func (d *mainDriver) AuthUser(_ ftpserver.ClientContext, user, pass string) (ftpserver.ClientDriver, error) {
	anonymous := (user == "anonymous" || user == "ftp") && !d.cfg.NoAnonymous
	want, known := d.cfg.Users[user]
	if !anonymous && (!known || pass != want) {
		return nil, fmt.Errorf("login incorrect")
	}
	base, ok := afero.NewBasePathFs(afero.NewOsFs(), d.cfg.Root).(*afero.BasePathFs)
	if !ok {
		return nil, errors.New("afero: base path file system of an unknown type")
	}
	c := &clientDriver{base: base, Fs: base}
	if d.cfg.ReadOnly {
		c.Fs = afero.NewReadOnlyFs(base)
		c.readOnly = true
	}
	return c, nil
}

// clientDriver is the file system that one session sees.
type clientDriver struct {
	afero.Fs
	base     *afero.BasePathFs
	readOnly bool
}

// GetHandle opens a file for a transfer. It returns an *os.File, and no
// wrapper of afero's, so that the kernel moves the bytes (sendfile(2),
// splice(2)) as it does for other servers.
func (c *clientDriver) GetHandle(name string, flags int, _ int64) (ftpserver.FileTransfer, error) {
	const writing = os.O_WRONLY | os.O_RDWR | os.O_CREATE | os.O_TRUNC | os.O_APPEND
	if c.readOnly && flags&writing != 0 {
		return nil, &os.PathError{Op: "open", Path: name, Err: os.ErrPermission}
	}
	path, err := c.base.RealPath(name)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, flags, 0o666)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || info.IsDir() {
		return nil, errors.Join(&os.PathError{Op: "open", Path: name, Err: errors.New("is a directory")}, f.Close())
	}
	return f, nil
}
