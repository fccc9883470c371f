package main

import (
	"slices"
	"testing"
)

// No more files come at a time than there may, each site has some, and no
// connection is without a file that could have one.
func TestShares(t *testing.T) {
	for _, tt := range []struct {
		sizes    []int
		parallel int
		want     []int
	}{
		{nil, 4, []int{}},
		{[]int{5}, 1, []int{1}},
		{[]int{5}, 4, []int{4}},
		{[]int{1, 1}, 1, []int{1, 1}}, // one site after the other
		{[]int{1, 1}, 2, []int{1, 1}},
		{[]int{1, 99}, 4, []int{1, 3}},
		{[]int{50, 50}, 5, []int{3, 2}},
		{[]int{10, 20, 30}, 6, []int{1, 2, 3}},
	} {
		sites := make([][]*fileGet, len(tt.sizes))
		for i, n := range tt.sizes {
			sites[i] = make([]*fileGet, n)
		}
		if got := shares(sites, tt.parallel); !slices.Equal(got, tt.want) {
			t.Errorf("shares(%v, %d) = %v, want %v", tt.sizes, tt.parallel, got, tt.want)
		}
	}
}
