package xdp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// holdRole makes the test binary a process that holds the interface whose
// index it names, until it is killed.
const holdRole = "XDP_TEST_HOLD"

func TestMain(m *testing.M) {
	if index := os.Getenv(holdRole); index != "" {
		if err := hold(index); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func hold(index string) error {
	ifindex, err := strconv.Atoi(index)
	if err != nil {
		return err
	}
	p, err := LoadProgram(ifindex, ProgramConfig{})
	if err != nil {
		return err
	}
	s, err := Open(context.Background(), ifindex, 0, SocketConfig{})
	if err != nil {
		return err
	}
	if err := errors.Join(p.Allow(Match{Addr: own4}), p.Register(0, s), p.Enable(true)); err != nil {
		return err
	}
	fmt.Println("ready")
	return s.Receive(nil)
}

func TestKilledProcessLeavesNothing(t *testing.T) {
	w := newWire(t, wireConfig{mtu: 1500})
	for range 5 {
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", holdRole, w.near.index))
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		w.near.do(cmd.Start)
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Errorf("%q, %v", line, err)
		}
		if f := w.near.facts(); f.attached != xdpAttachedDriver {
			t.Errorf("attached is %d while the process runs", f.attached)
		}
		cmd.Process.Kill()
		cmd.Wait()
		if f := w.near.facts(); f.attached != xdpAttachedNone {
			t.Errorf("attached is %d after the process was killed", f.attached)
		}
	}
	w.near.start(0, ProgramConfig{}, SocketConfig{})
}

func TestAttach(t *testing.T) {
	w := newWire(t, wireConfig{mtu: 1500})
	for _, c := range []struct {
		cfg      ProgramConfig
		generic  bool
		attached uint8
	}{
		{ProgramConfig{}, false, xdpAttachedDriver},
		{ProgramConfig{NativeOnly: true}, false, xdpAttachedDriver},
		{ProgramConfig{Generic: true}, true, xdpAttachedGeneric},
	} {
		p, err := w.near.load(c.cfg)
		if err != nil {
			t.Fatal(err)
		}
		if f := w.near.facts(); p.Generic() != c.generic || f.attached != c.attached || p.Queues() != 1 {
			t.Errorf("%+v: generic %v, attached %d, %d queues", c.cfg, p.Generic(), f.attached, p.Queues())
		}
		for range 2 {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
		if f := w.near.facts(); f.attached != xdpAttachedNone {
			t.Errorf("attached is %d after Close", f.attached)
		}
		for name, err := range map[string]error{
			"allow": p.Allow(Match{Addr: own4}), "revoke": p.Revoke(Match{Addr: own4}),
			"unregister": p.Unregister(0), "enable": p.Enable(true),
		} {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s after Close: %v", name, err)
			}
		}
	}
}

// A driver without XDP of its own gets a generic program, unless that is
// refused.
func TestAttachFallsBackToGeneric(t *testing.T) {
	w := newWire(t, wireConfig{mtu: 1500})
	w.near.do(func() error {
		return netlink.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "plain"}})
	})
	w.near.up("plain")
	if _, err := w.near.load(ProgramConfig{NativeOnly: true}); !errors.Is(err, unix.EOPNOTSUPP) {
		t.Errorf("native only: %v", err)
	}
	p, err := w.near.load(ProgramConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if f := w.near.facts(); !p.Generic() || f.attached != xdpAttachedGeneric {
		t.Errorf("generic %v, attached %d", p.Generic(), f.attached)
	}
}

// passProgram is somebody else's program.
func passProgram(t *testing.T) *ebpf.Program {
	t.Helper()
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "somebody_else", Type: ebpf.XDP, License: "GPL",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 2), asm.Return()},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func TestIncumbentStays(t *testing.T) {
	check := func(t *testing.T, w *wire, attached string) {
		t.Helper()
		before := w.near.facts()
		for _, cfg := range []ProgramConfig{{}, {Generic: true}} {
			_, err := w.near.load(cfg)
			var e *IncumbentError
			if !errors.As(err, &e) || !errors.Is(err, unix.EBUSY) {
				t.Fatalf("%+v: %v", cfg, err)
			}
			if e.Attached != attached || e.ID == 0 || before.programs[before.attached] != e.ID {
				t.Errorf("%+v: %v; the kernel says %v", cfg, err, before.programs)
			}
			if e.Name != "somebody_else" && e.Name != "xftp_steer" {
				t.Errorf("%+v: name %q", cfg, e.Name)
			}
		}
		if after := w.near.facts(); after.programs[before.attached] != before.programs[before.attached] {
			t.Errorf("before %v, after %v", before.programs, after.programs)
		}
	}
	for name, flags := range map[string]int{"native": unix.XDP_FLAGS_DRV_MODE, "generic": unix.XDP_FLAGS_SKB_MODE} {
		t.Run("Netlink/"+name, func(t *testing.T) {
			w := newWire(t, wireConfig{mtu: 1500})
			p := passProgram(t)
			w.near.change(func(l netlink.Link) error { return netlink.LinkSetXdpFdWithFlags(l, p.FD(), flags) })
			check(t, w, name)
		})
		t.Run("Link/"+name, func(t *testing.T) {
			w := newWire(t, wireConfig{mtu: 1500})
			if _, err := w.near.load(ProgramConfig{Generic: name == "generic"}); err != nil {
				t.Fatal(err)
			}
			check(t, w, name)
		})
	}
}

func TestAttachErrors(t *testing.T) {
	w := newWire(t, wireConfig{mtu: 9000})
	_, err := w.near.load(ProgramConfig{})
	var e *OpError
	if !errors.As(err, &e) || !errors.Is(err, unix.ERANGE) || e.Class != ClassFatal {
		t.Errorf("MTU 9000: %v", err)
	}
	if f := w.near.facts(); f.attached != xdpAttachedNone {
		t.Errorf("MTU 9000: attached is %d", f.attached)
	}
	w.near.index = 1 << 20
	if _, err := w.near.load(ProgramConfig{}); !errors.As(err, &e) || !errors.Is(err, unix.ENODEV) {
		t.Errorf("no such interface: %v", err)
	}
}

func TestQueues(t *testing.T) {
	for _, c := range []struct{ rx, tx, want int }{{1, 1, 1}, {4, 4, 4}, {2, 4, 2}, {4, 3, 3}} {
		w := newWire(t, wireConfig{mtu: 1500, nearRX: c.rx, nearTX: c.tx})
		w.near.do(func() error {
			n, err := Queues(w.near.index)
			if err != nil || n != c.want {
				t.Errorf("%d receive and %d transmit queues: %d, %v", c.rx, c.tx, n, err)
			}
			return nil
		})
	}
}

func TestRegisterChecksTheQueue(t *testing.T) {
	w := newWire(t, wireConfig{mtu: 1500, nearRX: 2, nearTX: 2})
	p, s := w.near.start(1, ProgramConfig{}, SocketConfig{})
	_, other := w.far.start(0, ProgramConfig{}, SocketConfig{})
	for name, err := range map[string]error{
		"another queue":     p.Register(0, s),
		"queue too large":   p.Register(2, s),
		"negative queue":    p.Register(-1, s),
		"another interface": p.Register(0, other),
	} {
		if w.near.index == w.far.index && name == "another interface" {
			continue // the same number in two namespaces
		}
		if !errors.Is(err, unix.EINVAL) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for range 2 {
		if err := p.Unregister(1); err != nil {
			t.Error(err)
		}
	}
	if err := p.Register(1, s); err != nil {
		t.Error(err)
	}
	s.Close()
	if err := p.Register(1, s); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed socket: %v", err)
	}
}

func TestAllowErrors(t *testing.T) {
	p := loadForTest(t)
	a := netip.MustParseAddr("2001:db8::7")
	var e *OpError
	if err := p.Allow(Match{}); !errors.As(err, &e) {
		t.Errorf("no address: %v", err)
	}
	if err := p.Revoke(Match{Addr: a}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("revoke of nothing: %v", err)
	}
	for i := range maxRanges {
		if err := p.Allow(Match{a, uint16(i + 1), uint16(i + 1)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Allow(Match{a, 1000, 1000}); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("one range too many: %v", err)
	}
	for i := range 100 {
		b := a.As16()
		b[0] = byte(i)
		err := p.Allow(Match{Addr: netip.AddrFrom16(b)})
		if i == 99 && !errors.As(err, &e) {
			t.Errorf("too many addresses: %v", err)
		}
	}
}
