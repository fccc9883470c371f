package main

import (
	"bytes"
	"errors"
	"os"
	"reflect"
	"testing"
)

// Of each piece that is there the end comes again; of the last one, behind which
// nothing is missing, the beginning.
func TestOverlaps(t *testing.T) {
	const n = overlapLength
	for _, tt := range []struct {
		held spans
		want spans
	}{
		{nil, nil},
		{spans{{0, 10}}, spans{{0, 10}}},
		{spans{{0, 3 * n}}, spans{{2 * n, 3 * n}}},
		{spans{{0, 9 * n}}, spans{{8 * n, 9 * n}}}, // all of it
		{spans{{4 * n, 9 * n}}, spans{{4 * n, 5 * n}}},
		{spans{{0, 2 * n}, {3 * n, 3*n + 5}, {6 * n, 9 * n}}, spans{{n, 2 * n}, {3 * n, 3*n + 5}, {6 * n, 7 * n}}},
	} {
		if got := tt.held.overlaps(9 * n); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("overlaps of %v: %v, want %v", tt.held, got, tt.want)
		}
	}
}

// What a part holds is compared, and never written; what it does not is written.
func TestOverlapping(t *testing.T) {
	const size = 100
	for changed := range size {
		f, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		want := bytes.Repeat([]byte("0123456789"), size/10)
		again := spans{{10, 20}, {50, 90}}
		held := func(i int) bool { return i >= 10 && i < 20 || i >= 50 && i < 90 }
		if _, err := f.Write(want); err != nil {
			t.Fatal(err)
		}
		comes := bytes.Clone(want)
		comes[changed] = 'x'
		o := &overlapping{part: &partFile{File: f}, again: again}
		for len(comes) > 0 && err == nil {
			n := min(7, len(comes))
			_, err = o.Write(comes[:n])
			comes = comes[n:]
		}
		got, readErr := os.ReadFile(f.Name())
		if !held(changed) {
			want[changed] = 'x'
		}
		if errors.Is(err, errOverlap) != held(changed) || readErr != nil || !bytes.Equal(got, want) {
			t.Errorf("byte %d differs: %v (%v), the part has %s", changed, err, readErr, got)
		}
	}
}
