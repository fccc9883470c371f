package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"github.com/vishvananda/netlink"

	"github.com/seed-54eb6215/xftp/internal/lab/relay"
)

// Impairment is what the link does to the frames of one direction. The zero
// value does nothing.
type Impairment = relay.Impairment

// Counters say what the relay has done to the frames of one direction.
type Counters = relay.Counters

// Names of the relay's interfaces, after the hosts they lead to.
const (
	toClient = "client"
	toServer = "server"
)

// Relay is a process in a namespace of its own that carries the frames between
// the two hosts, and impairs them. Its methods may be called from any
// goroutine.
type Relay struct {
	host    *Host
	cmd     *exec.Cmd
	control *relay.Control
	output  *os.File      // what the process has printed
	exited  chan struct{} // closed when the process has been waited for

	end    sync.Once
	endErr error
}

// A RelayReport is what the relay has done since the lab was made.
type RelayReport struct {
	Impairment Impairment
	ToServer   Counters // frames from the client
	ToClient   Counters // frames from the server
}

// startRelay joins the hosts of the lab by two veth pairs with a relay in
// between, and returns when it works.
func startRelay(ctx context.Context, l *Lab, cfg Config) (*Relay, error) {
	h, err := newHost(l, "relay")
	if err != nil {
		return nil, err
	}
	r := &Relay{host: h, exited: make(chan struct{})}
	if err := r.start(ctx, cfg); err != nil {
		return nil, errors.Join(fmt.Errorf("start relay: %w", err), r.stop())
	}
	return r, nil
}

func (r *Relay) start(ctx context.Context, cfg Config) error {
	l := r.host.lab
	err := errors.Join(
		joinHosts(r.host, toClient, l.Client, l.Client.Interface, cfg),
		joinHosts(r.host, toServer, l.Server, l.Server.Interface, cfg))
	if err == nil {
		err = r.host.Do(setUpRelayLinks)
	}
	if err != nil {
		close(r.exited)
		return err
	}
	cmd := reexec(roleRelay)
	err = withConfig(cmd, relay.Config{A: toClient, B: toServer, MTU: cfg.MTU, Impairment: cfg.Impairment})
	var theirs *os.File
	if err == nil {
		r.control, theirs, err = relay.NewControl()
	}
	if err != nil {
		close(r.exited)
		return err
	}
	defer theirs.Close()
	cmd.ExtraFiles = []*os.File{theirs} // becomes readyFD
	if r.output, err = os.CreateTemp(l.dir, "relay-"); err != nil {
		close(r.exited)
		return err
	}
	cmd.Stdout, cmd.Stderr = r.output, r.output
	if err := r.host.Start(cmd); err != nil {
		close(r.exited)
		return errors.Join(err, r.output.Close())
	}
	r.cmd = cmd
	go func() { // ends with the process; stop waits for it
		_ = cmd.Wait() // how it ended is in ProcessState
		close(r.exited)
	}()
	theirs.Close() // the end of the socket is then the child's death
	if err := r.control.Ready(ctx); err != nil {
		return r.explain(err)
	}
	return nil
}

// setUpRelayLinks runs in the namespace of the relay. The kernel has no part
// in the traffic there.
func setUpRelayLinks() error {
	for _, name := range []string{toClient, toServer} {
		path := filepath.Join("/proc/sys/net/ipv6/conf", name, "disable_ipv6")
		if err := os.WriteFile(path, []byte("1"), 0); err != nil {
			return err
		}
		if err := setFeatures(name, wireTrueRelay); err != nil {
			return err
		}
		link, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		if err := netlink.LinkSetUp(link); err != nil {
			return err
		}
	}
	return nil
}

// explain adds to err how the relay died, if it did.
func (r *Relay) explain(err error) error {
	select {
	case <-r.exited:
		said, _ := os.ReadFile(r.output.Name()) // better than nothing
		return fmt.Errorf("%w: %v: %s", err, r.cmd.ProcessState, bytes.TrimSpace(said))
	default:
		return err
	}
}

// Namespace returns the name of the relay's namespace, where its interfaces
// are called client and server.
func (r *Relay) Namespace() string { return r.host.Name }

// PID returns the id of the relay's process.
func (r *Relay) PID() int { return r.cmd.Process.Pid }

// Running reports whether the process still runs. Without it the link carries
// nothing.
func (r *Relay) Running() bool {
	select {
	case <-r.exited:
		return false
	default:
		return true
	}
}

// Report asks the relay what it has done. The context unblocks it.
func (r *Relay) Report(ctx context.Context) (RelayReport, error) {
	report, err := r.control.Report(ctx)
	if err != nil {
		return RelayReport{}, fmt.Errorf("lab: %w", r.explain(err))
	}
	return RelayReport{report.Impairment, report.AtoB, report.BtoA}, nil
}

// Set replaces the impairment of both directions. Frames on their way stay on
// it. The generators start anew, the counters do not.
func (r *Relay) Set(ctx context.Context, imp Impairment) error {
	if err := imp.Check(); err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	if err := r.control.Set(ctx, imp); err != nil {
		return fmt.Errorf("lab: %w", r.explain(err))
	}
	return nil
}

// stop ends the process and removes the namespace.
func (r *Relay) stop() error {
	r.end.Do(func() {
		var errs []error
		if r.control != nil {
			errs = append(errs, r.control.Close())
		}
		errs = append(errs, r.host.close()) // kills it
		<-r.exited
		if r.cmd != nil {
			errs = append(errs, r.output.Close())
		}
		r.endErr = errors.Join(errs...)
	})
	return r.endErr
}
