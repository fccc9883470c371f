package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seed-54eb6215/xftp/bench/record"
	"github.com/seed-54eb6215/xftp/stack/nic"
	"github.com/seed-54eb6215/xftp/xdp"
)

// Some things are measured with the libraries, by a process of its own on the
// client's or the server's side: this program, started again in a role.
const (
	roleEnv = "XFTP_BENCH_ROLE"
	taskEnv = "XFTP_BENCH_TASK" // a roleTask in JSON
	cpuEnv  = "XFTP_BENCH_CPU"  // the CPU that it has been moved to
)

// roleTask is what a process in a role is to do.
type roleTask struct {
	Iface   string
	Address string // own address on Iface as CIDR; empty is kernel sockets
	Gateway string
	URL     string // for the roles with a server
	Target  string // address that the flood goes to
	MAC     string // its hardware address
	MTU     int
	N       int // round trips, or milliseconds
	CPU     int // to run on; -1 is any
}

// roles of this program. Each returns a run, of which it fills in what it
// knows.
var roles = map[string]func(context.Context, roleTask) (record.Run, error){
	"noop":    runNoop,
	"startup": runStartup,
	"drain":   runDrain,
	"flood":   runFlood,
}

// actRole turns the process into one of the roles if it was started as one, and
// then does not return.
func actRole() {
	role, ok := os.LookupEnv(roleEnv)
	if !ok {
		return
	}
	if err := act(role); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func act(role string) error {
	var t roleTask
	if err := json.Unmarshal([]byte(os.Getenv(taskEnv)), &t); err != nil {
		return fmt.Errorf("%s: %w", taskEnv, err)
	}
	if err := moveToCPU(t.CPU); err != nil {
		return err
	}
	f, ok := roles[role]
	if !ok {
		return fmt.Errorf("unknown role %q", role)
	}
	run, err := f(context.Background(), t)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(run)
}

// moveToCPU starts the program again with all of its threads on one CPU: from
// within, only the calling thread can be moved.
func moveToCPU(cpu int) error {
	if cpu < 0 || os.Getenv(cpuEnv) != "" {
		return nil
	}
	runtime.LockOSThread() // until execve(2), after which this is the only thread
	var one unix.CPUSet
	one.Set(cpu)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return fmt.Errorf("sched_setaffinity: %w", err)
	}
	env := append(os.Environ(), cpuEnv+"="+strconv.Itoa(cpu))
	return os.NewSyscallError("execve", unix.Exec("/proc/self/exe", os.Args, env))
}

// roleCommand returns the command that runs a role.
func roleCommand(ctx context.Context, role string, t roleTask) (*exec.Cmd, error) {
	b, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Args[0] = "bench-" + role
	cmd.Env = append(os.Environ(), roleEnv+"="+role, taskEnv+"="+string(b))
	cmd.WaitDelay = 5 * time.Second
	return cmd, nil
}

// openNIC opens the task's path over AF_XDP as the xftp command does.
func (t roleTask) openNIC(ctx context.Context) (*nic.NIC, error) {
	runtime.GOMAXPROCS(1)
	own, err := netip.ParsePrefix(t.Address)
	if err != nil {
		return nil, err
	}
	cfg := nic.Config{Interface: t.Iface, Addresses: []netip.Prefix{own}, Mode: xdp.ModeAuto}
	if t.Gateway != "" {
		gw, err := netip.ParseAddr(t.Gateway)
		if err != nil {
			return nil, err
		}
		cfg.Gateways = []netip.Addr{gw}
	}
	return nic.Open(ctx, cfg)
}
