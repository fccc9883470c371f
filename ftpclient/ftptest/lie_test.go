package ftptest_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// The table is one that others can print and pick from.
func TestLies(t *testing.T) {
	name := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	seen := make(map[string]bool)
	for _, l := range ftptest.Lies() {
		if seen[l.Name] || !name.MatchString(l.Name) {
			t.Errorf("name %q is in use or not one", l.Name)
		}
		seen[l.Name] = true
		if l.Direction == "" || l.Truth == "" || l.Does == "" || strings.HasSuffix(l.Does, ".") || strings.Contains(l.Does, "|") {
			t.Errorf("%+v", l)
		}
		if found, ok := ftptest.LieByName(l.Name); !ok || found.Does != l.Does {
			t.Errorf("%s is found as %q", l.Name, found.Name)
		}
	}
	if _, ok := ftptest.LieByName("none"); ok {
		t.Error("found what there is not")
	}
}

// All processes agree about the bytes.
func TestLieContent(t *testing.T) {
	const want = "4fd37defc6faebb705d195dfbe60e3b977ebc6c32e1013148b08055a942081b5"
	if got := ftptest.LieHash(ftptest.LieContent()); got != want || len(ftptest.LieContent()) != 100_000 {
		t.Errorf("hash %s, want %s", got, want)
	}
}
