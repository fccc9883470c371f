package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/safchain/ethtool"
	"golang.org/x/sys/unix"

	"github.com/seed-54eb6215/xftp/bench/record"
	"github.com/seed-54eb6215/xftp/internal/lab"
)

// facts reads what the numbers hold for, on the site at hand.
func (b *bench) facts(ctx context.Context) (record.Machine, error) {
	m := record.Machine{CPUs: runtime.NumCPU(), Interface: b.site.iface, Versions: b.versions(ctx)}
	m.Kernel = firstLine("/proc/sys/kernel/osrelease")
	m.CPU = cpuModel()
	m.Revision = revision(ctx)
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err == nil {
		m.Memory = int64(info.Totalram) * int64(info.Unit)
	}
	read := func() error {
		m.Congestion = firstLine("/proc/sys/net/ipv4/tcp_congestion_control")
		return nil
	}
	var err error
	if b.site.lab != nil {
		err = b.site.lab.Server.Do(read)
	} else {
		err = read()
	}
	if err != nil {
		return m, err
	}
	if err := b.site.doClient(func() error { return readInterface(b.site.iface, &m) }); err != nil {
		return m, err
	}
	before, err := readCPU()
	if err != nil {
		return m, err
	}
	start := time.Now()
	m.Mode = b.mode(ctx)
	// What else the machine does, which this process sleeps for.
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return m, context.Cause(ctx)
	}
	after, err := readCPU()
	m.Busy = (after.busy - before.busy) / time.Since(start).Seconds()
	return m, err
}

// shownOffloads are the features of an interface that change what is measured.
var shownOffloads = regexp.MustCompile(`^(tx-tcp-segmentation|tx-tcp6-segmentation|tx-generic-segmentation|tx-udp-segmentation|tx-checksum-.*|rx-checksum|rx-gro|rx-lro)$`)

func readInterface(name string, m *record.Machine) error {
	e, err := ethtool.NewEthtool()
	if err != nil {
		return err
	}
	defer e.Close()
	if m.Driver, err = e.DriverName(name); err != nil {
		return err
	}
	states, err := e.FeaturesWithState(name)
	m.Offloads = make(map[string]bool)
	for feature, state := range states {
		if shownOffloads.MatchString(feature) && state.Available && !state.NeverChanged {
			m.Offloads[feature] = state.Active
		}
	}
	return err
}

// mode asks xftp how its frames come in; "unknown" if it does not say.
func (b *bench) mode(ctx context.Context) string {
	c, err := b.content(ctx, tiny)
	if err != nil {
		return "unknown"
	}
	p, err := b.findPeer(xftp)
	if err != nil {
		return "unknown"
	}
	cmd := b.command(ctx, p, append(p.words(task{job: job{discard, tiny, 1}, ca: b.site.caFile(), url: b.site.base + c.name, out: devNull}), "--json"))
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	if b.site.start(cmd) != nil || cmd.Wait() != nil {
		return "unknown"
	}
	var report struct{ Mode string }
	if json.Unmarshal(stdout.Bytes(), &report) != nil {
		return "unknown"
	}
	return report.Mode
}

// versionNumber is the first thing that looks like one.
var versionNumber = regexp.MustCompile(`v?\d+\.\d[\w.+-]*`)

// versions asks each program that is there.
func (b *bench) versions(ctx context.Context) map[string]string {
	v := map[string]string{"go": runtime.Version()}
	ask := func(name string, p lab.Program, words ...string) {
		cmd := b.command(ctx, peer{program: p}, words)
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &said, &said
		if stdin, w, err := os.Pipe(); err == nil { // vsftpd says it there
			defer stdin.Close()
			cmd.Stdin = w
			_ = cmd.Run()
			w.Close()
			_, _ = said.ReadFrom(stdin)
		}
		if version := versionNumber.FindString(said.String()); version != "" {
			v[name] = version
		}
	}
	ask("xftp", lab.Program{Path: b.o.program}, "version")
	for _, name := range []string{"curl", "lftp", "aria2c", "wget", "vsftpd", "proftpd"} {
		p, err := lab.FindProgram(name)
		if err != nil {
			continue
		}
		if name == "vsftpd" || name == "proftpd" {
			ask(name, p, "-v")
		} else {
			ask(name, p, "--version")
		}
	}
	return v
}

func firstLine(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return line
}

func cpuModel() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// revision returns the commit of the tree that the program lies in.
func revision(ctx context.Context) string {
	git := func(words ...string) (string, error) {
		out, err := exec.CommandContext(ctx, "git", words...).Output()
		return strings.TrimSpace(string(out)), err
	}
	commit, err := git("rev-parse", "--short=12", "HEAD")
	if err != nil {
		return "unknown"
	}
	if changed, err := git("status", "--porcelain", "--untracked-files=no"); err == nil && changed != "" {
		commit += "+"
	}
	return commit
}
