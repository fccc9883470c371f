package stack

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const (
	// questionTimeout is how long a name server may take for one answer
	// before the next is asked.
	questionTimeout = 2 * time.Second

	// questionRounds is how often the list of name servers is gone through.
	questionRounds = 2

	// answerSize is the largest answer in bytes that is taken by UDP. It fits
	// every IPv6 path unfragmented (the value agreed on DNS flag day 2020).
	answerSize = 1232
)

// resolve returns the addresses of host that the stack has a family for. IPv6
// comes first, as it does in RFC 6724 for addresses of equal scope.
//
// Package net's resolver is not used: whatever dialer it is given, with two or
// more answers it opens sockets of the kernel to sort them.
func (s *Stack) resolve(ctx context.Context, network, host string) ([]netip.Addr, error) {
	want4, want6 := s.families(network)
	keep := func(addrs []netip.Addr) []netip.Addr {
		var kept []netip.Addr
		for _, a := range addrs {
			if a = a.Unmap().WithZone(""); a.Is6() && want6 {
				kept = append(kept, a)
			}
		}
		for _, a := range addrs {
			if a = a.Unmap(); a.Is4() && want4 {
				kept = append(kept, a)
			}
		}
		return kept
	}
	if a, err := netip.ParseAddr(host); err == nil {
		if kept := keep([]netip.Addr{a}); len(kept) > 0 {
			return kept, nil
		}
		return nil, &net.AddrError{Err: errNoAddress.Error(), Addr: host}
	}
	if kept := keep(hostsAddrs(s.cfg.Hosts, host)); len(kept) > 0 {
		return kept, nil
	}
	if len(s.cfg.Nameservers) == 0 {
		return nil, &net.DNSError{Err: "no name server is configured", Name: host}
	}
	names := dns.ClientConfig{Search: s.cfg.Search, Ndots: 1}
	for _, name := range names.NameList(host) {
		addrs, err := s.ask(ctx, name, want4, want6)
		if err != nil {
			return nil, err
		}
		if kept := keep(addrs); len(kept) > 0 {
			return kept, nil
		}
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// families says which address families network allows and the stack has.
func (s *Stack) families(network string) (want4, want6 bool) {
	for _, p := range s.cfg.Addresses {
		if p.Addr().Unmap().Is4() {
			want4 = network != "tcp6"
		} else {
			want6 = network != "tcp4"
		}
	}
	return want4, want6
}

// hostsAddrs returns the addresses that the file at path, in the format of
// hosts(5), gives for name. A file that cannot be read has none.
func hostsAddrs(path, name string) []netip.Addr {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	var addrs []netip.Addr
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line, _, _ := strings.Cut(lines.Text(), "#")
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		a, err := netip.ParseAddr(fields[0])
		if err != nil {
			continue
		}
		for _, n := range fields[1:] {
			if strings.EqualFold(strings.TrimSuffix(n, "."), strings.TrimSuffix(name, ".")) {
				addrs = append(addrs, a)
				break
			}
		}
	}
	return addrs
}

// ask puts the question about host, a fully qualified name, to the name servers, for each family that is wanted.
// An answer for one family is enough.
func (s *Stack) ask(ctx context.Context, host string, want4, want6 bool) ([]netip.Addr, error) {
	var types []uint16
	if want6 {
		types = append(types, dns.TypeAAAA)
	}
	if want4 {
		types = append(types, dns.TypeA)
	}
	var addrs []netip.Addr
	var errs []error
	for _, t := range types {
		a, err := s.askType(ctx, host, t)
		addrs = append(addrs, a...)
		errs = append(errs, err)
	}
	if len(addrs) == 0 {
		if err := errors.Join(errs...); err != nil {
			e := &net.DNSError{UnwrapErr: err, Err: err.Error(), Name: host}
			e.IsTimeout = errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
			return nil, e
		}
	}
	return addrs, nil
}

func (s *Stack) askType(ctx context.Context, host string, qtype uint16) ([]netip.Addr, error) {
	q := new(dns.Msg)
	q.SetQuestion(host, qtype)
	q.SetEdns0(answerSize, false)
	var last error
	for range questionRounds {
		for _, server := range s.cfg.Nameservers {
			answer, err := s.exchange(ctx, q, server)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				last = err
				continue
			}
			switch answer.Rcode {
			case dns.RcodeSuccess, dns.RcodeNameError:
				return answerAddrs(answer), nil
			}
			last = errors.New("name server " + server.String() + ": " + dns.RcodeToString[answer.Rcode])
		}
	}
	return nil, last
}

// exchange asks one server, by UDP and, if the answer does not fit, by TCP
// (RFC 7766, Section 5).
func (s *Stack) exchange(ctx context.Context, q *dns.Msg, server netip.AddrPort) (*dns.Msg, error) {
	conn, err := s.dialUDP(server)
	if err != nil {
		return nil, err
	}
	timeout := s.answer(server)
	answer, err := exchangeOn(ctx, conn, &dns.Client{Net: "udp", UDPSize: answerSize, Timeout: timeout}, q)
	if err != nil || !answer.Truncated {
		return answer, err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	tcp, err := s.connect(ctx, server)
	if err != nil {
		return nil, err
	}
	return exchangeOn(ctx, tcp, &dns.Client{Net: "tcp", Timeout: timeout}, q)
}

// exchangeOn asks on conn, which it closes.
func exchangeOn(ctx context.Context, conn net.Conn, client *dns.Client, q *dns.Msg) (*dns.Msg, error) {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Now()) })
	defer stop()
	answer, _, err := client.ExchangeWithConn(q, &dns.Conn{Conn: conn, UDPSize: client.UDPSize})
	return answer, err
}

// answerAddrs returns the addresses in an answer. Those at the end of a chain
// of aliases are in it, too; the server has followed the chain.
func answerAddrs(m *dns.Msg) []netip.Addr {
	var addrs []netip.Addr
	for _, rr := range m.Answer {
		var ip net.IP
		switch rr := rr.(type) {
		case *dns.A:
			ip = rr.A
		case *dns.AAAA:
			ip = rr.AAAA
		}
		if a, ok := netip.AddrFromSlice(ip); ok {
			addrs = append(addrs, a.Unmap())
		}
	}
	return addrs
}
