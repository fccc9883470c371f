package main

import "testing"

// Bytes that are not of UTF-8 are characters, each another one, as in the globs of
// URLs.
func TestPathGlobBytes(t *testing.T) {
	for _, tt := range []struct {
		glob, path string
		want       bool
	}{
		{"a\xe9", "a\xe9", true},
		{"a\xe9", "dir/a\xe9", true},
		{"a\xe9", "a\xe8", false},
		{"a\xe9", "a\ufffd", false},
		{"a\ufffd", "a\xe9", false},
		{"a\ufffd", "a\ufffd", true},
		{"a\u00e9", "a\u00e9", true},
		{"a\xe9", "a\u00e9", false},
		{"/\xff/**/x", "\xff/y/x", true},
		{"/\xff/**/x", "\xfe/y/x", false},
		{"a?b", "a\xe9b", true},
		{"a?b", "a\xe9\xe9b", false},
		{"a[\xe0-\xef]", "a\xe9", true},
		{"a[\xe0-\xef]", "a\xdf", false},
		{"a[!\xe9]", "a\xe9", false},
		{"*", "\x80\xff", true},
	} {
		g, err := parsePathGlob(tt.glob)
		if err != nil {
			t.Errorf("%q: %v", tt.glob, err)
			continue
		}
		if got := g.matches(tt.path, false); got != tt.want {
			t.Errorf("%q matches %q: %v", tt.glob, tt.path, got)
		}
	}
}
