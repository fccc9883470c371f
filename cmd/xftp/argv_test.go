package main

import "testing"

func TestPasswordIn(t *testing.T) {
	for arg, want := range map[string]string{
		"ftp://u:p@h/x":              "p",
		"ftp://u:a:b@c@h/x":          "a:b@c",
		"ftp://u:a/b@h/x":            "a/b",
		"--netrc-file=ftp://u:pw@h/": "pw",
		"u:pw@h/x":                   "pw",
		"ftp://u:@h/":                "",
		"ftp://u@h/":                 "",
		"ftp://h/a:b@c":              "",
		"file":                       "",
		"":                           "",
	} {
		from, to := passwordIn(arg)
		if got := arg[from:to]; got != want {
			t.Errorf("%q: %q, want %q", arg, got, want)
		}
	}
}
