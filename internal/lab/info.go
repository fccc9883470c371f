package lab

import (
	"net/netip"

	"github.com/seed-54eb6215/xftp/internal/lab/relay"
)

// Info describes a lab with a name. Its form in JSON is what scripts read, and
// changes by additions only.
type Info struct {
	Name   string     `json:"name"`
	PID    int        `json:"pid"` // of the process that keeps it
	MTU    int        `json:"mtu"` // in bytes
	Client HostInfo   `json:"client"`
	Server HostInfo   `json:"server"`
	FTP    *FTPInfo   `json:"ftp"`   // null if no server was asked for
	Relay  *RelayInfo `json:"relay"` // null if the hosts are joined directly
}

// HostInfo describes a host. The spare addresses are of the same subnets, and
// nobody has them: a stack of xftp's own can take them.
type HostInfo struct {
	Namespace string       `json:"namespace"` // as in: ip netns exec NAMESPACE
	Interface string       `json:"interface"`
	MAC       string       `json:"mac"`
	IPv4      netip.Prefix `json:"ipv4"`
	IPv6      netip.Prefix `json:"ipv6"`
	SpareIPv4 netip.Prefix `json:"spare_ipv4"`
	SpareIPv6 netip.Prefix `json:"spare_ipv6"`
}

// FTPInfo describes the FTP server.
type FTPInfo struct {
	Kind    string `json:"kind"`
	URL     string `json:"url"`  // of its root directory, over IPv4
	URL6    string `json:"url6"` // ... over IPv6
	Root    string `json:"root"` // the local directory that it serves
	PID     int    `json:"pid"`
	Running bool   `json:"running"`
	TLS     string `json:"tls"`     // none, explicit or implicit
	CAFile  string `json:"ca_file"` // of the authority of its certificate, in PEM; empty without TLS
}

// RelayInfo describes the relay.
type RelayInfo struct {
	Namespace  string         `json:"namespace"`
	PID        int            `json:"pid"`
	Running    bool           `json:"running"`
	Impairment ImpairmentInfo `json:"impairment"` // of each direction
	ToServer   Counters       `json:"to_server"`  // frames from the client
	ToClient   Counters       `json:"to_client"`  // frames from the server
}

// ImpairmentInfo is an Impairment in JSON.
type ImpairmentInfo struct {
	Seed       uint64  `json:"seed"`
	Delay      float64 `json:"delay_seconds"`
	Loss       float64 `json:"loss"` // probabilities from 0 to 1
	Reorder    float64 `json:"reorder"`
	Duplicate  float64 `json:"duplicate"`
	Corrupt    float64 `json:"corrupt"`
	Rate       int64   `json:"rate_bits_per_second"` // 0 is no limit
	QueueBytes int     `json:"queue_bytes"`          // 0 without a rate
}

func (r *RelayInfo) set(report RelayReport, mtu int) {
	imp := report.Impairment
	r.Impairment = ImpairmentInfo{
		Seed: imp.Seed, Delay: imp.Delay.Seconds(), Loss: imp.Loss, Reorder: imp.Reorder,
		Duplicate: imp.Duplicate, Corrupt: imp.Corrupt, Rate: imp.Rate,
		QueueBytes: imp.QueueBytes(relay.HeaderLen + mtu),
	}
	r.ToServer, r.ToClient = report.ToServer, report.ToClient
}

func describe(h *Host) HostInfo {
	return HostInfo{
		Namespace: h.Name, Interface: h.Interface, MAC: h.MAC.String(),
		IPv4: h.IPv4, IPv6: h.IPv6, SpareIPv4: h.OwnIPv4, SpareIPv6: h.OwnIPv6,
	}
}
