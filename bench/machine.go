package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// describe prints what the figures hold for.
func (b *bench) describe(ctx context.Context) error {
	kernel, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return err
	}
	congestion := "unknown"
	err = b.lab.Server.Do(func() error {
		name, err := os.ReadFile("/proc/sys/net/ipv4/tcp_congestion_control")
		congestion = strings.TrimSpace(string(name))
		return err
	})
	if err != nil {
		return err
	}
	mode, err := b.mode(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("Linux %s, %d CPUs, %s; vsftpd on the other end of a veth pair, MTU %d, queue 0, %s mode;\n"+
		"tso, gso and tx checksum offload off at both ends, GRO on; kernel congestion control %s, xftp's cubic\n",
		bytes.TrimSpace(kernel), runtime.NumCPU(), runtime.Version(), b.o.mtu, mode, congestion)
	return nil
}

// mode asks xftp how its frames come in.
func (b *bench) mode(ctx context.Context) (string, error) {
	command := b.command(program{args: strings.Fields("XFTP get URL/file -o /dev/null --json" + xdpFlags)})
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := b.lab.Client.Start(cmd); err != nil {
		return "", err
	}
	if err := cmd.Wait(); err != nil {
		return "", fmt.Errorf("%w: %s", err, stderr.String())
	}
	var report struct{ Mode string }
	err := json.Unmarshal(stdout.Bytes(), &report)
	return report.Mode, err
}
