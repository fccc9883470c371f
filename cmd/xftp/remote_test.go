package main

import (
	"strings"
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

func TestParseRemote(t *testing.T) {
	tests := []struct {
		url       string
		path      string
		localName string // "" = an error
		shown     string // "" = as the URL
		kind      ftpclient.Type
	}{
		{"ftp://h/file", "file", "file", "", ftpclient.Binary},
		{"FTP://h/dir/file", "dir/file", "file", "", ftpclient.Binary},
		{"ftp://h/%2Fetc/motd", "/etc/motd", "motd", "", ftpclient.Binary},
		{"ftp://h/%2Fetc", "/etc", "etc", "", ftpclient.Binary},
		{"ftp://h", "", "", "", ftpclient.Binary},
		{"ftp://h/dir/", "dir/", "", "", ftpclient.Binary},
		{"ftp://h/a%2Fb", "a/b", "b", "", ftpclient.Binary},
		{"ftp://h/..", "..", "", "", ftpclient.Binary},
		{"ftp://h/x/%2E%2e", "x/..", "", "", ftpclient.Binary},
		{"ftp://h/a%20b?c", "a b?c", "a b?c", "", ftpclient.Binary},
		{"ftp://h/a;b", "a;b", "a;b", "", ftpclient.Binary},
		{"ftp://h/a;type=a", "a", "a", "", ftpclient.ASCII},
		{"ftp://h/a;TYPE=I", "a", "a", "", ftpclient.Binary},
		{"ftp://u:p%40w@[fd99::2]:2121/f", "f", "f", "ftp://u:***@[fd99::2]:2121/f", ftpclient.Binary},
		{"ftps://u:p@h/f", "f", "f", "ftps://u:***@h/f", ftpclient.Binary},
		{"FTPES://u:p@h/f;type=a", "f", "f", "FTPES://u:***@h/f;type=a", ftpclient.ASCII},
		{"ftp://u@h/f@g:h", "f@g:h", "f@g:h", "", ftpclient.Binary},
	}
	for _, tt := range tests {
		r, err := parseRemote(tt.url)
		if err != nil {
			t.Errorf("%s: %v", tt.url, err)
			continue
		}
		if tt.shown == "" {
			tt.shown = tt.url
		}
		name, err := r.localName()
		if r.Path != tt.path || name != tt.localName || (err != nil) != (tt.localName == "") || r.String() != tt.shown || r.Type != tt.kind {
			t.Errorf("%s: path %q, local name %q (%v), shown %q, type %c", tt.url, r.Path, name, err, r, r.Type)
		}
	}
}

func TestRedactURL(t *testing.T) {
	for _, url := range []string{
		"ftp://u:s3cret@h/x", "ftp://u:s3cret@h", "ftp://u:s3cret:s3cret@h:21/x", "ftp://u:s3@cret@h/",
		"ftp://u:s3/cret@h/x", "ftp://u:s3cret/s3cret@h/x", "ftp://:s3cret@h/x", "ftp://u:s3cret@h/x@y", "ftp://u:%zzs3cret@h/",
		"ftps://u:s3cret@h/x", "ftpes://u:s3/cret@h/x", "FTPES://u:s3cret@h:990/x",
		"u:s3cret@h/x", "u:s3/cret@h", "u:s3@cret@h/x", "ftp:/u:s3cret@h/x", "u:s3://cret@h/x", "u@x:s3cret://s3@h/x",
	} {
		if got := redactURL(url); strings.Contains(got, "s3") || strings.Contains(got, "cret") || !strings.Contains(got, ":***@h") {
			t.Errorf("redactURL(%q) = %q", url, got)
		}
	}
	for _, url := range []string{"ftp://h/x", "ftp://u@h/x:y@z", "file", "u@h/x", "h:21/x", "ftp://[::1]:21/x"} {
		if got := redactURL(url); got != url {
			t.Errorf("redactURL(%q) = %q", url, got)
		}
	}
}

func TestRemoteParts(t *testing.T) {
	for path, want := range map[string][2]string{"f": {"", "f"}, "d/f": {"d/", "f"}, "/f": {"/", "f"}, "/d/e/": {"/d/e/", ""}, "": {"", ""}} {
		r := remote{URL: &ftpclient.URL{Path: path}}
		if got := [2]string{r.dir(), r.base()}; got != want {
			t.Errorf("parts of %q are %q, want %q", path, got, want)
		}
	}
	for url, want := range map[string]string{"ftp://u:pw@h:21/d/f": "ftp://h:21/d/f", "ftp://h/f@g": "ftp://h/f@g", "ftp://u@h": "ftp://h/", "ftpes://u:pw@h/f": "ftpes://h/f"} {
		r, err := parseRemote(url)
		if err != nil || r.source() != want {
			t.Errorf("source of %s is %s, want %s (%v)", url, r.source(), want, err)
		}
	}
	r, err := parseRemote("ftp://u:pw@h")
	if joined := r.join("a b"); err != nil || joined.Path != "a b" || joined.String() != "ftp://u:***@h/a%20b" || r.Path != "" {
		t.Errorf("joined: %q, %s (%v)", joined.Path, joined, err)
	}
}

func TestRemoteJoin(t *testing.T) {
	for _, tt := range []struct{ url, path, want, wantPath string }{
		{"ftp://h", "a", "ftp://h/a", "a"},
		{"ftp://h/", "a/b c", "ftp://h/a/b%20c", "a/b c"},
		{"ftp://h/d", "a%", "ftp://h/d/a%25", "d/a%"},
		{"ftp://h/d/", "a;type=x", "ftp://h/d/a%3Btype=x", "d/a;type=x"},
		{"ftp://h/d/;type=a", "x", "ftp://h/d/x;type=a", "d/x"},
		{"ftp://h/%2F", "x", "ftp://h/%2Fx", "/x"},
		{"ftp://u:secret@h/%2Fetc", "x#y", "ftp://u:***@h/%2Fetc/x%23y", "/etc/x#y"},
	} {
		r, err := parseRemote(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		got := r.join(tt.path)
		if got.String() != tt.want || got.Path != tt.wantPath {
			t.Errorf("%s join %s: %s with path %q, want %s with %q", tt.url, tt.path, got, got.Path, tt.want, tt.wantPath)
		}
		if tt.url == "ftp://u:secret@h/%2Fetc" {
			continue // the password is not in what is shown
		}
		// What is shown leads to the same file.
		back, err := parseRemote(got.String())
		if err != nil || back.Path != got.Path || back.Type != got.Type {
			t.Errorf("%s is read as %q (%v), want %q", got, back.Path, err, got.Path)
		}
	}
}
