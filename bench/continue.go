package main

import (
	"fmt"
	"slices"

	"github.com/seed-54eb6215/xftp/bench/record"
)

// missing returns those of the chosen cases that an earlier file has no
// measurement of. Cases that were asked for by name are measured again.
func missing(chosen []testCase, earlier *record.File, named bool) []testCase {
	return slices.DeleteFunc(slices.Clone(chosen), func(c testCase) bool {
		rc := earlier.Case(c.name)
		return !named && rc != nil && rc.Skipped == ""
	})
}

// takeOver continues an earlier file: it gets the cases that are there and are not
// to be measured now. What is measured now must be comparable with them; that the
// program is another one is written down beside each case.
func takeOver(earlier, now *record.File, again []testCase) error {
	a, b := earlier.Machine, now.Machine
	for _, f := range []struct{ what, then, now string }{
		{"kernel", a.Kernel, b.Kernel},
		{"CPU", fmt.Sprint(a.CPUs, " ", a.CPU), fmt.Sprint(b.CPUs, " ", b.CPU)},
		{"driver", a.Driver, b.Driver},
		{"mode", a.Mode, b.Mode},
		{"congestion control", a.Congestion, b.Congestion},
		{"rounds", fmt.Sprint(earlier.Rounds), fmt.Sprint(now.Rounds)},
		{"size", fmt.Sprint("quick ", earlier.Quick), fmt.Sprint("quick ", now.Quick)},
	} {
		if f.then != f.now {
			return fmt.Errorf("-continue: %s was %s and is %s", f.what, f.then, f.now)
		}
	}
	for _, rc := range earlier.Cases {
		if !slices.ContainsFunc(again, func(c testCase) bool { return c.name == rc.Name }) {
			if rc.Revision == "" && rc.Skipped == "" {
				rc.Revision = a.Revision
			}
			now.Cases = append(now.Cases, rc)
		}
	}
	now.Started = earlier.Started
	return nil
}

// sortCases puts cases into the order of the table.
func sortCases(f *record.File) {
	place := func(name string) int {
		return slices.IndexFunc(cases, func(c testCase) bool { return c.name == name })
	}
	slices.SortStableFunc(f.Cases, func(a, b *record.Case) int { return place(a.Name) - place(b.Name) })
}
