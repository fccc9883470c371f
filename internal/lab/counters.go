package lab

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// TCPCounters are what the kernel of a namespace has counted since the
// namespace was made, over IPv4 and IPv6 together (RFC 4022). Traffic of
// xftp's own stack is not among it.
type TCPCounters struct {
	ActiveOpens  uint64 // connections that it began
	PassiveOpens uint64 // connections that it accepted
	EstabResets  uint64 // connections that a reset ended
	InSegs       uint64 // segments received, bad ones too
	OutSegs      uint64 // segments sent, without retransmitted ones
	RetransSegs  uint64 // segments sent again
	InErrs       uint64 // bad segments received
	OutRsts      uint64 // resets sent
}

// TCP reads the counters of the host's kernel.
func (h *Host) TCP() (TCPCounters, error) {
	var b []byte
	err := h.Do(func() (err error) {
		b, err = os.ReadFile("/proc/thread-self/net/snmp")
		return err
	})
	if err != nil {
		return TCPCounters{}, fmt.Errorf("lab: read TCP counters of %s: %w", h.Name, err)
	}
	return parseTCP(b)
}

// parseTCP reads the two lines of proc_pid_net(5), snmp, that begin with
// "Tcp:": names first, then values.
func parseTCP(b []byte) (TCPCounters, error) {
	var lines [][]string
	for line := range bytes.Lines(b) {
		if f := strings.Fields(string(line)); len(f) > 0 && f[0] == "Tcp:" {
			lines = append(lines, f)
		}
	}
	if len(lines) != 2 || len(lines[0]) != len(lines[1]) {
		return TCPCounters{}, fmt.Errorf("lab: snmp: want two Tcp lines of one length")
	}
	var c TCPCounters
	fields := map[string]*uint64{
		"ActiveOpens": &c.ActiveOpens, "PassiveOpens": &c.PassiveOpens,
		"EstabResets": &c.EstabResets, "InSegs": &c.InSegs, "OutSegs": &c.OutSegs,
		"RetransSegs": &c.RetransSegs, "InErrs": &c.InErrs, "OutRsts": &c.OutRsts,
	}
	for i, name := range lines[0] {
		p := fields[name]
		if p == nil {
			continue
		}
		v, err := strconv.ParseUint(lines[1][i], 10, 64)
		if err != nil {
			return TCPCounters{}, fmt.Errorf("lab: snmp: %s: %w", name, err)
		}
		*p = v
		delete(fields, name)
	}
	if len(fields) != 0 {
		return TCPCounters{}, fmt.Errorf("lab: snmp: %d counters are missing", len(fields))
	}
	return c, nil
}

// XDPPrograms returns the ids of the XDP programs that are attached to the
// host's interface, in native, generic or offloaded mode.
func (h *Host) XDPPrograms() ([]uint32, error) {
	var ids []uint32
	err := h.Do(func() (err error) {
		ids, err = xdpPrograms(h.Index)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("lab: read XDP programs of %s: %w", h.Name, err)
	}
	return ids, nil
}

// xdpPrograms asks the kernel itself: package netlink does not return the
// ids where two programs are attached in different modes.
func xdpPrograms(index int) ([]uint32, error) {
	req := nl.NewNetlinkRequest(unix.RTM_GETLINK, 0)
	info := nl.NewIfInfomsg(unix.AF_UNSPEC)
	info.Index = int32(index)
	req.AddData(info)
	replies, err := req.Execute(unix.NETLINK_ROUTE, 0)
	if err != nil {
		return nil, err
	}
	if len(replies) != 1 {
		return nil, fmt.Errorf("%d replies for one link", len(replies))
	}
	attrs, err := nl.ParseRouteAttr(replies[0][unix.SizeofIfInfomsg:])
	if err != nil {
		return nil, err
	}
	var ids []uint32
	for _, attr := range attrs {
		if attr.Attr.Type&^unix.NLA_F_NESTED != unix.IFLA_XDP {
			continue
		}
		inner, err := nl.ParseRouteAttr(attr.Value)
		if err != nil {
			return nil, err
		}
		for _, a := range inner {
			switch a.Attr.Type {
			// One of these for each mode; IFLA_XDP_PROG_ID repeats the only one.
			case unix.IFLA_XDP_DRV_PROG_ID, unix.IFLA_XDP_SKB_PROG_ID, unix.IFLA_XDP_HW_PROG_ID:
				ids = append(ids, binary.NativeEndian.Uint32(a.Value))
			}
		}
	}
	return ids, nil
}
