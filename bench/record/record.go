// Package record is what the benchmarks leave behind: every run as it was
// measured, the facts of the machine, and what follows from them. The numbers
// of a table are never stored; they are worked out of the runs each time.
package record

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"
)

// Schema is the version of the format of File. It changes when a program that
// reads the format could misread it.
const Schema = 1

// File is the outcome of one start of the benchmarks.
type File struct {
	Schema  int       `json:"schema"`
	Quick   bool      `json:"quick,omitempty"` // small sizes and few rounds: good for a look only
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`
	Rounds  int       `json:"rounds"` // asked for, besides the one that warms up
	Machine Machine   `json:"machine"`
	Cases   []*Case   `json:"cases"`
}

// Machine is what the numbers hold for.
type Machine struct {
	Kernel     string            `json:"kernel"`
	CPU        string            `json:"cpu"`
	CPUs       int               `json:"cpus"`
	Memory     int64             `json:"memory_bytes"`
	Interface  string            `json:"interface"`
	Driver     string            `json:"driver"`
	Mode       string            `json:"mode"`        // of xftp's socket: zerocopy, copy or generic
	Congestion string            `json:"congestion"`  // of the kernel's TCP; xftp's own is cubic
	Offloads   map[string]bool   `json:"offloads"`    // of the client's interface, those that are on or off by choice
	Versions   map[string]string `json:"versions"`    // of each program, and of Go
	Revision   string            `json:"revision"`    // of the source tree, "+" at its end if it was changed
	Busy       float64           `json:"busy_before"` // CPU seconds a second that others took before the start
}

// Case is a row of the table of cases, and what came of it.
type Case struct {
	Name   string  `json:"name"`
	Group  string  `json:"group"` // by which it is asked for
	Title  string  `json:"title"`
	Unit   Unit    `json:"unit"`
	Link   Link    `json:"link"`
	Server string  `json:"server"`
	Bytes  int64   `json:"bytes"`           // that each run moves
	Files  int     `json:"files"`           // in as many files
	Floor  float64 `json:"floor,omitempty"` // what xftp must reach; 0 means that it is reported only
	Aim    float64 `json:"aim,omitempty"`   // what it is to reach
	Peers  []*Peer `json:"peers"`           // xftp is the first

	// Revision of the source tree that was measured; empty in files in which it
	// is the same for all cases.
	Revision string `json:"revision,omitempty"`

	// Skipped says why the case was not measured; empty if it was.
	Skipped string `json:"skipped,omitempty"`
	// Series are time series of one transfer by each peer, not among Runs.
	Series []Series `json:"series,omitempty"`
}

// Unit says what the runs of a case are compared by.
type Unit string

// The units. In each, Run.Seconds is compared and less is better, but for
// Frames.
const (
	Transfer Unit = "transfer" // seconds for all the bytes
	RTT      Unit = "rtt"      // seconds of a round trip, the median of a run
	Startup  Unit = "startup"  // seconds to the first byte
	Frames   Unit = "frames"   // frames in Run.Seconds; more is better
)

// Link is what lies between client and server.
type Link struct {
	MTU      int           `json:"mtu"`
	Offload  bool          `json:"offload,omitempty"`  // packets longer than the MTU are on it
	Threaded bool          `json:"threaded,omitempty"` // each host receives in a thread of its own
	RTT      time.Duration `json:"rtt_ns,omitempty"`   // that the impairment adds
	Loss     float64       `json:"loss,omitempty"`     // probability, each direction
	Real     bool          `json:"real,omitempty"`     // given by the user, not of the lab
}

// Peer is one of the programs that a case compares.
type Peer struct {
	Name    string   `json:"name"`
	Command []string `json:"command,omitempty"`
	LeftOut string   `json:"left_out,omitempty"` // why it has no runs, or no more than one
	Runs    []Run    `json:"runs,omitempty"`
}

// Run is one start of a program.
type Run struct {
	Round   int       `json:"round"` // 0 warms up and does not count
	Start   time.Time `json:"start"`
	Seconds float64   `json:"seconds"`
	Bytes   int64     `json:"bytes,omitempty"`

	User       float64 `json:"user_cpu"`    // of the client, in seconds
	System     float64 `json:"system_cpu"`  // of the client, in seconds
	MachineCPU float64 `json:"machine_cpu"` // of the whole machine, in seconds
	Stolen     float64 `json:"stolen_cpu"`  // by other machines on the same hardware
	PeakRSS    int64   `json:"peak_rss"`    // of the client, in bytes

	// Retransmits by either kernel's TCP; xftp's own are in XDP. Negative if
	// they could not be read.
	ServerRetransmits int64 `json:"server_retransmits"`
	ClientRetransmits int64 `json:"client_retransmits"`

	// XDP are xftp's counters of drops and retransmits, by the names of
	// --stats, those that are not 0.
	XDP map[string]uint64 `json:"xdp,omitempty"`

	// Items are the parts that a run consists of, in seconds.
	Items map[string]float64 `json:"items,omitempty"`

	TLS      string `json:"tls,omitempty"`      // version and cipher, of control and data, as the server tells
	Verified string `json:"verified,omitempty"` // how what was moved was checked, outside the timed part
	Error    string `json:"error,omitempty"`    // why the run does not count
}

// Steps are the items of a run in the unit Startup, in their order.
var Steps = []string{"attach", "bind", "stack", "ARP and connect", "connect again and login", "data"}

// Rate returns bits per second.
func (r Run) Rate() float64 { return float64(r.Bytes) * 8 / r.Seconds }

// Series is how the bytes of one transfer came over time.
type Series struct {
	Peer   string   `json:"peer"`
	Points []Sample `json:"points"`
}

// Sample is a point of a Series: bytes on the wire since the start.
type Sample struct {
	Seconds float64 `json:"t"`
	Bytes   int64   `json:"b"`
}

// Write writes the file as indented JSON.
func (f *File) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false)
	return e.Encode(f)
}

// Read reads what Write has written.
func Read(r io.Reader) (*File, error) {
	var f File
	if err := json.NewDecoder(r).Decode(&f); err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	if f.Schema != Schema {
		return nil, fmt.Errorf("read results: schema %d, want %d", f.Schema, Schema)
	}
	return &f, nil
}

// ReadFile reads the file of that name.
func ReadFile(name string) (*File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Read(f)
}

// Revisions returns the revisions that were measured, in the order of the cases,
// and the names of each one's cases.
func (f *File) Revisions() (revisions []string, names map[string][]string) {
	names = make(map[string][]string)
	for _, c := range f.Cases {
		if c.Skipped != "" {
			continue
		}
		r := c.Revision
		if r == "" {
			r = f.Machine.Revision
		}
		if names[r] == nil {
			revisions = append(revisions, r)
		}
		names[r] = append(names[r], c.Name)
	}
	return revisions, names
}

// Case returns the case of that name, or nil.
func (f *File) Case(name string) *Case {
	for _, c := range f.Cases {
		if c.Name == name {
			return c
		}
	}
	return nil
}
