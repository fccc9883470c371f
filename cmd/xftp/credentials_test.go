package main

import (
	"os"
	"path/filepath"
	"testing"
)

// Through sudo, the usual netrc file is the caller's and not root's.
func TestNetrcOfCaller(t *testing.T) {
	own, roots := t.TempDir(), t.TempDir()
	for dir, user := range map[string]string{own: "caller", roots: "root"} {
		if err := os.WriteFile(filepath.Join(dir, ".netrc"), []byte("machine h login "+user+" password pw-of-"+user), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("HOME", roots)
	t.Setenv("NETRC", "")
	for _, tt := range []struct {
		who  *caller
		want string
	}{{nil, "root"}, {&caller{home: own}, "caller"}, {&caller{}, ""}} {
		r, err := parseRemote("ftp://h/")
		if err != nil {
			t.Fatal(err)
		}
		remotes := []remote{r}
		c := credentials{who: tt.who, out: newOutput()}
		if err := c.find(remotes); err != nil || remotes[0].User != tt.want {
			t.Errorf("%+v: user %q, %v", tt.who, remotes[0].User, err)
		}
		if hidden := c.out.scrub("a pw-of-" + tt.want); tt.want != "" && hidden != "a ***" {
			t.Errorf("%+v: %q would be printed", tt.who, hidden)
		}
	}
}
