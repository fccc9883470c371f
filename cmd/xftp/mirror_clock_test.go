package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A server that has LIST alone prints the clock of its own zone, to the minute, or
// the day of what is old. Files get their times to the second all the same, in summer
// and in winter, and a second run moves nothing, whichever the zone here.
func TestMirrorClocks(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	ages := []time.Duration{11 * time.Minute, 3 * time.Hour, 26 * time.Hour}
	for weeks := range 60 { // a year and more: lists tell minutes, and then days
		ages = append(ages, time.Duration(weeks)*(7*24*time.Hour+61*time.Minute+13*time.Second)+time.Hour)
	}
	makeAged := func(root string) {
		var paths []string
		for i := range ages {
			paths = append(paths, fmt.Sprintf("d/%03d", i))
		}
		makeFiles(t, root, paths...)
		for i, age := range ages {
			when := now.Add(-age)
			if err := os.Chtimes(filepath.Join(root, paths[i]), when, when); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, name := range []string{"UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Kiritimati"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, up := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, up %v", name, up), func(t *testing.T) {
				t.Parallel()
				root, local := t.TempDir(), t.TempDir()
				s := &listServer{root: root, zone: zone, now: now}
				source, destination, args := root, local, []string{s.start(t), local}
				if up {
					source, destination, args = local, root, []string{local, args[0]}
				}
				makeAged(source)
				code, _, stderr := runMirror(t, args...)
				if code != 0 {
					t.Fatalf("exit code %d\n%s", code, stderr)
				}
				if err := sameTimes(destination, source); err != nil {
					t.Fatal(err)
				}
				before, err := inodes(root, local)
				if err != nil {
					t.Fatal(err)
				}
				s.sent()
				code, _, stderr = runMirror(t, args...)
				sent := s.sent("RETR", "STOR", "MDTM")
				after, err := inodes(root, local)
				if code != 0 || err != nil || !maps.Equal(before, after) || sent["RETR"]+sent["STOR"] > 0 {
					t.Errorf("the second run: exit code %d, sent %v, %v\n%s", code, sent, err, stderr)
				}
				if sent["MDTM"] > zoneSamples+4 && !up { // by where summer begins, the day may be another
					t.Errorf("%d times were asked for", sent["MDTM"])
				}

				// One file changes and keeps its size, its time goes on by a minute.
				changed := filepath.Join(source, "d", "007")
				when := now.Add(-ages[7] + time.Minute)
				if err := errors.Join(os.WriteFile(changed, []byte("700"), 0o644), os.Chtimes(changed, when, when)); err != nil {
					t.Fatal(err)
				}
				code, _, stderr = runMirror(t, args...)
				got, err := os.ReadFile(filepath.Join(destination, "d", "007"))
				if sent := s.sent("RETR", "STOR"); code != 0 || err != nil || string(got) != "700" || sent["RETR"]+sent["STOR"] != 1 {
					t.Errorf("after a change: exit code %d, %q, sent %v, %v\n%s", code, got, sent, err, stderr)
				}
			})
		}
	}
}
