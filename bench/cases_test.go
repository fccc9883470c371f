package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/seed-54eb6215/xftp/bench/record"
	"github.com/seed-54eb6215/xftp/internal/lab"
)

// TestCases: the table is well formed, and every peer can do what it is asked.
func TestCases(t *testing.T) {
	b := &bench{o: options{program: "/xftp"}, site: &site{iface: "eth0", address: "192.0.2.7/24"}}
	seen := make(map[string]bool)
	for _, c := range cases {
		if c.name == "" || seen[c.name] || strings.ContainsAny(c.name, ", \t") {
			t.Errorf("%q is no name, or there twice", c.name)
		}
		seen[c.name] = true
		if c.title == "" || len(c.peers) == 0 || c.peers[0] != xftp {
			t.Errorf("%s: %q, peers %q; xftp has to be the first", c.name, c.title, c.peers)
		}
		if c.unit != record.Startup && c.aim != 0 && c.aim < c.floor || c.unit == record.Startup && c.aim > c.floor {
			t.Errorf("%s: the aim of %v is less than the floor of %v", c.name, c.aim, c.floor)
		}
		if c.link.offload && (c.link.delay != 0 || c.link.loss != 0) {
			t.Errorf("%s: a link that carries packets longer than the MTU cannot be impaired", c.name)
		}
		if c.job.verb == noop || c.job.verb == drain {
			continue
		}
		name, n, _ := c.job.set.shape(1e9)
		if n == 0 || (n > 1) != (c.job.verb == tree || c.job.verb == mirror) {
			t.Errorf("%s: set %d has %d files", c.name, c.job.set, n)
		}
		task := task{job: c.job, url: "ftp://192.0.2.1/" + name, local: "/root/file", out: "/out", list: "/list", files: []string{"f00", "f63"}}
		if c.tls != lab.NoTLS {
			task.ca = "/ca.pem"
		}
		for _, name := range c.peers {
			p, _ := b.findPeer(name) // need not be installed
			words := p.words(task)
			if words == nil {
				t.Errorf("%s: %s cannot do it", c.name, name)
			}
			if told := strings.Contains(strings.Join(words, " "), "/ca.pem"); told != (c.tls != lab.NoTLS) {
				t.Errorf("%s: %s is told of the certificate: %v: %q", c.name, name, told, words)
			}
			if c.job.verb != upload && c.job.verb != cat && c.job.conns > 1 && !strings.Contains(strings.Join(words, " "), string(rune('0'+c.job.conns))) {
				t.Errorf("%s: %s is not told of %d connections: %q", c.name, name, c.job.conns, words)
			}
		}
	}
}

// TestNothingReplacesTheNullDevice: only programs that write to a device as
// such get its name.
func TestNothingReplacesTheNullDevice(t *testing.T) {
	nowhere := task{job: job{discard, big, 1}, url: "ftp://192.0.2.1/file", out: devNull}
	if words := aria2Words(nowhere); words != nil {
		t.Errorf("aria2c would be run with %q", words)
	}
	if words := lftpWords(nowhere); slices.ContainsFunc(words, func(w string) bool { return strings.Contains(w, devNull) }) {
		t.Errorf("lftp would be run with %q", words)
	}
}

func TestChoose(t *testing.T) {
	for list, want := range map[string]string{
		"D1":      "D1",
		"U1,D1":   "D1 U1",
		"DM":      "DM-1280 DM-3498",
		"DM-3498": "DM-3498",
		"W,L1":    "L1 W1 W1-0.1 W1-1 W1-up",
	} {
		chosen, err := choose(list, false)
		var names []string
		for _, c := range chosen {
			names = append(names, c.name)
		}
		if got := strings.Join(names, " "); got != want || err != nil {
			t.Errorf("%s: %s, %v; want %s", list, got, err, want)
		}
	}
	if all, err := choose("", false); len(all) != len(cases) || err != nil {
		t.Errorf("%d of %d cases, %v", len(all), len(cases), err)
	}
	if quick, err := choose("", true); len(quick) == 0 || len(quick) == len(cases) || err != nil {
		t.Errorf("%d of %d cases are quick, %v", len(quick), len(cases), err)
	}
	if _, err := choose("D1,D2", false); err == nil || !strings.Contains(err.Error(), `"D2"`) {
		t.Errorf("an unknown case: %v", err)
	}
}

func TestParse(t *testing.T) {
	o, err := parse([]string{"-quick"})
	if err != nil || o.rounds != 3 || o.bytes != 2e8 {
		t.Errorf("-quick: %+v, %v", o, err)
	}
	o, err = parse(nil)
	if err != nil || o.rounds != 7 || o.bytes != 1e9 {
		t.Errorf("nothing: %+v, %v", o, err)
	}
	for _, bad := range [][]string{{"-n", "-1"}, {"-bytes", "1"}, {"-url", "ftp://192.0.2.1/"}, {"D1"}} {
		if _, err := parse(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
