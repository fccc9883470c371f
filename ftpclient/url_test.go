package ftpclient_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

func TestParseURL(t *testing.T) {
	const i, a = ftpclient.Binary, ftpclient.ASCII
	tests := []struct {
		in       string
		want     ftpclient.URL
		redacted string // if not in
	}{
		{in: "ftp://h/", want: ftpclient.URL{Scheme: "ftp", Host: "h", Port: 21, Type: i}},
		{in: "FTP://h", want: ftpclient.URL{Scheme: "ftp", Host: "h", Port: 21, Type: i}, redacted: "ftp://h/"},
		{in: "ftp://h:/x", want: ftpclient.URL{Scheme: "ftp", Host: "h", Port: 21, Path: "x", Type: i}, redacted: "ftp://h/x"},
		{in: "ftp://h:2121/a/b", want: ftpclient.URL{Scheme: "ftp", Host: "h", Port: 2121, Path: "a/b", Type: i}},
		{in: "ftp://h/%2Fetc/x", want: ftpclient.URL{Scheme: "ftp", Host: "h", Port: 21, Path: "/etc/x", Type: i}},
		{in: "ftp://h//etc", want: ftpclient.URL{Scheme: "ftp", Host: "h", Port: 21, Path: "/etc", Type: i}, redacted: "ftp://h/%2Fetc"},
		{in: "ftp://h/d/", want: ftpclient.URL{Scheme: "ftp", Host: "h", Port: 21, Path: "d/", Type: i}},
		{in: "ftp://h/a%20b%3Fc%23d%25", want: ftpclient.URL{Scheme: "ftp", Host: "h", Port: 21, Path: "a b?c#d%", Type: i}},
		{in: "ftp://h/a?b=c", want: ftpclient.URL{Scheme: "ftp", Host: "h", Port: 21, Path: "a?b=c", Type: i}, redacted: "ftp://h/a%3Fb=c"},
		{in: "ftp://h/x;type=a", want: ftpclient.URL{Scheme: "ftp", Host: "h", Port: 21, Path: "x", Type: a}},
		{in: "ftp://h/x;TYPE=I", want: ftpclient.URL{Scheme: "ftp", Host: "h", Port: 21, Path: "x", Type: i}, redacted: "ftp://h/x"},
		{in: "ftp://h/x%3Btype=a", want: ftpclient.URL{Scheme: "ftp", Host: "h", Port: 21, Path: "x;type=a", Type: i}},
		{in: "ftp://h/%FF%C3%A4", want: ftpclient.URL{Scheme: "ftp", Host: "h", Port: 21, Path: "\xffä", Type: i}},
		{in: "ftp://u@h/", want: ftpclient.URL{Scheme: "ftp", User: "u", Host: "h", Port: 21, Type: i}},
		{in: "ftp://u:p@h/", want: ftpclient.URL{Scheme: "ftp", User: "u", Password: "p", Host: "h", Port: 21, Type: i}, redacted: "ftp://u:xxxxx@h/"},
		{
			in:       "ftp://a@b:c:d@e%40%2F@h:7/",
			want:     ftpclient.URL{Scheme: "ftp", User: "a@b", Password: "c:d@e@/", Host: "h", Port: 7, Type: i},
			redacted: "ftp://a%40b:xxxxx@h:7/",
		},
		{in: "ftp://192.0.2.1/", want: ftpclient.URL{Scheme: "ftp", Host: "192.0.2.1", Port: 21, Type: i}},
		{in: "ftp://[2001:db8::1]/", want: ftpclient.URL{Scheme: "ftp", Host: "2001:db8::1", Port: 21, Type: i}},
		{in: "ftp://[2001:db8::1]:2121/", want: ftpclient.URL{Scheme: "ftp", Host: "2001:db8::1", Port: 2121, Type: i}},
		{in: "ftp://[fe80::1%25eth0]/", want: ftpclient.URL{Scheme: "ftp", Host: "fe80::1%eth0", Port: 21, Type: i}},
		{in: "ftp://[fe80::1%eth0]/", want: ftpclient.URL{Scheme: "ftp", Host: "fe80::1%eth0", Port: 21, Type: i}, redacted: "ftp://[fe80::1%25eth0]/"},
		{in: "ftps://h/x", want: ftpclient.URL{Scheme: "ftps", Host: "h", Port: 990, Path: "x", Type: i}},
		{in: "ftps://h:990/x", want: ftpclient.URL{Scheme: "ftps", Host: "h", Port: 990, Path: "x", Type: i}, redacted: "ftps://h/x"},
		{in: "ftps://h:21/x", want: ftpclient.URL{Scheme: "ftps", Host: "h", Port: 21, Path: "x", Type: i}},
		{in: "FTPES://h/x", want: ftpclient.URL{Scheme: "ftpes", Host: "h", Port: 21, Path: "x", Type: i}, redacted: "ftpes://h/x"},
		{in: "ftpes://h:990/x", want: ftpclient.URL{Scheme: "ftpes", Host: "h", Port: 990, Path: "x", Type: i}},
	}
	for _, tt := range tests {
		u, err := ftpclient.ParseURL(tt.in)
		if err != nil || *u != tt.want {
			t.Errorf("%s: %+v, %v; want %+v", tt.in, u, err, tt.want)
			continue
		}
		if tt.redacted == "" {
			tt.redacted = tt.in
		}
		if got := u.String(); got != tt.redacted {
			t.Errorf("%s: shown as %s, want %s", tt.in, got, tt.redacted)
		}
	}
}

func TestParseURLErrors(t *testing.T) {
	for _, in := range []string{
		"", "h", "//h/", "http://h/", "ftp:h", "ftp:///x", "ftp://u:secret@/x", "ftp://h:0/", "ftp://h:65536/", "ftp://h:x/",
		"ftp://h:-1/", "ftp://h:+1/", "ftp://h/%zz", "ftp://u:secret%zz@h/", "ftp://u:secret%0a@h/", "ftp://h/%0D%0ADELE%20x",
		"ftp://h/a\nb", "ftp://h/%00", "ftp://h/x#y", "ftp://h/x;type=z", "ftp://[::1/", "ftp://[::1]x/", "ftp://[h]/", "ftp://::1/",
		"ftp://:secret@h/", "ftp://h h/", "ftp://h%0a/",
	} {
		u, err := ftpclient.ParseURL(in)
		var bad *ftpclient.URLError
		if !errors.As(err, &bad) || errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%q: %+v, %v", in, u, err)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error shows the password: %v", in, err)
		}
	}
	for _, in := range []string{"ftp://u:secret@h/x;type=d", "ftps://u:secret@h/x;type=d"} {
		_, err := ftpclient.ParseURL(in)
		if !errors.Is(err, errors.ErrUnsupported) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", in, err)
		}
	}
}
