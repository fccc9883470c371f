package stack

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Config says what a [Stack] is on its network. Only Addresses is required.
type Config struct {
	// Addresses are the stack's own, each with the length of its subnet's
	// prefix. The host's kernel must not have them. IPv6 addresses are used
	// at once, without duplicate address detection.
	Addresses []netip.Prefix

	// Gateways are the next hops for what is in no subnet of Addresses, at
	// most one of each family.
	Gateways []netip.Addr

	// Nameservers are asked, in order, for names that Hosts does not have.
	Nameservers []netip.AddrPort

	// Search is the list of domains in which a name without a dot is looked
	// up before it is looked up as it is.
	Search []string

	// Hosts is the path of a file in the format of hosts(5); "" means
	// /etc/hosts.
	Hosts string

	// ReceiveBuffer is a connection's, in bytes; 0 means 16 MiB. Half of it is
	// offered to the peer as window. It is filled only by a peer that is faster
	// than the reader, or while a lost segment is on its way again.
	ReceiveBuffer int

	// SendBuffer is a connection's at first, in bytes; 0 means 4 MiB. It grows
	// with the congestion window.
	SendBuffer int

	// KeepAlive is after how long without a segment of the peer a connection
	// asks whether it is still there, and how long between the questions; 0
	// means 15 seconds, as with [net.Dialer], and a negative value never. After
	// nine questions without an answer the connection has ended, with
	// [syscall.ETIMEDOUT].
	KeepAlive time.Duration

	// Linger is how long Close waits for connections that were closed before
	// to deliver what was written to them; 0 means 3 seconds.
	Linger time.Duration
}

const (
	defaultReceiveBuffer = 16 << 20
	defaultSendBuffer    = 4 << 20
	maxBuffer            = 64 << 20
	defaultLinger        = 3 * time.Second

	defaultKeepAlive = 15 * time.Second
)

// withDefaults returns c with zero values replaced, or says what is wrong.
func (c Config) withDefaults() (Config, error) {
	if len(c.Addresses) == 0 {
		return c, errors.New("no address")
	}
	for _, p := range c.Addresses {
		a := p.Addr()
		if !p.IsValid() || a.IsUnspecified() || a.IsMulticast() || a.IsLoopback() {
			return c, fmt.Errorf("address %s is not a host's", p)
		}
	}
	seen := map[bool]bool{}
	for _, g := range c.Gateways {
		if !g.IsValid() || seen[g.Is4()] {
			return c, fmt.Errorf("gateway %s: not valid, or not the only one of its family", g)
		}
		seen[g.Is4()] = true
	}
	if c.Hosts == "" {
		c.Hosts = "/etc/hosts"
	}
	if c.ReceiveBuffer <= 0 {
		c.ReceiveBuffer = defaultReceiveBuffer
	}
	if c.SendBuffer <= 0 {
		c.SendBuffer = defaultSendBuffer
	}
	if c.KeepAlive == 0 {
		c.KeepAlive = defaultKeepAlive
	}
	if c.Linger <= 0 {
		c.Linger = defaultLinger
	}
	return c, nil
}
