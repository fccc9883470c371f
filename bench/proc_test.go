package main

import (
	"maps"
	"os"
	"testing"
)

func TestParseCPU(t *testing.T) {
	got, err := parseCPU([]byte("cpu  100 20 300 4000 50 6 7 80 9 10\ncpu0 1 2 3\n"))
	if want := (cpuTimes{busy: 4.33, stolen: 0.8}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, bad := range []string{"", "cpu 1 2 3\n", "cpu0 1 2 3 4 5 6 7 8 9\n", "cpu 1 2 x 4 5 6 7 8 9\n"} {
		if _, err := parseCPU([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestParsePeak(t *testing.T) {
	if got := parsePeak([]byte("Name:\tx\nVmPeak:\t 99999 kB\nVmHWM:\t   22300 kB\nVmRSS:\t 100 kB\n")); got != 22300<<10 {
		t.Errorf("got %d", got)
	}
	if got := parsePeak([]byte("Name:\tx\nState:\tZ (zombie)\n")); got != 0 {
		t.Errorf("a process that has ended has %d", got)
	}
	self, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip(err)
	}
	if parsePeak(self) == 0 {
		t.Error("this process has no memory")
	}
}

func TestParseStats(t *testing.T) {
	got := parseStats([]byte("xftp: stats: socket.rx_frames 17\nxftp: stats: socket.rx_dropped 3\n" +
		"xftp: stats: socket.rx_ring_full 0\nsomething else\nxftp: stats: stack.retransmits 5\n"))
	if want := map[string]uint64{"socket.rx_dropped": 3, "stack.retransmits": 5}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
