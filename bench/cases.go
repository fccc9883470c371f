package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-54eb6215/xftp/bench/record"
	"github.com/seed-54eb6215/xftp/internal/lab"
)

// A testCase is a row of the table: what moves, over which link, by whom.
type testCase struct {
	name  string
	group string // by which -case asks for it, besides its name
	title string
	unit  record.Unit

	job   job
	link  link
	kind  lab.Kind // of the server
	tls   lab.TLSMode
	peers []string // those that apply; xftp is the first

	floor, aim float64 // of the ratio to the best peer, or of what record.Rows makes of the unit
	placed     placement
	active     bool // the server opens the data connections
	series     bool // a time series of one more transfer by each peer, too
	quick      bool // among those that -quick measures
}

// A link is what the lab puts between client and server.
type link struct {
	mtu      int // 0 is what -mtu says
	offload  bool
	threaded bool          // each host receives in a thread of its own
	delay    time.Duration // one way
	loss     float64       // in each direction
}

// isPlain says whether a real link could be it as well.
func (l link) isPlain() bool { return l == link{} }

// A job is what a peer is to do.
type job struct {
	verb  verb
	set   set
	conns int // connections, or transfers at a time
}

type verb uint8

const (
	discard  verb = iota // one file, and the bytes go nowhere
	toFile               // one file, to one in memory
	segments             // one file in several parts at a time, to one in memory
	tree                 // all files of a directory, to one in memory
	mirror               // the same, with their times, by those that can continue it
	upload               // one file to the server
	cat                  // one small file to a pipe: until the first byte
	noop                 // no file: round trips on the control connection
	drain                // no FTP: frames into the socket alone
)

// A set is the files that a job is about.
type set uint8

const (
	nothing     set = iota
	big             // one file of -bytes
	tenth           // one file of a tenth of that
	hundredth       // one file of a hundredth of that
	many            // 64 files, -bytes together
	small           // 1000 files of 4 KB
	tenThousand     // files of 4 KB
	tiny            // one file of 1 KB
)

// placement says on which CPUs client and server run.
type placement uint8

const (
	anywhere placement = iota
	apart              // on different ones
	together           // both on one
)

const rtt = 20 * time.Millisecond

var (
	everyone   = []string{xftp, kernel, "curl", "lftp", "wget"}
	toFiles    = []string{xftp, kernel, "curl", "lftp", "aria2c", "wget"}
	uploaders  = []string{xftp, kernel, "curl", "lftp"}
	parallel   = []string{xftp, kernel, "curl", "lftp", "aria2c"}
	segmenting = []string{xftp, kernel, "lftp", "aria2c"}
	activists  = []string{xftp, kernel, "curl", "lftp"}
	mirrors    = []string{xftp, kernel, "lftp"}
	libraries  = []string{xftp, kernelSockets}
)

// cases is the table. Neighbours share their link and server where they can,
// because each other pair is made anew.
var cases = []testCase{
	{name: "D1", title: "download, one connection, to /dev/null", job: job{discard, big, 1}, peers: everyone, floor: 1.3, aim: 1.6, series: true, quick: true},
	{name: "D1f", title: "download, one connection, to a file in memory", job: job{toFile, big, 1}, peers: toFiles, floor: 1.1, aim: 1.4},
	{name: "D4", title: "download, one file, 4 connections", job: job{segments, big, 4}, peers: segmenting, floor: 1.1, aim: 1.4, quick: true},
	{name: "D64", title: "64 downloads, 8 at a time", job: job{tree, many, 8}, peers: parallel, floor: 1, aim: 1.3},
	{name: "U1", title: "upload, one connection", job: job{upload, big, 1}, peers: uploaders, floor: 1, aim: 1.3, quick: true},
	{name: "S1", title: "1000 files of 4 KB, one control connection", job: job{tree, small, 1}, peers: toFiles, floor: 1.2, aim: 2, quick: true},
	{name: "S4", title: "1000 files of 4 KB, 4 connections", job: job{tree, small, 4}, peers: parallel, floor: 1, aim: 1.5, quick: true},
	{name: "M1", title: "mirror of 10 000 files of 4 KB, the first run, 4 connections", job: job{mirror, tenThousand, 4}, peers: mirrors, floor: 1},
	{name: "B", title: "start-up: process start to first byte, 1 KB file", unit: record.Startup, job: job{cat, tiny, 1}, peers: everyone, floor: 60, aim: 20, quick: true},
	{name: "L", title: "NOOP round trip, client and server on different cores", unit: record.RTT, job: job{noop, nothing, 1}, placed: apart, peers: libraries, floor: 1, aim: 1.4, quick: true},
	{name: "L1", title: "NOOP round trip, client and server on one core", unit: record.RTT, job: job{noop, nothing, 1}, placed: together, peers: libraries, floor: 0.5, aim: 1, quick: true},
	{name: "ceiling", title: "D1 as a share of what the socket alone drains", unit: record.Frames, job: job{drain, nothing, 1}, peers: []string{xftp}, aim: 0.85},

	{name: "D1t", group: "threaded", title: "D1 where each host receives in a thread of its own", link: link{threaded: true}, job: job{discard, big, 1}, peers: everyone},
	{name: "U1t", group: "threaded", title: "U1 where each host receives in a thread of its own", link: link{threaded: true}, job: job{upload, big, 1}, peers: uploaders},

	{name: "T1", title: "D1 over explicit TLS", tls: lab.ExplicitTLS, job: job{discard, big, 1}, peers: everyone, floor: 1, aim: 1.2},
	{name: "T1u", title: "U1 over explicit TLS", tls: lab.ExplicitTLS, job: job{upload, big, 1}, peers: uploaders, floor: 1, aim: 1.2},

	{name: "D1-proftpd", title: "D1 from proftpd", kind: lab.Proftpd, job: job{discard, big, 1}, peers: everyone},

	{name: "DM-1280", group: "DM", title: "D1 at MTU 1280", link: link{mtu: 1280}, job: job{discard, big, 1}, peers: everyone, floor: 1, aim: 1.5},
	{name: "DM-3498", group: "DM", title: "D1 at MTU 3498", link: link{mtu: 3498}, job: job{discard, big, 1}, peers: everyone, floor: 1, aim: 1.5},
	{name: "D1x", title: "D1 with packets of 64 KiB on the link, as on no cable", link: link{offload: true}, job: job{discard, big, 1}, peers: everyone, aim: 0.7},

	{name: "SW", title: "1000 files of 4 KB, 4 connections, RTT 20 ms", link: link{delay: rtt / 2}, job: job{tree, small, 4}, peers: parallel, floor: 1.5, aim: 3},
	{name: "SW-active", title: "SW in active mode, which takes a round trip less for each file", active: true, link: link{delay: rtt / 2}, job: job{tree, small, 4}, peers: activists, floor: 1.5, aim: 3},
	{name: "M1w", title: "M1 of 1000 files, RTT 20 ms", link: link{delay: rtt / 2}, job: job{mirror, small, 4}, peers: mirrors, floor: 1},
	{name: "W1", group: "W", title: "download, one connection, RTT 20 ms", link: link{delay: rtt / 2}, job: job{discard, tenth, 1}, peers: everyone, floor: 1, aim: 1.5},
	{name: "W1-0.1", group: "W", title: "W1 with 0.1 % loss", link: link{delay: rtt / 2, loss: 0.001}, job: job{discard, tenth, 1}, peers: everyone, floor: 1, aim: 1.5},
	{name: "W1-1", group: "W", title: "W1 with 1 % loss", link: link{delay: rtt / 2, loss: 0.01}, job: job{discard, tenth, 1}, peers: everyone, floor: 1, aim: 1.5, series: true},
	{name: "W1-up", group: "W", title: "upload with 1 % loss, RTT 20 ms", link: link{delay: rtt / 2, loss: 0.01}, job: job{upload, hundredth, 1}, peers: uploaders},
}

// choose returns the cases that a comma-separated list of names and groups
// asks for, in the table's order; all of them if the list is empty.
func choose(list string, quick bool) ([]testCase, error) {
	var chosen []testCase
	if list == "" {
		for _, c := range cases {
			if !quick || c.quick {
				chosen = append(chosen, c)
			}
		}
		return chosen, nil
	}
	asked := strings.Split(list, ",")
	for _, name := range asked {
		if !slices.ContainsFunc(cases, func(c testCase) bool { return c.name == name || c.group == name }) {
			return nil, fmt.Errorf("there is no case %q; -list names them", name)
		}
	}
	for _, c := range cases {
		if slices.Contains(asked, c.name) || c.group != "" && slices.Contains(asked, c.group) {
			chosen = append(chosen, c)
		}
	}
	return chosen, nil
}
