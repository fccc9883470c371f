package main

import (
	"slices"
	"testing"
)

func TestPackagesOf(t *testing.T) {
	for library, want := range map[string]string{
		"libcap.so.2":         "libcap2",
		"libssh2.so.1":        "libssh2-1",
		"libaria2.so.0":       "libaria2-0",
		"libhiredis.so.0.14":  "libhiredis0.14",
		"libcom_err.so.2":     "libcom-err2",
		"libssl.so.3":         "libssl3t64",
		"libpam.so.0":         "libpam0g",
		"libpcre2-posix.so.3": "libpcre2-posix3",
	} {
		if got := packagesOf(library); !slices.Contains(got, want) {
			t.Errorf("%s is in %q, want %s among them", library, got, want)
		}
	}
	for _, library := range []string{"libc.so", "", ".so.1"} {
		if got := packagesOf(library); got != nil {
			t.Errorf("%q is in %q, want nothing", library, got)
		}
	}
}
