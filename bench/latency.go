package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seed-54eb6215/xftp/bench/record"
	"github.com/seed-54eb6215/xftp/ftpclient"
)

// roundTrips is how many NOOPs a run consists of.
const roundTrips = 4000

// runNoop logs in and times commands that do nothing.
func runNoop(ctx context.Context, t roleTask) (run record.Run, err error) {
	var cfg ftpclient.Config
	if t.Address != "" {
		n, err := t.openNIC(ctx)
		if err != nil {
			return run, err
		}
		defer n.Close()
		cfg.Dialer = n
	}
	c, err := ftpclient.Dial(ctx, t.URL, &cfg)
	if err != nil {
		return run, err
	}
	defer c.Close()
	took := make([]float64, 0, t.N)
	for i := range t.N + t.N/10 { // the first warm up
		start := time.Now()
		if err := c.Noop(ctx); err != nil {
			return run, err
		}
		if i >= t.N/10 {
			took = append(took, time.Since(start).Seconds())
		}
	}
	run.Seconds = record.Median(took)
	run.Items = map[string]float64{record.P99: record.Percentile(took, 0.99), "max": slices.Max(took)}
	return run, c.Quit(ctx)
}

// latency compares round trips over xftp's libraries and over kernel sockets,
// in turn, with client and server pinned to CPUs.
func (b *bench) latency(ctx context.Context, c testCase, rc *record.Case) error {
	var allowed unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		return err
	}
	cpus := listed(&allowed)
	client, server := cpus[0], cpus[0]
	if c.placed == apart {
		if len(cpus) < 2 {
			return errors.New("needs two CPUs")
		}
		server = cpus[1]
	}
	var one unix.CPUSet
	one.Set(server)
	if err := b.site.pinServer(&one); err != nil {
		return err
	}
	defer func() { _ = b.site.pinServer(&allowed) }() // it worked before
	over := roleTask{Iface: b.site.iface, Address: b.site.address, Gateway: b.o.gateway, URL: b.site.base, N: roundTrips, CPU: client}
	kernelOnly := over
	kernelOnly.Address = ""
	tasks := map[string]roleTask{xftp: over, kernelSockets: kernelOnly}
	for _, name := range c.peers {
		rc.Peers = append(rc.Peers, &record.Peer{Name: name, Command: []string{"ftpclient.Conn.Noop"}})
	}
	for round := range b.o.rounds + 1 {
		for i := range rc.Peers {
			p := rc.Peers[(i+round)%len(rc.Peers)]
			b.say.running(p.Name, round)
			run := b.play(ctx, "noop", tasks[p.Name], b.site.start)
			run.Round = round
			p.Runs = append(p.Runs, run)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
		}
		if round > 0 {
			b.say.round(rc, round)
		}
	}
	return nil
}

// listed returns the numbers of the CPUs in a set.
func listed(set *unix.CPUSet) []int {
	var cpus []int
	for i := 0; len(cpus) < set.Count(); i++ {
		if set.IsSet(i) {
			cpus = append(cpus, i)
		}
	}
	return cpus
}

// play runs a role to its end and returns its run. The error is in it.
func (b *bench) play(ctx context.Context, role string, t roleTask, start func(*exec.Cmd) error) record.Run {
	began := time.Now().UTC().Truncate(time.Millisecond)
	run, err := b.playRole(ctx, role, t, start)
	run.Start = began
	if err != nil {
		run.Error = err.Error()
	}
	return run
}

func (b *bench) playRole(ctx context.Context, role string, t roleTask, start func(*exec.Cmd) error) (run record.Run, err error) {
	ctx, cancel := context.WithTimeout(ctx, b.o.timeout)
	defer cancel()
	cmd, err := roleCommand(ctx, role, t)
	if err != nil {
		return run, err
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	before, err := readCPU()
	if err != nil {
		return run, err
	}
	if err := start(cmd); err != nil {
		return run, err
	}
	if err := cmd.Wait(); err != nil {
		return run, fmt.Errorf("%s: %w: %s", role, err, lastLines(stderr.String()))
	}
	after, err := readCPU()
	if err != nil {
		return run, err
	}
	if err := json.Unmarshal(stdout.Bytes(), &run); err != nil {
		return run, fmt.Errorf("%s: %w", role, err)
	}
	run.MachineCPU, run.Stolen = after.busy-before.busy, after.stolen-before.stolen
	run.User, run.System = usage(cmd.ProcessState)
	return run, nil
}
