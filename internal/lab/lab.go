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
}

// Lab is two hosts and the link between them.
type Lab struct {
	Client *Host // where xftp runs, or a peer on kernel sockets
	Server *Host // where the FTP server runs

	name string
	dir  string // for the servers' files; below stateDir

	close    sync.Once
	closeErr error
}

// New makes a lab, and first sweeps what dead owners have left. Both hosts
// can reach each other over IPv4 and IPv6 when it returns. The context bounds
// New alone. The caller must Close the lab.
//
// The error wraps fs.ErrPermission if the process lacks the privilege.
func New(ctx context.Context, cfg Config) (*Lab, error) {
	if cfg.MTU == 0 {
		cfg.MTU = 1500
	}
	if cfg.Queues == 0 {
		cfg.Queues = 1
	}
	if err := Sweep(); err != nil {
		return nil, fmt.Errorf("lab: sweep: %w", err)
	}
	o, err := self()
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	l := &Lab{name: o.newName()}
	if err := l.build(ctx, cfg); err != nil {
		return nil, errors.Join(fmt.Errorf("lab: %w", err), l.Close())
	}
	return l, nil
}

func (l *Lab) build(ctx context.Context, cfg Config) error {
	dir := filepath.Join(stateDir, l.name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	l.dir = dir

	var err error
	if l.Client, err = newHost(l, "client", 1); err != nil {
		return err
	}
	if l.Server, err = newHost(l, "server", 2); err != nil {
		return err
	}
	if err := joinHosts(l.Client, l.Server, cfg); err != nil {
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
		if l.dir != "" {
			errs = append(errs, os.RemoveAll(l.dir))
			// Gone with the last lab. Another lab's directory is no error.
			_ = os.Remove(stateDir)
		}
		if err := errors.Join(errs...); err != nil {
			l.closeErr = fmt.Errorf("lab: close: %w", err)
		}
	})
	return l.closeErr
}

// The addresses are private to the namespaces, so that every lab can have the
// same: 10.99.0.0/24 and fd99::/64.
func hostAddr4(last byte) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 99, 0, last}), 24)
}

func hostAddr6(last byte) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom16([16]byte{0: 0xfd, 1: 0x99, 15: last}), 64)
}
