package main

import "testing"

func TestByteRate(t *testing.T) {
	for in, want := range map[string]int64{
		"0": 0, "1": 1, "1500": 1500, "500k": 500e3, "500K": 500e3, "2.5M": 2.5e6, "2.5m": 2.5e6, "1G": 1e9, "1g": 1e9,
		"": -1, "-1": -1, "0.5": -1, "10Mbit": -1, "10 M": -1, "1T": -1, "5000G": -1, "k": -1, "1e3": -1,
	} {
		var r byteRate
		if err := r.Set(in); (err != nil) != (want < 0) || err == nil && int64(r) != want {
			t.Errorf("%q: %d, %v", in, r, err)
		}
		again := r
		if err := again.Set(r.String()); err != nil || again != r {
			t.Errorf("%q is shown as %q: %d, %v", in, &r, again, err)
		}
	}
}
