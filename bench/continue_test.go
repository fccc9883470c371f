package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/seed-54eb6215/xftp/bench/record"
)

func TestContinue(t *testing.T) {
	machine := record.Machine{Kernel: "6.1", CPUs: 2, Revision: "old"}
	earlier := &record.File{Machine: machine, Rounds: 7, Cases: []*record.Case{
		{Name: "U1"}, {Name: "D1"}, {Name: "S1", Skipped: "no time"},
	}}
	all, err := choose("D1,U1,S1,S4", false)
	if err != nil {
		t.Fatal(err)
	}
	names := func(cases []testCase) (names []string) {
		for _, c := range cases {
			names = append(names, c.name)
		}
		return names
	}
	if got := names(missing(all, earlier, false)); !slices.Equal(got, []string{"S1", "S4"}) {
		t.Errorf("missing are %q", got)
	}
	if got := names(missing(all[:1], earlier, true)); !slices.Equal(got, names(all[:1])) {
		t.Errorf("asked for again are %q", got)
	}

	now := &record.File{Machine: machine, Rounds: 7}
	now.Machine.Revision = "new"
	if err := takeOver(earlier, now, missing(all, earlier, false)); err != nil {
		t.Fatal(err)
	}
	now.Cases = append(now.Cases, &record.Case{Name: "S1", Revision: "new"})
	sortCases(now)
	var got []string
	for _, c := range now.Cases {
		got = append(got, c.Name+" "+c.Revision)
	}
	if want := []string{"D1 old", "U1 old", "S1 new"}; !slices.Equal(got, want) {
		t.Errorf("cases are %q, want %q", got, want)
	}
	revisions, of := now.Revisions()
	if !slices.Equal(revisions, []string{"old", "new"}) || !slices.Equal(of["old"], []string{"D1", "U1"}) {
		t.Errorf("revisions are %q of %q", revisions, of)
	}

	for what, change := range map[string]func(*record.File){
		"kernel": func(f *record.File) { f.Machine.Kernel = "6.2" },
		"CPU":    func(f *record.File) { f.Machine.CPUs = 3 },
		"mode":   func(f *record.File) { f.Machine.Mode = "generic" },
		"rounds": func(f *record.File) { f.Rounds = 3 },
		"size":   func(f *record.File) { f.Quick = true },
	} {
		other := &record.File{Machine: machine, Rounds: 7}
		change(other)
		if err := takeOver(earlier, other, nil); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("another %s: %v", what, err)
		}
	}
}
