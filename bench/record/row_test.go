package record

import (
	"bytes"
	"math"
	"reflect"
	"testing"
	"time"
)

func rowOf(t *testing.T, f *File, name string) Row {
	t.Helper()
	for _, r := range f.Rows() {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("no row %s", name)
	return Row{}
}

func TestVerdicts(t *testing.T) {
	for _, test := range []struct {
		curl       float64 // xftp takes 2
		floor, aim float64
		want       Verdict
	}{
		{3.3, 1.3, 1.6, Aim},
		{2.8, 1.3, 1.6, Floor},
		{2.5, 1.3, 1.6, Below},
		{1, 0, 0.7, Reported},
		{1.4, 0, 0.7, Aim},
	} {
		f := &File{Cases: []*Case{{
			Name: "X", Unit: Transfer, Bytes: 1e9, Floor: test.floor, Aim: test.aim,
			Peers: []*Peer{peer("xftp", 9, 2), peer("curl", 9, test.curl)},
		}}}
		if r := rowOf(t, f, "X"); r.Verdict != test.want || r.Value != test.curl/2 {
			t.Errorf("%+v: %s with a ratio of %v", test, r.Verdict, r.Value)
		}
	}
}

func TestRowsThatFollow(t *testing.T) {
	d1 := &Case{
		Name: "D1", Unit: Transfer, Bytes: 1e9, Link: Link{MTU: 1500},
		Peers: []*Peer{peer("xftp", 9, 1), peer("curl", 9, 2)},
	}
	ceiling := &Case{Name: "ceiling", Unit: Frames, Aim: 0.85, Peers: []*Peer{{Name: "xftp", Runs: []Run{
		{Round: 1, Seconds: 2, Items: map[string]float64{FramesItem: 2 * 1e9 / 1448 / 0.5}},
	}}}}
	start := &Case{Name: "B", Unit: Startup, Floor: 60, Aim: 20, Peers: []*Peer{peer("xftp", 1, 0.05), peer("curl", 1, 0.01)}}
	noop := &Case{Name: "L", Unit: RTT, Peers: []*Peer{
		{Name: "xftp", Runs: []Run{{Round: 1, Seconds: 2e-5, Items: map[string]float64{P99: 1e-4}}}},
		{Name: "kernel sockets", Runs: []Run{{Round: 1, Seconds: 4e-5, Items: map[string]float64{P99: 3e-4}}}},
	}}
	f := &File{Cases: []*Case{d1, ceiling, start, noop}}
	for name, want := range map[string]struct {
		value   float64
		verdict Verdict
	}{
		"C D1":    {2, Aim},        // both spend 2 s of CPU a second
		"R":       {30, Aim},       // MB
		"ceiling": {0.5, Reported}, // 1e9/1448 segments of twice as many a second
		"B":       {50, Floor},     // ms; the less the better
		"L p99":   {3, Reported},
		"L":       {2, Reported},
	} {
		r := rowOf(t, f, name)
		if math.Abs(r.Value-want.value) > 1e-9 || r.Verdict != want.verdict {
			t.Errorf("%s is %v, %s; want %v, %s", name, r.Value, r.Verdict, want.value, want.verdict)
		}
	}
}

// TestFailedXftp is no row that looks well.
func TestFailedXftp(t *testing.T) {
	f := &File{Cases: []*Case{{Name: "D1", Unit: Transfer, Bytes: 1e9, Floor: 1.3, Peers: []*Peer{peer("xftp", -1), peer("curl", 1, 1)}}}}
	for _, name := range []string{"D1", "C D1", "R"} {
		if r := rowOf(t, f, name); r.Verdict != Unmeasured {
			t.Errorf("%s: %s, want %s", name, r.Verdict, Unmeasured)
		}
	}
}

func TestReadWhatWasWritten(t *testing.T) {
	f := &File{
		Schema: Schema, Quick: true, Started: time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC), Rounds: 7,
		Machine: Machine{Kernel: "6.18", Offloads: map[string]bool{"rx-gro": true}, Versions: map[string]string{"go": "go1.26"}},
		Cases: []*Case{{
			Name: "W1", Unit: Transfer, Bytes: 1e8, Files: 1, Link: Link{MTU: 1500, RTT: 20 * time.Millisecond, Loss: 0.01},
			Peers:  []*Peer{peer("xftp", 1, 2), {Name: "wget", LeftOut: "not installed"}},
			Series: []Series{{Peer: "xftp", Points: []Sample{{Seconds: 0.1, Bytes: 17}}}},
		}},
	}
	f.Cases[0].Peers[0].Runs[1].XDP = map[string]uint64{"socket.rx_dropped": 3}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	got, err := Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, f) {
		t.Errorf("read %+v, want %+v", got, f)
	}
	if _, err := Read(bytes.NewReader([]byte(`{"schema": 99}`))); err == nil {
		t.Error("a file of another schema was read")
	}
}
