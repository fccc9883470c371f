package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"time"

	"github.com/seed-54eb6215/xftp/bench/record"
	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/stack"
	"github.com/seed-54eb6215/xftp/xdp"
)

// itemised is the peer whose runs tell the parts of a start: with the calls of
// the libraries, in the order of stack/nic.
const itemised = "xftp's libraries, step by step"

// startup adds the itemised starts to the case.
func (b *bench) startup(ctx context.Context, rc *record.Case) error {
	p := &record.Peer{Name: itemised, LeftOut: "not a program: tells the steps"}
	rc.Peers = append(rc.Peers, p)
	t := roleTask{
		Iface: b.site.iface, Address: b.site.address, Gateway: b.o.gateway, URL: b.site.base,
		Target: tinyName, CPU: -1,
	}
	for round := range b.o.rounds + 1 {
		b.say.running(p.Name, round)
		run := b.play(ctx, "startup", t, b.site.start)
		run.Round = round
		p.Runs = append(p.Runs, run)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// tinyName is the file that a start-up fetches.
var tinyName, _, _ = tiny.shape(0)

// laps times the steps of something.
type laps struct {
	last  time.Time
	items map[string]float64
}

func newLaps() *laps { return &laps{time.Now(), make(map[string]float64)} }

func (l *laps) lap(name string) {
	now := time.Now()
	l.items[name] = now.Sub(l.last).Seconds()
	l.last = now
}

// runStartup does what nic.Open does, then fetches a small file, and times
// each step.
func runStartup(ctx context.Context, t roleTask) (run record.Run, err error) {
	runtime.GOMAXPROCS(1)
	own, err := netip.ParsePrefix(t.Address)
	if err != nil {
		return run, err
	}
	cfg := stack.Config{Addresses: []netip.Prefix{own}}
	if t.Gateway != "" {
		gw, err := netip.ParseAddr(t.Gateway)
		if err != nil {
			return run, err
		}
		cfg.Gateways = []netip.Addr{gw}
	}
	start := time.Now()
	l := newLaps()
	iface, err := net.InterfaceByName(t.Iface)
	if err != nil {
		return run, err
	}
	program, err := xdp.LoadProgram(iface.Index, xdp.ProgramConfig{})
	if err != nil {
		return run, fmt.Errorf("attach: %w", err)
	}
	defer func() { err = errors.Join(err, program.Close()) }()
	l.lap("attach")
	socket, err := xdp.Open(ctx, iface.Index, 0, xdp.SocketConfig{Queues: program.Queues()})
	if err != nil {
		return run, fmt.Errorf("bind: %w", err)
	}
	l.lap("bind")
	if err := program.Register(0, socket); err != nil {
		return run, errors.Join(err, socket.Close())
	}
	s, err := stack.New(cfg, socket)
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := errors.Join(program.Allow(xdp.Match{Addr: own.Addr()}), program.Enable(true)); err != nil {
		return run, err
	}
	l.lap("stack")
	u, err := ftpclient.ParseURL(t.URL)
	if err != nil {
		return run, err
	}
	control := net.JoinHostPort(u.Host, fmt.Sprint(u.Port))
	// The first connection waits for the neighbour's address, the next one
	// does not: the difference is ARP. This one only opens the way.
	probe, err := s.DialContext(ctx, "tcp", control)
	if err != nil {
		return run, fmt.Errorf("connect: %w", err)
	}
	l.lap("ARP and connect")
	probed := time.Now()
	c, err := ftpclient.Dial(ctx, t.URL, &ftpclient.Config{Dialer: s})
	if err != nil {
		return run, errors.Join(err, probe.Close())
	}
	l.lap("connect again and login")
	first := &firstByte{}
	if _, err := c.Retr(ctx, u.Path+t.Target, first, nil); err != nil {
		return run, errors.Join(err, probe.Close(), c.Close())
	}
	l.items["data"] = first.at.Sub(l.last).Seconds()
	run.Seconds = first.at.Sub(start).Seconds()
	run.Items = l.items
	run.Items["without the first connection"] = run.Seconds - probed.Sub(start).Seconds()
	closing := time.Now()
	err = errors.Join(probe.Close(), c.Quit(ctx))
	run.Items["quit"] = time.Since(closing).Seconds()
	return run, err
}

// firstByte notes when the first byte came.
type firstByte struct{ at time.Time }

func (f *firstByte) Write(p []byte) (int, error) {
	if f.at.IsZero() {
		f.at = time.Now()
	}
	return len(p), nil
}
