package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// ticks is USER_HZ, in which the kernel tells times to users: 100 wherever Go
// runs.
const ticks = 100

// cpuTimes are of the whole machine since it was started, in seconds.
type cpuTimes struct {
	busy   float64 // user, nice, system, irq and softirq
	stolen float64 // by the hypervisor for others
}

func readCPU() (cpuTimes, error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return cpuTimes{}, err
	}
	return parseCPU(b)
}

// parseCPU reads the first line of proc_stat(5): user, nice, system, idle,
// iowait, irq, softirq, steal, ...
func parseCPU(b []byte) (cpuTimes, error) {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	f := strings.Fields(string(line))
	if len(f) < 9 || f[0] != "cpu" {
		return cpuTimes{}, fmt.Errorf("/proc/stat: unexpected line %q", line)
	}
	var v [8]float64
	for i := range v {
		n, err := strconv.ParseUint(f[i+1], 10, 64)
		if err != nil {
			return cpuTimes{}, fmt.Errorf("/proc/stat: %w", err)
		}
		v[i] = float64(n) / ticks
	}
	return cpuTimes{busy: v[0] + v[1] + v[2] + v[5] + v[6], stolen: v[7]}, nil
}

// rssInterval is how often the memory of a program is read. Its peak never
// falls, so that only the growth of the last moment is missed.
const rssInterval = 10 * time.Millisecond

// A watch reads the peak memory of a process while it runs. What wait4(2)
// tells afterwards is of no use: it includes the memory of the process that
// started it, with which the child began.
type watch struct {
	pid  int
	stop chan struct{}
	done sync.WaitGroup
	peak int64
}

func newWatch(pid int) *watch {
	w := &watch{pid: pid, stop: make(chan struct{})}
	w.done.Go(w.run) // end waits for it
	return w
}

func (w *watch) run() {
	tick := time.NewTicker(rssInterval)
	defer tick.Stop()
	for {
		if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.pid)); err == nil {
			w.peak = max(w.peak, parsePeak(b))
		}
		select {
		case <-tick.C:
		case <-w.stop:
			return
		}
	}
}

// end returns the peak in bytes.
func (w *watch) end() int64 {
	close(w.stop)
	w.done.Wait()
	return w.peak
}

var peakLine = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// parsePeak reads proc_pid_status(5). A process that has ended has no such
// line.
func parsePeak(b []byte) int64 {
	m := peakLine.FindSubmatch(b)
	if m == nil {
		return 0
	}
	kB, _ := strconv.ParseInt(string(m[1]), 10, 64) // digits only
	return kB << 10
}

// interesting are the counters of xftp that say that something went wrong on
// the way.
var interesting = regexp.MustCompile(`drop|retrans|full|empty|invalid|bad|busy|no_buffer|fail|timeout|lost|overrun|malformed|no_socket`)

// parseStats reads what xftp --stats prints, the interesting part that is not 0.
func parseStats(stderr []byte) map[string]uint64 {
	var counters map[string]uint64
	for line := range bytes.Lines(stderr) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(string(line)), "xftp: stats: ")
		name, value, _ := strings.Cut(rest, " ")
		n, err := strconv.ParseUint(value, 10, 64)
		if !ok || err != nil || n == 0 || !interesting.MatchString(name) {
			continue
		}
		if counters == nil {
			counters = make(map[string]uint64)
		}
		counters[name] = n
	}
	return counters
}

// usage returns the CPU time of a process that was waited for, in seconds.
func usage(state *os.ProcessState) (user, system float64) {
	r, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, 0
	}
	return time.Duration(r.Utime.Nano()).Seconds(), time.Duration(r.Stime.Nano()).Seconds()
}
