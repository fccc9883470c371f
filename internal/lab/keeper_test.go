package lab_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// keep makes a lab with a name of this test, and a keeper.
func keep(t *testing.T, cfg lab.UpConfig) lab.Info {
	t.Helper()
	lab.NeedRoot(t)
	cfg.Name = "t" + strconv.Itoa(os.Getpid()) + "-" + strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-"))
	cfg.Name = cfg.Name[:min(len(cfg.Name), 32)]
	info, err := lab.Up(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lab.Down(context.Background(), cfg.Name); err != nil && !errors.Is(err, lab.ErrDown) {
			t.Error(err)
		}
		// The keeper is a child of this process.
		if _, err := unix.Wait4(info.PID, nil, 0, nil); err != nil {
			t.Error(err)
		}
	})
	return info
}

// traces returns what a lab with a name has in the file system.
func traces(t *testing.T, name string) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"/run/netns/xftp-" + name + "-*", "/run/xftp/" + name} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	return all
}

// A lab is there until Down, and then there is nothing.
func TestUpAndDown(t *testing.T) {
	imp := lab.Impairment{Seed: 7, Delay: time.Millisecond}
	info := keep(t, lab.UpConfig{Lab: lab.Config{Impairment: imp}, Server: &lab.ServerConfig{}})
	if got := traces(t, info.Name); len(got) != 4 {
		t.Errorf("the lab has %v, want three namespaces and a directory", got)
	}
	if _, err := lab.Up(t.Context(), lab.UpConfig{Name: info.Name}); !errors.Is(err, lab.ErrExists) {
		t.Errorf("the same once more: %v, want %v", err, lab.ErrExists)
	}
	now, err := lab.Status(t.Context(), info.Name)
	if err != nil {
		t.Fatal(err)
	}
	if now.PID != info.PID || now.Relay == nil || !now.Relay.Running || now.Relay.Impairment.Seed != 7 || now.FTP == nil || !now.FTP.Running {
		t.Errorf("status: %+v", now)
	}
	now, err = lab.SetImpairment(t.Context(), info.Name, func(i *lab.Impairment) { i.Loss = 0.5 })
	if err != nil || now.Relay.Impairment.Loss != 0.5 || now.Relay.Impairment.Delay != 0.001 {
		t.Errorf("set: %+v, %v", now.Relay, err)
	}
	names, err := lab.Names()
	if err != nil || !strings.Contains(strings.Join(names, " "), info.Name) {
		t.Errorf("names: %v, %v", names, err)
	}
	var processes []int
	for _, pid := range []int{info.PID, now.FTP.PID, now.Relay.PID} {
		fd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		processes = append(processes, fd)
	}
	if err := lab.Down(t.Context(), info.Name); err != nil {
		t.Error(err)
	}
	if got := traces(t, info.Name); len(got) != 0 {
		t.Errorf("left behind: %v", got)
	}
	for _, fd := range processes {
		if err := unix.PidfdSendSignal(fd, 0, nil, 0); !errors.Is(err, unix.ESRCH) {
			if err := awaitDeath(fd); err != nil {
				t.Error(err)
			}
		}
	}
	if err := lab.Down(t.Context(), info.Name); !errors.Is(err, lab.ErrDown) {
		t.Errorf("down once more: %v, want %v", err, lab.ErrDown)
	}
	if _, err := lab.Status(t.Context(), info.Name); !errors.Is(err, lab.ErrDown) {
		t.Errorf("status: %v, want %v", err, lab.ErrDown)
	}
}

// What a killed keeper leaves is swept, and its name is free again.
func TestKeeperKilled(t *testing.T) {
	info := keep(t, lab.UpConfig{Lab: lab.Config{Relay: true}, Server: &lab.ServerConfig{}})
	for _, pid := range []int{info.FTP.PID, info.Relay.PID} {
		fd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		defer func() {
			if err := awaitDeath(fd); err != nil {
				t.Error(err)
			}
		}()
	}
	if err := lab.Sweep(); err != nil {
		t.Error(err)
	}
	if got := traces(t, info.Name); len(got) != 4 {
		t.Errorf("a sweep took from a living keeper: left are %v", got)
	}
	if err := unix.Kill(info.PID, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := lab.Down(t.Context(), info.Name); err != nil && !errors.Is(err, lab.ErrDown) {
		t.Error(err)
	}
	if got := traces(t, info.Name); len(got) != 0 {
		t.Errorf("left behind: %v", got)
	}
	again := keep(t, lab.UpConfig{})
	if again.Name != info.Name || again.Relay != nil || again.FTP != nil {
		t.Errorf("the next lab of this name: %+v", again)
	}
	if _, err := lab.SetImpairment(t.Context(), again.Name, func(*lab.Impairment) {}); !errors.Is(err, lab.ErrNoRelay) {
		t.Errorf("set without a relay: %v, want %v", err, lab.ErrNoRelay)
	}
	// ip-netns(8) knows it.
	if ip, err := exec.LookPath("ip"); err == nil {
		out, err := exec.Command(ip, "-n", again.Client.Namespace, "-o", "addr").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "10.99.0.1/24") {
			t.Errorf("ip -n: %v: %s", err, out)
		}
	}
}

// An Up that fails, or is interrupted, leaves nothing.
func TestUpFails(t *testing.T) {
	lab.NeedRoot(t)
	name := "tf" + strconv.Itoa(os.Getpid())
	for _, cfg := range []lab.UpConfig{
		{Name: name, Server: &lab.ServerConfig{Root: "/nonexistent"}},
		{Name: name, Lab: lab.Config{MTU: 10}},
		{Name: "Not a name"},
		{Name: "xftp-1"},
	} {
		if _, err := lab.Up(t.Context(), cfg); err == nil || errors.Is(err, lab.ErrExists) {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := lab.Up(ctx, lab.UpConfig{Name: name}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if got := traces(t, name); len(got) != 0 {
		t.Errorf("left behind: %v", got)
	}
}
