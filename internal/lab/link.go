package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// joinHosts makes a veth pair with one end in each host. No end is ever seen
// outside of the two namespaces.
func joinHosts(a *Host, nameA string, b *Host, nameB string, cfg Config) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = nameA
	attrs.MTU = cfg.MTU
	attrs.NumRxQueues, attrs.NumTxQueues = cfg.Queues, cfg.Queues
	veth := netlink.NewVeth(attrs)
	veth.PeerName = nameB
	veth.PeerNamespace = netlink.NsFd(b.ns.handle)
	veth.PeerMTU = uint32(cfg.MTU)
	veth.PeerNumRxQueues, veth.PeerNumTxQueues = uint32(cfg.Queues), uint32(cfg.Queues)
	err := a.Do(func() error { return netlink.LinkAdd(veth) })
	if err != nil {
		return fmt.Errorf("make veth pair: %w", err)
	}
	return nil
}

// setUp configures the host's side of the link and sets it up.
func (h *Host) setUp(cfg Config) error {
	return h.Do(func() error {
		if err := h.setSysctls(); err != nil {
			return err
		}
		link, err := netlink.LinkByName(h.Interface)
		if err != nil {
			return err
		}
		h.Index, h.MAC = link.Attrs().Index, link.Attrs().HardwareAddr
		if !cfg.Offload {
			if err := setFeatures(h.Interface, wireTrue); err != nil {
				return err
			}
		}
		lo, err := netlink.LinkByName("lo")
		if err != nil {
			return err
		}
		if err := netlink.LinkSetUp(lo); err != nil {
			return fmt.Errorf("set lo up: %w", err)
		}
		for _, p := range []netip.Prefix{h.IPv4, h.IPv6} {
			if err := addAddress(link, p); err != nil {
				return fmt.Errorf("add address %s: %w", p, err)
			}
		}
		if err := netlink.LinkSetUp(link); err != nil || !cfg.Threaded {
			return err
		}
		return setThreaded(h.Interface) // not before: what receives is made only now
	})
}

// setSysctls keeps the kernel quiet on the link and its addresses in place.
// It runs in the namespace.
func (h *Host) setSysctls() error {
	conf := filepath.Join("/proc/sys/net/ipv6/conf", h.Interface)
	for name, value := range map[string]string{
		"disable_ipv6":         "0",
		"accept_dad":           "0", // addresses serve at once
		"router_solicitations": "0", // there is no router
		"keep_addr_on_down":    "1", // as IPv4 does, see SetLink
	} {
		if err := os.WriteFile(filepath.Join(conf, name), []byte(value), 0); err != nil {
			return err
		}
	}
	return nil
}

func addAddress(link netlink.Link, p netip.Prefix) error {
	addr := &netlink.Addr{IPNet: &net.IPNet{
		IP:   p.Addr().AsSlice(),
		Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()),
	}}
	if p.Addr().Is6() {
		addr.Flags = unix.IFA_F_NODAD
	}
	return netlink.AddrAdd(link, addr)
}

// AwaitCarrier waits until the interface is up with a carrier and none of its
// addresses is tentative.
func (h *Host) AwaitCarrier(ctx context.Context) error {
	err := h.Do(func() error {
		done := make(chan struct{})
		var subscribed []func()
		defer func() {
			close(done)
			for _, wait := range subscribed {
				wait()
			}
		}()
		links := make(chan netlink.LinkUpdate)
		if err := netlink.LinkSubscribe(links, done); err != nil {
			return err
		}
		subscribed = append(subscribed, func() { drain(links) })
		addrs := make(chan netlink.AddrUpdate)
		if err := netlink.AddrSubscribe(addrs, done); err != nil {
			return err
		}
		subscribed = append(subscribed, func() { drain(addrs) })
		for {
			ready, err := h.ready()
			if ready || err != nil {
				return err
			}
			select {
			case _, ok := <-links:
				if !ok {
					return errors.New("link events ended")
				}
			case _, ok := <-addrs:
				if !ok {
					return errors.New("address events ended")
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
	if err != nil {
		return fmt.Errorf("lab: wait for the carrier of %s: %w", h.Name, err)
	}
	return nil
}

// drain takes what a subscription still delivers, until its goroutine sees
// that it is over and closes the channel.
func drain[T any](events <-chan T) {
	for range events {
	}
}

// ready runs in the namespace.
func (h *Host) ready() (bool, error) {
	link, err := netlink.LinkByIndex(h.Index)
	if err != nil {
		return false, err
	}
	if link.Attrs().OperState != netlink.OperUp {
		return false, nil
	}
	addrs, err := netlink.AddrList(link, netlink.FAMILY_ALL)
	if err != nil {
		return false, err
	}
	for _, a := range addrs {
		if a.Flags&unix.IFA_F_TENTATIVE != 0 {
			return false, nil
		}
	}
	return true, nil
}

// SetLink sets the interface up or down. Addresses and their routes are the
// same again when it comes up. Down takes the carrier from the other host.
func (h *Host) SetLink(up bool) error {
	return h.change("set link", func(link netlink.Link) error {
		if up {
			return netlink.LinkSetUp(link)
		}
		return netlink.LinkSetDown(link)
	})
}

// SetMTU changes the MTU of this end alone, in bytes without the Ethernet
// header.
func (h *Host) SetMTU(mtu int) error {
	return h.change("set MTU", func(link netlink.Link) error {
		return netlink.LinkSetMTU(link, mtu)
	})
}

func (h *Host) change(what string, fn func(netlink.Link) error) error {
	err := h.Do(func() error {
		link, err := netlink.LinkByIndex(h.Index)
		if err != nil {
			return err
		}
		return fn(link)
	})
	if err != nil {
		return fmt.Errorf("lab: %s of %s: %w", what, h.Name, err)
	}
	return nil
}

// removeLink removes the interface, and with it the other end. It runs in
// the namespace.
func (h *Host) removeLink() error {
	link, err := netlink.LinkByName(h.Interface)
	var missing netlink.LinkNotFoundError
	if errors.As(err, &missing) {
		return nil // the other host's end took it along
	}
	if err != nil {
		return err
	}
	return netlink.LinkDel(link)
}
