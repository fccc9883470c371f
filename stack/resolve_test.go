package stack

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/seed-54eb6215/xftp/stack/stacktest"
)

// nameServer answers questions on one port of a stack, by UDP and TCP, and
// remembers them.
type nameServer struct {
	answer func(q *dns.Msg, network string) *dns.Msg // nil means that none is sent

	mu    sync.Mutex
	asked []string
}

func (n *nameServer) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	network := w.RemoteAddr().Network()
	n.mu.Lock()
	n.asked = append(n.asked, network+" "+q.Question[0].Name+" "+dns.TypeToString[q.Question[0].Qtype])
	n.mu.Unlock()
	if a := n.answer(q, network); a != nil {
		w.WriteMsg(a)
	}
}

func (n *nameServer) questions() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.asked)
}

// serve starts n on a port of s until the test ends.
func (n *nameServer) serve(t *testing.T, s *Stack, port uint16) netip.AddrPort {
	t.Helper()
	addr := netip.MustParseAddr("10.1.0.2")
	udp, err := gonet.DialUDP(s.s, &tcpip.FullAddress{NIC: nicID, Addr: addressOf(addr), Port: port}, nil, header.IPv4ProtocolNumber)
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := s.Listen(context.Background(), "tcp", netip.AddrPortFrom(addr, port).String())
	if err != nil {
		t.Fatal(err)
	}
	var servers sync.WaitGroup
	t.Cleanup(servers.Wait) // runs after each Shutdown
	for _, srv := range []*dns.Server{{PacketConn: udp, Handler: n}, {Listener: tcp, Handler: n}} {
		started := make(chan struct{})
		srv.NotifyStartedFunc = func() { close(started) }
		servers.Go(func() { srv.ActivateAndServe() })
		<-started
		t.Cleanup(func() { srv.Shutdown() })
	}
	return netip.AddrPortFrom(addr, port)
}

// records returns an answer to q with those of the given records, in the
// format of a zone file, that its question asks for, and all aliases.
func records(q *dns.Msg, lines ...string) *dns.Msg {
	m := new(dns.Msg).SetReply(q)
	for _, l := range lines {
		rr, err := dns.NewRR(l)
		if err != nil {
			panic(err)
		}
		if rr.Header().Rrtype == q.Question[0].Qtype || rr.Header().Rrtype == dns.TypeCNAME {
			m.Answer = append(m.Answer, rr)
		}
	}
	return m
}

func code(q *dns.Msg, rcode int) *dns.Msg { return new(dns.Msg).SetRcode(q, rcode) }

func TestResolve(t *testing.T) {
	hosts := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(hosts, []byte(`
# a comment
10.9.0.1	local Local.Example.	# fd00::5 commented
fd00:9::1 local
127.0.0.1
nonsense local
fe80::1%eth0 linked
10.9.0.6 six-only-wanted
`), 0o600); err != nil {
		t.Fatal(err)
	}
	both := func(q *dns.Msg, _ string) *dns.Msg {
		if q.Question[0].Name != "ftp.example." {
			return code(q, dns.RcodeNameError)
		}
		return records(q, "ftp.example. 60 A 192.0.2.1", "ftp.example. 60 A 192.0.2.2", "ftp.example. 60 AAAA 2001:db8::1")
	}
	fails := func(rcode int) func(*dns.Msg, string) *dns.Msg {
		return func(q *dns.Msg, _ string) *dns.Msg { return code(q, rcode) }
	}
	var mute func(*dns.Msg, string) *dns.Msg // is asked, and does not answer in time
	type answer = func(*dns.Msg, string) *dns.Msg

	for _, tt := range []struct {
		name     string
		network  string
		host     string
		only4    bool // the stack has no IPv6
		search   []string
		servers  []answer
		want     string   // addresses, or part of the error
		asked    []string // of all servers; nil means not looked at
		notFound bool
	}{
		{name: "literal", network: "tcp", host: "192.0.2.7", want: "192.0.2.7"},
		{name: "literal of IPv6", network: "tcp", host: "2001:db8::7", want: "2001:db8::7"},
		{name: "literal with zone", network: "tcp6", host: "fe80::7%eth0", want: "fe80::7"},
		{name: "mapped literal", network: "tcp", host: "::ffff:192.0.2.7", want: "192.0.2.7"},
		{name: "literal of the wrong family", network: "tcp4", host: "2001:db8::7", want: "no address of the wanted family"},
		{name: "literal of a missing family", network: "tcp", host: "2001:db8::7", only4: true, want: "no address of the wanted family"},
		{name: "hosts file", network: "tcp", host: "local", want: "fd00:9::1 10.9.0.1"},
		{name: "hosts file, IPv4", network: "tcp4", host: "LOCAL", want: "10.9.0.1"},
		{name: "hosts file, dot at the end", network: "tcp", host: "local.example", want: "10.9.0.1"},
		{name: "hosts file, zone", network: "tcp", host: "linked", want: "fe80::1"},
		{name: "hosts file, other family", network: "tcp6", host: "six-only-wanted", servers: []answer{fails(dns.RcodeNameError)}, want: "no such host", notFound: true},
		{name: "no name server", network: "tcp", host: "ftp.example", want: "no name server is configured"},
		{name: "both families", network: "tcp", host: "ftp.example", servers: []answer{both}, want: "2001:db8::1 192.0.2.1 192.0.2.2",
			asked: []string{"udp ftp.example. AAAA", "udp ftp.example. A"}},
		{name: "IPv4", network: "tcp4", host: "ftp.example.", servers: []answer{both}, want: "192.0.2.1 192.0.2.2",
			asked: []string{"udp ftp.example. A"}},
		{name: "IPv6", network: "tcp6", host: "ftp.example", servers: []answer{both}, want: "2001:db8::1"},
		{name: "stack without IPv6", network: "tcp", host: "ftp.example", only4: true, servers: []answer{both}, want: "192.0.2.1 192.0.2.2",
			asked: []string{"udp ftp.example. A"}},
		{name: "aliases", network: "tcp4", host: "www.example", servers: []answer{func(q *dns.Msg, _ string) *dns.Msg {
			return records(q, "www.example. 60 CNAME a.example.", "a.example. 60 CNAME b.example.", "b.example. 60 A 192.0.2.9")
		}}, want: "192.0.2.9"},
		{name: "alias of nothing", network: "tcp4", host: "www.example", servers: []answer{func(q *dns.Msg, _ string) *dns.Msg {
			return records(q, "www.example. 60 CNAME a.example.")
		}}, want: "no such host", notFound: true},
		{name: "no such host", network: "tcp", host: "no.example", servers: []answer{both, both}, want: "no such host", notFound: true,
			asked: []string{"udp no.example. AAAA", "udp no.example. A"}},
		{name: "second server", network: "tcp4", host: "ftp.example", servers: []answer{fails(dns.RcodeServerFailure), both}, want: "192.0.2.1 192.0.2.2",
			asked: []string{"udp ftp.example. A", "udp ftp.example. A"}},
		{name: "all servers fail", network: "tcp4", host: "ftp.example", servers: []answer{fails(dns.RcodeServerFailure), fails(dns.RcodeRefused)}, want: "REFUSED"},
		{name: "one family fails", network: "tcp", host: "ftp.example", servers: []answer{func(q *dns.Msg, n string) *dns.Msg {
			if q.Question[0].Qtype == dns.TypeAAAA {
				return code(q, dns.RcodeServerFailure)
			}
			return both(q, n)
		}}, want: "192.0.2.1 192.0.2.2"},
		{name: "truncated", network: "tcp4", host: "ftp.example", servers: []answer{func(q *dns.Msg, network string) *dns.Msg {
			m := both(q, network)
			if network == "udp" {
				m.Answer, m.Truncated = nil, true
			}
			return m
		}}, want: "192.0.2.1 192.0.2.2", asked: []string{"udp ftp.example. A", "tcp ftp.example. A"}},
		{name: "search list", network: "tcp4", host: "ftp", search: []string{"none", "example"}, servers: []answer{both}, want: "192.0.2.1 192.0.2.2",
			asked: []string{"udp ftp.none. A", "udp ftp.example. A"}},
		{name: "search list, name with dot", network: "tcp4", host: "ftp.example", search: []string{"none"}, servers: []answer{both}, want: "192.0.2.1 192.0.2.2",
			asked: []string{"udp ftp.example. A"}},
		{name: "mute server", network: "tcp4", host: "ftp.example", servers: []answer{mute, both}, want: "192.0.2.1 192.0.2.2",
			asked: []string{"udp ftp.example. A", "udp ftp.example. A"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wire := stacktest.NewWire(stacktest.Options{})
			cfg := Config{Hosts: hosts, Search: tt.search, Addresses: []netip.Prefix{netip.MustParsePrefix("10.1.0.1/24"), netip.MustParsePrefix("fd00:1::1/64")}}
			if tt.only4 {
				cfg.Addresses = cfg.Addresses[:1]
			}
			server := openStack(t, Config{Addresses: []netip.Prefix{netip.MustParsePrefix("10.1.0.2/24")}}, wire.B)
			var servers []*nameServer
			var isMute netip.AddrPort
			heard := make(chan string, 10) // by the mute one
			for i, a := range tt.servers {
				n := &nameServer{answer: a}
				switch {
				case a == nil:
					n.answer = func(_ *dns.Msg, network string) *dns.Msg { heard <- network; return nil }
				case isMute.IsValid():
					n.answer = func(q *dns.Msg, network string) *dns.Msg { <-heard; return a(q, network) }
				}
				servers = append(servers, n)
				cfg.Nameservers = append(cfg.Nameservers, n.serve(t, server, uint16(5300+i)))
				if a == nil {
					isMute = cfg.Nameservers[i]
				}
			}
			s := openStack(t, cfg, wire.A)
			s.answer = func(server netip.AddrPort) time.Duration {
				if server == isMute {
					return 10 * time.Millisecond
				}
				return time.Minute
			}
			addrs, err := s.resolve(t.Context(), tt.network, tt.host)
			var got []string
			for _, a := range addrs {
				got = append(got, a.String())
			}
			if err != nil {
				var dnsErr *net.DNSError
				if !strings.Contains(err.Error(), tt.want) || errors.As(err, &dnsErr) && dnsErr.IsNotFound != tt.notFound {
					t.Errorf("%v, want %s", err, tt.want)
				}
			} else if strings.Join(got, " ") != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
			if tt.asked != nil {
				var asked []string
				for _, n := range servers {
					asked = append(asked, n.questions()...)
				}
				if !slices.Equal(asked, tt.asked) {
					t.Errorf("asked %q, want %q", asked, tt.asked)
				}
			}
		})
	}
}

// openStack returns a stack that is closed when the test ends.
func openStack(t testing.TB, cfg Config, d ...Device) *Stack {
	t.Helper()
	s, err := New(cfg, d...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestResolveCancelled cancels a question that nobody answers, as soon as it
// has been asked.
func TestResolveCancelled(t *testing.T) {
	t.Parallel()
	wire := stacktest.NewWire(stacktest.Options{})
	server := openStack(t, Config{Addresses: []netip.Prefix{netip.MustParsePrefix("10.1.0.2/24")}}, wire.B)
	ctx, cancel := context.WithCancel(t.Context())
	n := &nameServer{answer: func(*dns.Msg, string) *dns.Msg { cancel(); return nil }}
	s := openStack(t, Config{Addresses: []netip.Prefix{netip.MustParsePrefix("10.1.0.1/24")}, Nameservers: []netip.AddrPort{n.serve(t, server, 53)}}, wire.A)
	s.answer = func(netip.AddrPort) time.Duration { return time.Hour }
	if _, err := s.DialContext(ctx, "tcp", "ftp.example:21"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if got := n.questions(); len(got) != 1 {
		t.Errorf("asked %q, want one question", got)
	}

	ctx, cancelTimeout := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancelTimeout()
	_, err := s.DialContext(ctx, "tcp", "ftp.example:21")
	var op *net.OpError
	if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &op) || !op.Timeout() {
		t.Errorf("%v", err)
	}
}
