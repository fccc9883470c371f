package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"github.com/seed-54eb6215/xftp/internal/lab"
	"github.com/seed-54eb6215/xftp/xdp"
)

// fails runs xftp, which must exit with code, and print an error and a hint
// that match the patterns.
func (b *bench) fails(code int, message, hint string, args ...string) {
	b.t.Helper()
	r := b.start(args...)
	got := r.wait(b.t)
	want := regexp.MustCompile(`^xftp: ` + message + `\nxftp: hint: ` + hint + `\n$`)
	if got != code || !want.Match(r.stderr.Bytes()) || r.stdout.Len() > 0 {
		b.t.Errorf("xftp %v: exit code %d, want %d; stdout %q; stderr, want %v:\n%s", args, got, code, r.stdout.String(), want, r.stderr.String())
	}
}

// What can be wrong with the network path, before and after it is open.
func TestXDPErrors(t *testing.T) {
	b := newBench(t, lab.Config{})
	url := b.ftp.URL("file")
	client := b.lab.Client

	b.fails(exitSetup, "get: nope: find interface: no such interface", "the interfaces here are: eth0",
		"get", url, "--iface", "nope")
	b.fails(exitSetup, "get: eth0: .*there is no queue 7, only queue 0", "the queues are listed by: ethtool -l eth0",
		"get", url, "--queue", "7")
	b.fails(exitSetup, "get: eth0: .*address belongs to this host", "give an address of the same subnet .*--address",
		"get", url, "--address", client.IPv4.String())
	b.fails(exitSetup, "get: eth0: .*", "let xftp choose the mode: --xdp-mode auto",
		"get", url, "--xdp-mode", "zerocopy")

	b.fails(exitTransfer, "get ftp://10.99.0.77/file: .*no route to host", "nobody answers at that address; check --address, --gateway and the cable",
		"get", "ftp://10.99.0.77/file")
	b.fails(exitTransfer, "get ftp://10.99.0.77/file: .*no route to host", "nobody answers at that address; check --address, --gateway and the cable",
		"get", "ftp://10.99.0.77/file", "--timeout", "1s") // before ARP gives up
	b.fails(exitTransfer, "get ftp://10.99.0.2:9/file: .*connection refused", "no FTP server listens there; check host and port",
		"get", "ftp://10.99.0.2:9/file")
	b.fails(exitTransfer, "get ftp://192.0.2.1/file: .*network is unreachable", "there is no way to that network; check --address, --gateway",
		"get", "ftp://192.0.2.1/file")
	b.fails(exitTransfer, "get "+url+": 550 .*", "it does not exist, is a directory .*, or is not yours to read; look with: xftp ls",
		"get", url)
}

func TestXDPNoPrivilege(t *testing.T) {
	b := newBench(t, lab.Config{})
	// A copy that another user can reach.
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	b.program = filepath.Join(b.dir, "xftp")
	err = errors.Join(os.WriteFile(b.program, self, 0o755), os.Chmod(filepath.Dir(b.dir), 0o755), os.Chmod(b.dir, 0o755))
	if err != nil {
		t.Fatal(err)
	}
	b.credential = &syscall.Credential{Uid: 12345, Gid: 12345}
	b.fails(exitSetup, "get: eth0: .*(operation not permitted|permission denied).*", "run it with sudo, or once: sudo setcap cap_net_admin,.*",
		"get", b.ftp.URL("file"))
}

// An XDP program of someone else's is named, and stays.
func TestXDPIncumbent(t *testing.T) {
	b := newBench(t, lab.Config{})
	client := b.lab.Client
	err := client.Do(func() error {
		program, err := ebpf.NewProgram(&ebpf.ProgramSpec{
			Name: "firewall", Type: ebpf.XDP, License: "GPL",
			Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 2), asm.Return()}, // XDP_PASS
		})
		if err != nil {
			return err
		}
		t.Cleanup(func() { program.Close() })
		l, err := link.AttachXDP(link.XDPOptions{Program: program, Interface: client.Index})
		if err == nil {
			t.Cleanup(func() { l.Close() })
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b.fails(exitSetup, `get: eth0: attach program: .*firewall.*`, "stop the program that attached it; what it is: sudo ip -d link show dev eth0",
		"get", b.ftp.URL("file"))
	if ids, err := client.XDPPrograms(); err != nil || len(ids) != 1 {
		t.Errorf("XDP programs on the interface: %v (%v)", ids, err)
	}
}

// A queue whose owner does not let go, and an interface that another xftp has.
func TestXDPBusy(t *testing.T) {
	b := newBench(t, lab.Config{})
	client := b.lab.Client
	var socket *xdp.Socket
	err := client.Do(func() (err error) {
		socket, err = xdp.Open(t.Context(), client.Index, 0, xdp.SocketConfig{Mode: xdp.ModeCopy})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b.fails(exitSetup, "get: eth0: open socket: .*busy.*", "perhaps another xftp uses this queue; take another one with --queue",
		"get", b.ftp.URL("file"))
	if err := socket.Close(); err != nil {
		t.Fatal(err)
	}

	var program *xdp.Program
	err = client.Do(func() (err error) {
		program, err = xdp.LoadProgram(client.Index, xdp.ProgramConfig{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b.fails(exitSetup, "get: eth0: attach program: .*", "another xftp uses this interface; wait for it, or take another interface",
		"get", b.ftp.URL("file"))
	if err := program.Close(); err != nil {
		t.Fatal(err)
	}
	b.fails(exitTransfer, ".*550.*", ".*", "get", b.ftp.URL("file"))
}

func TestXDPTooLargeMTU(t *testing.T) {
	b := newBench(t, lab.Config{MTU: 9000})
	b.fails(exitSetup, "get: eth0: .*MTU.*", "make the MTU smaller at both ends of the link: sudo ip link set dev eth0 mtu 1500",
		"get", b.ftp.URL("file"))
}
