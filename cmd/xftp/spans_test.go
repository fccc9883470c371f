package main

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
)

func TestSpans(t *testing.T) {
	const size = 200
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		var all spans
		there := make([]bool, size)
		for range random.IntN(20) {
			from := random.Int64N(size)
			to := from + random.Int64N(size-from+1)
			all = all.add(span{from, to})
			for i := from; i < to; i++ {
				there[i] = true
			}
		}
		cut := random.Int64N(size + 1)
		check(t, all, func(i int64) bool { return there[i] }, size)
		check(t, all.missing(size), func(i int64) bool { return !there[i] }, size)
		check(t, all.missing(size).missing(size), func(i int64) bool { return there[i] }, size)
		check(t, all.within(cut), func(i int64) bool { return there[i] && i < cut }, size)
		first, bytes := int64(0), int64(0)
		for first < size && there[first] {
			first++
		}
		for _, is := range there {
			if is {
				bytes++
			}
		}
		if all.first() != first || all.bytes() != bytes {
			t.Fatalf("%v: first %d, want %d; bytes %d, want %d", all, all.first(), first, all.bytes(), bytes)
		}
	}
}

// check compares spans with what should be in them, and that they are in order
// with gaps between them.
func check(t *testing.T, all spans, want func(int64) bool, size int64) {
	t.Helper()
	got := make([]bool, size)
	for i, s := range all {
		if s.From >= s.To || i > 0 && all[i-1].To >= s.From {
			t.Fatalf("%v: not in order", all)
		}
		for at := s.From; at < s.To; at++ {
			got[at] = true
		}
	}
	for i := range size {
		if got[i] != want(i) {
			t.Fatalf("%v: byte %d: %v", all, i, got[i])
		}
	}
}

// A state of one stream says nothing of spans, and one of segments that holds
// nothing yet does: its length is not what has come.
func TestPartStateJSON(t *testing.T) {
	for _, tt := range []struct {
		done spans
		want string
	}{
		{nil, `{"url":"u","size":9}`},
		{spans{}, `{"url":"u","size":9,"done":[]}`},
		{spans{{0, 3}, {5, 9}}, `{"url":"u","size":9,"done":[[0,3],[5,9]]}`},
	} {
		state := partState{URL: "u", Size: 9, Done: tt.done}
		text, err := json.Marshal(state)
		if err != nil || string(text) != tt.want {
			t.Errorf("%s (%v), want %s", text, err, tt.want)
		}
		var back partState
		if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, state) {
			t.Errorf("%s is read as %+v (%v)", text, back, err)
		}
	}
	for _, wrong := range []string{`{"done":[[3,3]]}`, `{"done":[[-1,3]]}`, `{"done":[[4,3]]}`, `{"done":[3]}`} {
		if err := json.Unmarshal([]byte(wrong), new(partState)); err == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}

func TestSegmentsFor(t *testing.T) {
	for _, tt := range []struct {
		wanted int
		size   int64
		want   int
	}{
		{1, 1 << 40, 1}, {4, 1 << 40, 4}, {4, 3 << 20, 3}, {4, 100, 1}, {4, -1, 1}, {4, 0, 1},
		{0, -1, 1}, {0, 4<<20 - 1, 1}, {0, 4 << 20, 0}, {0, 1 << 40, 0},
	} {
		if got := segmentsFor(tt.wanted, tt.size); got != tt.want {
			t.Errorf("segmentsFor(%d, %d) = %d, want %d", tt.wanted, tt.size, got, tt.want)
		}
	}
}
