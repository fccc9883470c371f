package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// listen opens the endpoint of an active data connection, on the address that
// the control connection uses, and tells the server of it. The caller closes
// the net.Listener.
func (c *Conn) listen(ctx context.Context) (net.Listener, error) {
	local := host(c.ctl.conn.LocalAddr())
	if _, err := netip.ParseAddr(local); err != nil {
		return nil, fmt.Errorf("active mode: local address: %w", err)
	}
	ln, err := c.cfg.Listener.Listen(ctx, "tcp", net.JoinHostPort(local, "0"))
	if err != nil {
		return nil, fmt.Errorf("active mode: %w", err)
	}
	if err := c.announce(ctx, local, ln.Addr()); err != nil {
		_ = ln.Close() // err says more
		return nil, err
	}
	return ln, nil
}

// announce sends EPRT (RFC 2428, Section 2), or PORT if EPRT is refused for
// good and the address is one that PORT can carry.
func (c *Conn) announce(ctx context.Context, local string, ln net.Addr) error {
	port, err := portOf(ln)
	if err != nil {
		return err
	}
	addr, err := netip.ParseAddr(local)
	if err != nil {
		return fmt.Errorf("active mode: %w", err)
	}
	addr = addr.Unmap().WithZone("") // a zone means nothing to the server
	var first error
	if !c.refused["EPRT"] {
		_, err := c.do(ctx, "EPRT", formatEPRT(addr, port))
		var refusal *ReplyError
		if err == nil || !errors.As(err, &refusal) || refusal.Temporary() || !addr.Is4() {
			return err
		}
		first = err
	}
	if _, err := c.do(ctx, "PORT", formatPORT(addr, port)); err != nil {
		return errors.Join(err, first)
	}
	c.refused["EPRT"] = true
	return nil
}

// portOf returns the port that a listening endpoint has.
func portOf(ln net.Addr) (int, error) {
	_, digits, err := net.SplitHostPort(ln.String())
	port, ok := parsePort(digits)
	if err != nil || !ok {
		return 0, fmt.Errorf("active mode: no port in listening address %q", ln)
	}
	return port, nil
}

func formatEPRT(addr netip.Addr, port int) string {
	family := 1
	if addr.Is6() {
		family = 2
	}
	return fmt.Sprintf("|%d|%s|%d|", family, addr, port)
}

func formatPORT(addr netip.Addr, port int) string {
	return fmt.Sprintf("%s,%d,%d", strings.ReplaceAll(addr.String(), ".", ","), port>>8, port&0xff)
}

// accept waits for the server's connection. One from another host is closed:
// RFC 2577, Section 4, tells how ports are stolen.
func (c *Conn) accept(ln net.Listener) (net.Conn, error) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return nil, err
		}
		if sameHost(host(conn.RemoteAddr()), c.peer) {
			return conn, nil
		}
		_ = conn.Close() // a stranger's
	}
}

// sameHost compares two addresses whose zones and forms may differ.
func sameHost(a, b string) bool {
	x, errX := netip.ParseAddr(a)
	y, errY := netip.ParseAddr(b)
	if errX != nil || errY != nil {
		return a == b
	}
	return x.Unmap().WithZone("") == y.Unmap().WithZone("")
}
