package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/seed-54eb6215/xftp/bench/record"
	"github.com/seed-54eb6215/xftp/frame"
	"github.com/seed-54eb6215/xftp/xdp"
)

// drainTime is how long a run drains.
const drainTime = time.Second

// ceiling lets the server's kernel flood the client's socket with frames as
// long as the MTU, and counts those that the socket hands out: no TCP, no FTP.
func (b *bench) ceiling(ctx context.Context, rc *record.Case) error {
	p := &record.Peer{Name: xftp, Command: []string{"xdp.Socket.Receive"}}
	rc.Peers = append(rc.Peers, p)
	own, err := netip.ParsePrefix(b.site.address)
	if err != nil {
		return err
	}
	t := roleTask{
		Iface: b.site.iface, Address: b.site.address, Target: own.Addr().String(),
		MAC: b.site.lab.Client.MAC.String(), MTU: rc.Link.MTU, N: int(drainTime.Milliseconds()), CPU: -1,
	}
	for round := range b.o.rounds + 1 {
		b.say.running(p.Name, round)
		run := b.drainOnce(ctx, t)
		run.Round = round
		p.Runs = append(p.Runs, run)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if round > 0 {
			b.say.note("%d/%d  %.0f kframes/s", round, b.o.rounds, run.Items[record.FramesItem]/run.Seconds/1e3)
		}
	}
	return nil
}

func (b *bench) drainOnce(ctx context.Context, t roleTask) record.Run {
	ctx, cancel := context.WithTimeout(ctx, b.o.timeout)
	defer cancel()
	flood, err := roleCommand(ctx, "flood", roleTask{
		Iface: b.site.lab.Server.Interface, Target: t.Target, MAC: t.MAC, MTU: t.MTU, N: t.N, CPU: -1,
	})
	if err != nil {
		return record.Run{Error: err.Error()}
	}
	if err := b.site.lab.Server.Start(flood); err != nil {
		return record.Run{Error: err.Error()}
	}
	run := b.play(ctx, "drain", t, func(cmd *exec.Cmd) error { return b.site.start(cmd) })
	// It floods until it is told not to.
	_ = flood.Process.Kill()
	_ = flood.Wait()
	return run
}

// runDrain counts what the socket hands out, from the first frame on.
func runDrain(ctx context.Context, t roleTask) (run record.Run, err error) {
	runtime.GOMAXPROCS(1)
	own, err := netip.ParsePrefix(t.Address)
	if err != nil {
		return run, err
	}
	iface, err := net.InterfaceByName(t.Iface)
	if err != nil {
		return run, err
	}
	program, err := xdp.LoadProgram(iface.Index, xdp.ProgramConfig{})
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, program.Close()) }()
	socket, err := xdp.Open(ctx, iface.Index, 0, xdp.SocketConfig{Queues: program.Queues()})
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, socket.Close()) }()
	err = errors.Join(program.Register(0, socket), program.Allow(xdp.Match{Addr: own.Addr()}), program.Enable(true))
	if err != nil {
		return run, err
	}
	limit := time.Duration(t.N) * time.Millisecond
	stop := time.AfterFunc(2*limit+5*time.Second, func() { _ = socket.Close() }) // if nothing comes
	defer stop.Stop()
	var frames, size int64
	var first, now time.Time
	for now.Sub(first) < limit || first.IsZero() {
		err := socket.Receive(func(batch []frame.Frame) {
			for _, f := range batch {
				frames++
				size += int64(len(f.B))
			}
		})
		if err != nil {
			return run, err
		}
		if now = time.Now(); first.IsZero() {
			first, frames, size = now, 0, 0
		}
	}
	run.Seconds, run.Bytes = now.Sub(first).Seconds(), size
	run.Items = map[string]float64{record.FramesItem: float64(frames)}
	return run, nil
}

// floodSegments is how many frames one call sends: 64 KiB, which the kernel
// cuts into frames as it does for TCP.
const floodSegments = 40

// runFlood sends until it is killed, or for a minute.
func runFlood(_ context.Context, t roleTask) (run record.Run, err error) {
	target, err := netip.ParseAddr(t.Target)
	if err != nil {
		return run, err
	}
	mac, err := net.ParseMAC(t.MAC)
	if err != nil {
		return run, err
	}
	link, err := netlink.LinkByName(t.Iface)
	if err != nil {
		return run, err
	}
	// Nobody answers to the address but a stack, which is not there.
	err = netlink.NeighSet(&netlink.Neigh{
		LinkIndex: link.Attrs().Index, IP: target.AsSlice(), HardwareAddr: mac, State: netlink.NUD_PERMANENT,
	})
	if err != nil {
		return run, fmt.Errorf("set neighbour: %w", err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return run, err
	}
	defer unix.Close(fd)
	payload := t.MTU - 28
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_SEGMENT, payload); err != nil {
		return run, fmt.Errorf("UDP_SEGMENT: %w", err)
	}
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: 9, Addr: target.As4()}); err != nil {
		return run, err
	}
	b := make([]byte, min(floodSegments, 65000/payload)*payload)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		if _, err := unix.Write(fd, b); err != nil && !errors.Is(err, syscall.ENOBUFS) && !errors.Is(err, syscall.ECONNREFUSED) {
			return run, fmt.Errorf("send: %w", err)
		}
	}
	return run, nil
}
