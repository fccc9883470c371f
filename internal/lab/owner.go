package lab

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// namePrefix begins the name of everything that a lab leaves in the file
// system.
const namePrefix = "xftp-"

// labs counts the labs of this process, so that their names differ.
var labs atomic.Uint64

// owner is the process that a lab belongs to. The start time tells it from
// a later process with the same id.
type owner struct {
	pid   int
	start uint64 // clock ticks after boot, as in field 22 of /proc/PID/stat
}

// self returns the owner that this process is.
func self() (owner, error) {
	pid := os.Getpid()
	start, err := startTime(pid)
	if err != nil {
		return owner{}, fmt.Errorf("read own start time: %w", err)
	}
	return owner{pid, start}, nil
}

// alive reports whether the owner still runs. A process that cannot be read
// for any reason but its absence counts as alive; one that has ended, and that
// nobody has waited for, does not.
func (o owner) alive() bool {
	fields, err := statFields(o.pid)
	if err != nil {
		return !os.IsNotExist(err) && !errors.Is(err, syscall.ESRCH)
	}
	start, err := strconv.ParseUint(fields[19], 10, 64)
	return err != nil || start == o.start && fields[0] != "Z"
}

// newName returns a name that no other lab has: PREFIXpid-start-number.
func (o owner) newName() string {
	return fmt.Sprintf("%s%d-%d-%d", namePrefix, o.pid, o.start, labs.Add(1))
}

// parseOwner returns the owner that is written in the name of a lab or of
// one of its namespaces. It reports false for names that no lab gave.
func parseOwner(name string) (owner, bool) {
	rest, ok := strings.CutPrefix(name, namePrefix)
	if !ok {
		return owner{}, false
	}
	fields := strings.Split(rest, "-")
	if len(fields) < 3 || len(fields) > 4 {
		return owner{}, false
	}
	pid, err := strconv.ParseUint(fields[0], 10, 31)
	if err != nil || pid == 0 {
		return owner{}, false
	}
	start, err := strconv.ParseUint(fields[1], 10, 64)
	if err != nil {
		return owner{}, false
	}
	if _, err := strconv.ParseUint(fields[2], 10, 64); err != nil {
		return owner{}, false
	}
	return owner{int(pid), start}, true
}

// startTime returns when a process was started, in clock ticks after boot.
func startTime(pid int) (uint64, error) {
	fields, err := statFields(pid)
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(fields[19], 10, 64)
}

// statFields returns what /proc/PID/stat says of a process, from its state
// on, which is the third field: at least until its start time, the 22nd.
func statFields(pid int) ([]string, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	// proc_pid_stat(5): the second field is the command in parentheses, which
	// may itself hold spaces and parentheses.
	_, rest, ok := cutLast(string(b), ") ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 20 {
		return nil, fmt.Errorf("/proc/%d/stat: unknown format", pid)
	}
	return fields, nil
}

// cutLast is strings.Cut around the last occurrence of sep.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
