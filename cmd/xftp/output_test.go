package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestBytesText(t *testing.T) {
	for n, want := range map[float64]string{
		0: "0 B", 999: "999 B", 1000: "1.00 kB", 99_400: "99.40 kB", 99_600: "100 kB", 999_400: "999 kB",
		999_600: "1.00 MB", 256e6: "256 MB", 1.25e9: "1.25 GB", 3e12: "3.00 TB",
	} {
		if got := bytesText(n); got != want {
			t.Errorf("bytesText(%v) = %q, want %q", n, got, want)
		}
	}
}

func TestShellQuote(t *testing.T) {
	for in, want := range map[string]string{
		"ftp://h/x": "ftp://h/x", "": "''", "a b": "'a b'", "it's": `'it'\''s'`, "$x;&": "'$x;&'", "ftp://u:***@h/": "'ftp://u:***@h/'",
	} {
		if got := shellQuote(in); got != want {
			t.Errorf("shellQuote(%q) = %q, want %q", in, got, want)
		}
	}
}

// A password is not printed, not even if an error or a server repeats it.
func TestOutputHides(t *testing.T) {
	var stdout, stderr bytes.Buffer
	o := &output{stdout: &stdout, stderr: &stderr, json: true, verbose: true}
	o.hide("s3cret")
	o.fail("get", "ftp://u:***@h/", errors.New("530 s3cret is wrong"), "")
	o.note("s3cret")
	o.trace("< 530 s3cret is wrong")
	o.finished(transfer{Error: &transferError{530, "s3cret is wrong"}}, false)
	all := stdout.String() + stderr.String()
	if strings.Contains(all, "s3cret") || strings.Count(all, "***") != 5 {
		t.Errorf("printed:\n%s", all)
	}
}
