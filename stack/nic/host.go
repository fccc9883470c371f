package nic

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
	"github.com/safchain/ethtool"
	"github.com/vishvananda/netlink"

	"github.com/seed-54eb6215/xftp/xdp"
)

const (
	// carrierPatience is how long a link may take to come back after its
	// driver has been restarted; some take half a minute.
	carrierPatience = 30 * time.Second
	carrierInterval = 10 * time.Millisecond

	resolvConf = "/etc/resolv.conf"
)

// host is what the host knows of an interface.
type host struct {
	index  int
	queues int // that both receive and send
	driver string
}

// lookUp finds an interface by name and says whether it can be used.
func lookUp(name string) (host, error) {
	l, err := netlink.LinkByName(name)
	if err != nil {
		if errors.As(err, new(netlink.LinkNotFoundError)) {
			return host{}, ErrNoInterface
		}
		return host{}, err
	}
	attrs := l.Attrs()
	switch l.Type() {
	case "bond", "team", "bridge", "vlan", "macvlan", "ipvlan":
		return host{}, fmt.Errorf("%s: %w", l.Type(), ErrUnsupported)
	}
	switch {
	case attrs.Flags&net.FlagLoopback != 0:
		return host{}, fmt.Errorf("loopback: %w", ErrUnsupported)
	case attrs.Flags&net.FlagUp == 0:
		return host{}, ErrLinkDown
	case attrs.Flags&net.FlagRunning == 0:
		return host{}, ErrNoCarrier
	}
	h := host{index: attrs.Index, driver: driverOf(name)}
	// Read before the program is attached: some drivers then add queues that
	// must not be bound.
	h.queues, err = xdp.Queues(h.index)
	return h, err
}

// driverOf returns the name of an interface's driver, or "".
func driverOf(name string) string {
	e, err := ethtool.NewEthtool()
	if err != nil {
		return ""
	}
	defer e.Close()
	driver, err := e.DriverName(name)
	if err != nil {
		return ""
	}
	return driver
}

// checkAddresses wants an address, and refuses those that this host has on any interface: its
// kernel would answer for them, too.
func checkAddresses(addrs []netip.Prefix) error {
	if len(addrs) == 0 {
		return errors.New("no address is given")
	}
	taken, err := netlink.AddrList(nil, netlink.FAMILY_ALL)
	if err != nil {
		return err
	}
	for _, a := range taken {
		ip, ok := netip.AddrFromSlice(a.IP)
		if !ok {
			continue
		}
		for _, p := range addrs {
			if p.Addr().Unmap() == ip.Unmap() {
				return fmt.Errorf("%s: %w", p.Addr(), ErrAddressInUse)
			}
		}
	}
	return nil
}

// awaitCarrier waits until the link runs.
func awaitCarrier(ctx context.Context, index int) error {
	ctx, cancel := context.WithTimeoutCause(ctx, carrierPatience, ErrNoCarrier)
	defer cancel()
	look := time.NewTicker(carrierInterval)
	defer look.Stop()
	for {
		l, err := netlink.LinkByIndex(index)
		if err != nil {
			return err
		}
		switch flags := l.Attrs().Flags; {
		case flags&net.FlagUp == 0:
			return ErrLinkDown
		case flags&net.FlagRunning != 0:
			return nil
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// hostNameservers returns the name servers and the search list of the file at
// path, in the format of resolv.conf(5). Servers on a loopback address are
// left out: the stack cannot reach them.
func hostNameservers(path string) (servers []netip.AddrPort, search []string) {
	c, err := dns.ClientConfigFromFile(path)
	if err != nil {
		return nil, nil // a host without one asks nobody
	}
	for _, s := range c.Servers {
		s, _, _ = strings.Cut(s, "%")
		if a, err := netip.ParseAddr(s); err == nil && !a.IsLoopback() {
			servers = append(servers, netip.AddrPortFrom(a, 53))
		}
	}
	return servers, c.Search
}
