package lab

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
)

// ErrNoRelay says that the hosts of a lab are joined directly.
var ErrNoRelay = errors.New("the lab has no relay")

// A keeper holds a lab with a name until it gets SIGTERM, and answers for it.
type keeper struct {
	cfg    UpConfig
	lab    *Lab
	server *Server // nil if there is none
	root   string  // what it serves
}

// keeperRequest and keeperAnswer are what is exchanged on the control socket
// of a keeper: one of each on a connection, in JSON.
type keeperRequest struct {
	Set *Impairment `json:",omitempty"`
}

type keeperAnswer struct {
	Info       Info
	Impairment Impairment // as it was set
	Error      string     `json:",omitempty"`
	NoRelay    bool       `json:",omitempty"`
}

// actKeeper is the whole life of a keeper.
func actKeeper() error {
	reply := os.NewFile(readyFD, "reply")
	syscall.CloseOnExec(readyFD) // the reply ends when it is closed here
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	signal.Ignore(syscall.SIGHUP)
	k := new(keeper)
	ln, err := k.begin(ctx)
	if err != nil {
		if k.lab != nil {
			err = errors.Join(err, k.lab.Close())
		}
		return json.NewEncoder(reply).Encode(upReply{Error: err.Error(), Exists: errors.Is(err, ErrExists)})
	}
	serving := make(chan struct{})
	go func() { // ends when ln is closed; waited for below
		defer close(serving)
		k.serve(ctx, ln)
	}()
	info, _ := k.info(ctx)
	err = errors.Join(json.NewEncoder(reply).Encode(upReply{Info: info}), reply.Close())
	if err == nil {
		<-ctx.Done()
	}
	err = errors.Join(err, ln.Close())
	<-serving
	return errors.Join(err, k.lab.Close())
}

// begin makes all that there is to be. After an error k.lab has to be closed;
// it may be nil.
func (k *keeper) begin(ctx context.Context) (net.Listener, error) {
	if err := readConfig(&k.cfg); err != nil {
		return nil, err
	}
	for _, name := range []string{roleEnv, configEnv} { // not for its children
		if err := os.Unsetenv(name); err != nil {
			return nil, err
		}
	}
	var err error
	if k.lab, err = newLab(ctx, k.cfg.Lab, k.cfg.Name); err != nil {
		return nil, err
	}
	if err := k.startServer(ctx); err != nil {
		return nil, err
	}
	ln, err := net.Listen("unix", controlPath(k.cfg.Name))
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(controlPath(k.cfg.Name), 0o600); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	// Whatever file system this was called on can be unmounted.
	if err := os.Chdir("/"); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	return ln, nil
}

func (k *keeper) startServer(ctx context.Context) error {
	if k.cfg.Server == nil {
		return nil
	}
	cfg := *k.cfg.Server
	if cfg.Root == "" {
		cfg.Root = filepath.Join(k.lab.dir, "root")
		if err := os.Mkdir(cfg.Root, 0o755); err != nil {
			return err
		}
	}
	root, err := filepath.Abs(cfg.Root)
	if err != nil {
		return err
	}
	k.root = root
	k.server, err = k.lab.Server.StartServer(ctx, cfg)
	return err
}

// serve answers requests until ln is closed, and returns when all are
// answered.
func (k *keeper) serve(ctx context.Context, ln net.Listener) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		wg.Go(func() {
			defer conn.Close()
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			defer stop()
			var r keeperRequest
			if json.NewDecoder(conn).Decode(&r) != nil {
				return // whoever asks is told by the end of the connection
			}
			_ = json.NewEncoder(conn).Encode(k.answer(ctx, r)) // likewise
		})
	}
}

func (k *keeper) answer(ctx context.Context, r keeperRequest) keeperAnswer {
	if r.Set != nil {
		if k.lab.Relay == nil {
			return keeperAnswer{NoRelay: true}
		}
		if err := k.lab.Relay.Set(ctx, *r.Set); err != nil {
			return keeperAnswer{Error: err.Error()}
		}
	}
	info, imp := k.info(ctx)
	return keeperAnswer{Info: info, Impairment: imp, NoRelay: k.lab.Relay == nil}
}

// info describes the lab as it is now.
func (k *keeper) info(ctx context.Context) (Info, Impairment) {
	l := k.lab
	i := Info{
		Name: k.cfg.Name, PID: os.Getpid(), MTU: l.mtu,
		Client: describe(l.Client), Server: describe(l.Server),
	}
	if s := k.server; s != nil {
		i.FTP = &FTPInfo{
			Kind: k.cfg.Server.Kind.String(), URL: s.URL(""), URL6: s.URL6(""),
			Root: k.root, PID: s.PID(), Running: s.Running(),
			TLS: s.tls.String(), CAFile: s.CAFile(),
		}
	}
	r := l.Relay
	if r == nil {
		return i, Impairment{}
	}
	report, err := r.Report(ctx)
	if err != nil { // a dead one has no counters any more
		report = RelayReport{Impairment: k.cfg.Lab.Impairment}
	}
	i.Relay = &RelayInfo{Namespace: r.Namespace(), PID: r.PID(), Running: r.Running()}
	i.Relay.set(report, l.mtu)
	return i, report.Impairment
}
