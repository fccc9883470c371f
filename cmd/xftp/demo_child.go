package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// A demoTransfer is what one xftp did, as its --json and --stats tell.
type demoTransfer struct {
	transfer
	counters map[string]uint64
}

func (t demoTransfer) String() string { return t.summary() }

// xftp runs this program in the client's namespace, over AF_XDP.
func (d *demo) xftp(ctx context.Context, verb string, args ...string) (demoTransfer, error) {
	var t demoTransfer
	self, err := os.Executable()
	if err != nil {
		return t, err
	}
	client := d.lab.Client
	args = append([]string{verb, "--json", "--stats", "--net", "xdp",
		"--iface", client.Interface, "--address", client.OwnIPv4.String()}, args...)
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	// What the user has configured is not for this run; and its files are
	// the demo's, not those of the user behind sudo.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "XFTP_") || strings.HasPrefix(v, "SUDO_")
	})
	cmd.Env = append(cmd.Env, "XDG_CONFIG_HOME="+d.dir)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := client.Start(cmd); err != nil {
		return t, err
	}
	if err := cmd.Wait(); err != nil {
		if text := strings.TrimSpace(stderr.String()); text != "" {
			err = errors.New(strings.TrimPrefix(text, "xftp: "))
		}
		return t, err
	}
	if err := json.Unmarshal(stdout.Bytes(), &t.transfer); err != nil {
		return t, fmt.Errorf("xftp %s --json: %w", verb, err)
	}
	t.counters = readCounters(&stderr)
	return t, nil
}

// readCounters reads what --stats printed.
func readCounters(r io.Reader) map[string]uint64 {
	counters := make(map[string]uint64)
	for lines := bufio.NewScanner(r); lines.Scan(); {
		rest, ok := strings.CutPrefix(lines.Text(), "xftp: stats: ")
		name, value, _ := strings.Cut(rest, " ")
		if n, err := strconv.ParseUint(value, 10, 64); ok && err == nil {
			counters[name] = n
		}
	}
	return counters
}

// hashFile returns the SHA-256 of a file.
func hashFile(ctx context.Context, path string) (sum [32]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	buf := make([]byte, 1<<20)
	for {
		n, err := f.Read(buf)
		h.Write(buf[:n])
		switch {
		case err == io.EOF:
			h.Sum(sum[:0])
			return sum, nil
		case err != nil:
			return sum, err
		case ctx.Err() != nil:
			return sum, context.Cause(ctx)
		}
	}
}
