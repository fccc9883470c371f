package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
)

// Config says how the link between the two hosts is made. The zero value is
// a wire-true link with Ethernet's usual MTU.
type Config struct {
	// MTU of both ends, in bytes without the Ethernet header. Zero is 1500.
	MTU int

	// Queues is the number of receive and of transmit queues of each end.
	// Zero is one.
	Queues int

	// Offload leaves segmentation and checksum offload as the kernel sets
	// them. The link then carries packets longer than the MTU, and
	// checksums that are only begun.
	Offload bool

	// Threaded has each host receive in a kernel thread of its own (threaded
	// NAPI), as two machines would. Else the kernel receives for a host
	// within the system call of the other that sends, and on its CPU.
	Threaded bool

	// Impairment of the link, the same in both directions. If it is not the
	// zero value, a relay in a third namespace stands between the hosts.
	Impairment Impairment

	// Relay puts the relay there in any case: to compare with an impaired
	// link, or to impair this one later.
	Relay bool
}

// Lab is two hosts and the link between them.
type Lab struct {
	Client *Host  // where xftp runs, or a peer on kernel sockets
	Server *Host  // where the FTP server runs
	Relay  *Relay // between them; nil if they are joined directly

	prefix string // of the names of its namespaces
	dir    string // for the servers' files; below stateDir
	named  bool   // see claim
	mtu    int

	tls  sync.Mutex  // guards cert
	cert certificate // made for the first server with TLS

	close    sync.Once
	closeErr error
}

// New makes a lab, and first sweeps what dead owners have left. Both hosts
// can reach each other over IPv4 and IPv6 when it returns. The context bounds
// New alone. The caller must Close the lab.
//
// The error wraps fs.ErrPermission if the process lacks the privilege.
func New(ctx context.Context, cfg Config) (*Lab, error) { return newLab(ctx, cfg, "") }

// newLab makes a lab with a name that the process makes up, or with the given
// one.
func newLab(ctx context.Context, cfg Config, name string) (*Lab, error) {
	if cfg.MTU == 0 {
		cfg.MTU = 1500
	}
	if cfg.Queues == 0 {
		cfg.Queues = 1
	}
	cfg.Relay = cfg.Relay || cfg.Impairment != (Impairment{})
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	if err := Sweep(); err != nil {
		return nil, fmt.Errorf("lab: sweep: %w", err)
	}
	l := &Lab{named: name != "", mtu: cfg.MTU}
	if err := l.build(ctx, cfg, name); err != nil {
		return nil, errors.Join(fmt.Errorf("lab: %w", err), l.Close())
	}
	return l, nil
}

func (c Config) check() error {
	if c.Offload && c.Relay {
		return errors.New("offload: a relay carries no packets longer than the MTU")
	}
	return c.Impairment.Check()
}

func (l *Lab) build(ctx context.Context, cfg Config, name string) error {
	o, err := self()
	if err != nil {
		return err
	}
	if l.named {
		if l.dir, err = claim(o, name); err != nil {
			return err
		}
		l.prefix = namedPrefix(name)
	} else {
		l.prefix = o.newName()
		l.dir = filepath.Join(stateDir, l.prefix)
		if err := os.MkdirAll(l.dir, 0o755); err != nil {
			return err
		}
	}
	if l.Client, err = newHost(l, "client"); err != nil {
		return err
	}
	if l.Server, err = newHost(l, "server"); err != nil {
		return err
	}
	l.Client.setAddresses(1)
	l.Server.setAddresses(2)
	if cfg.Relay {
		l.Relay, err = startRelay(ctx, l, cfg)
	} else {
		err = joinHosts(l.Client, l.Client.Interface, l.Server, l.Server.Interface, cfg)
	}
	if err != nil {
		return err
	}
	for _, h := range []*Host{l.Client, l.Server} {
		if err := h.setUp(cfg); err != nil {
			return fmt.Errorf("set up %s: %w", h.Name, err)
		}
	}
	// Only now that both ends are up can either have a carrier.
	for _, h := range []*Host{l.Client, l.Server} {
		if err := h.AwaitCarrier(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the processes that run in the hosts and removes the namespaces
// and the lab's files. It may be called more than once and from several
// goroutines; every call returns when the work is done, with the same error.
func (l *Lab) Close() error {
	l.close.Do(func() {
		var errs []error
		for _, h := range []*Host{l.Client, l.Server} {
			if h != nil {
				errs = append(errs, h.close())
			}
		}
		if l.Relay != nil {
			errs = append(errs, l.Relay.stop())
		}
		if l.dir != "" {
			errs = append(errs, l.removeDir())
			// Gone with the last lab. Another lab's directory is no error.
			_ = os.Remove(stateDir)
		}
		if err := errors.Join(errs...); err != nil {
			l.closeErr = fmt.Errorf("lab: close: %w", err)
		}
	})
	return l.closeErr
}

// removeDir removes the lab's files, and with them the claim to its name.
func (l *Lab) removeDir() error {
	if !l.named {
		return os.RemoveAll(l.dir)
	}
	return lockNames(func() error { return os.RemoveAll(l.dir) })
}

// The addresses are private to the namespaces, so that every lab can have the
// same: 10.99.0.0/24 and fd99::/64.
func hostAddr4(last byte) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 99, 0, last}), 24)
}

func hostAddr6(last byte) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom16([16]byte{0: 0xfd, 1: 0x99, 15: last}), 64)
}
