package lab

import (
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

func TestParseOwner(t *testing.T) {
	for _, tt := range []struct {
		name string
		want owner
		ok   bool
	}{
		{"xftp-12-345-1", owner{12, 345}, true},
		{"xftp-12-345-1-client", owner{12, 345}, true},
		{"xftp-12-345", owner{}, false},
		{"xftp-12-345-1-client-x", owner{}, false},
		{"xftp-0-345-1", owner{}, false},
		{"xftp--12-345-1", owner{}, false},
		{"xftp-a-345-1", owner{}, false},
		{"xftp-12-b-1", owner{}, false},
		{"xftp-12-345-c", owner{}, false},
		{"xftp", owner{}, false},
		{"other-12-345-1", owner{}, false},
	} {
		got, ok := parseOwner(tt.name)
		if got != tt.want || ok != tt.ok {
			t.Errorf("parseOwner(%q) = %v, %v; want %v, %v", tt.name, got, ok, tt.want, tt.ok)
		}
	}
}

func TestOwnerAlive(t *testing.T) {
	me, err := self()
	if err != nil {
		t.Fatal(err)
	}
	if me.pid != os.Getpid() || !me.alive() {
		t.Errorf("%v is not alive, or not process %d", me, os.Getpid())
	}
	if later := (owner{me.pid, me.start + 1}); later.alive() {
		t.Error("another process with the same id counts as alive")
	}
	if got, ok := parseOwner(me.newName()); !ok || got != me {
		t.Errorf("parseOwner(newName()) = %v, %v; want %v", got, ok, me)
	}
	if a, b := me.newName(), me.newName(); a == b {
		t.Errorf("two labs are called %s", a)
	}
}

// A process that has ended is dead, also before its parent waits for it.
func TestZombieIsDead(t *testing.T) {
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	start, err := startTime(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	o := owner{cmd.Process.Pid, start}
	if !o.alive() {
		t.Error("a running process is not alive")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	var info unix.Siginfo
	// Wait for its end without taking it off the list.
	if err := unix.Waitid(unix.P_PID, o.pid, &info, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	if o.alive() {
		t.Error("a process that was killed is alive")
	}
	_ = cmd.Wait()
	if o.alive() {
		t.Error("a process that is gone is alive")
	}
}

func TestParseTCPWantsAllCounters(t *testing.T) {
	if _, err := parseTCP([]byte("Tcp: InSegs OutSegs\nTcp: 1 2\n")); err == nil {
		t.Error("counters are missing, and no error")
	}
	if _, err := parseTCP([]byte("Ip: InReceives\nIp: 1\n")); err == nil {
		t.Error("no Tcp lines, and no error")
	}
}
