package main

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParseNetrc(t *testing.T) {
	tests := []struct {
		name, in string
		want     []netrcEntry
		line     int // of an error
	}{
		{name: "empty"},
		{name: "on one line", in: "machine h login u password p account a",
			want: []netrcEntry{{machine: "h", login: "u", password: "p", account: "a"}}},
		{name: "over lines, in any order", in: "machine h\r\n\tpassword p\r\n\n\tuser u\nport 2121",
			want: []netrcEntry{{machine: "h", login: "u", password: "p", port: 2121}}},
		{name: "several", in: "machine h login u machine h login v\ndefault login anonymous password me@here",
			want: []netrcEntry{{machine: "h", login: "u"}, {machine: "h", login: "v"}, {isDefault: true, login: "anonymous", password: "me@here"}}},
		{name: "comments", in: "# one\nmachine h # two machine x\n#login w\nlogin u password #p # three\n#",
			want: []netrcEntry{{machine: "h", login: "u", password: "#p"}}},
		{name: "quotes", in: `machine h login "a b" password "q\"\\\t#'é"`,
			want: []netrcEntry{{machine: "h", login: "a b", password: "q\"\\\t#'é"}}},
		{name: "quotes within", in: `machine h login a"b password p\q`,
			want: []netrcEntry{{machine: "h", login: `a"b`, password: `p\q`}}},
		{name: "an empty value", in: `machine h login u password ""`, want: []netrcEntry{{machine: "h", login: "u"}}},
		{name: "macros", in: "machine h login u\nmacdef init\nmachine x\nlogin y\n \n\r\npassword p\nmacdef last\nmachine z",
			want: []netrcEntry{{machine: "h", login: "u", password: "p"}}},
		{name: "ports", in: "machine a port ftps machine b port imap machine c port 70000 machine d port ftp",
			want: []netrcEntry{{machine: "a", port: 990}, {machine: "b", port: -1}, {machine: "c", port: -1}, {machine: "d", port: 21}}},
		{name: "keywords in capitals", in: "MACHINE H Login U", want: []netrcEntry{{machine: "H", login: "U"}}},
		{name: "a keyword as a value", in: "machine h login machine password login",
			want: []netrcEntry{{machine: "h", login: "machine", password: "login"}}},
		{name: "blanks in a value", in: "machine h\nlogin u password a b", line: 2},
		{name: "no value", in: "machine h\n\nlogin", line: 3},
		{name: "nobody", in: "login u", line: 1},
		{name: "half a quote", in: "machine h\npassword \"a\nb\"", line: 2},
		{name: "half a quote at the end", in: `machine "`, line: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseNetrc(tt.in)
			var wrong *netrcError
			if errors.As(err, &wrong) != (tt.line > 0) || wrong != nil && wrong.line != tt.line {
				t.Fatalf("error %v", err)
			}
			if tt.line == 0 && !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestFindLogin(t *testing.T) {
	entries, err := parseNetrc(`machine h port 2121 login special password 1
machine h login u password 2
machine h login v password 3
machine mail port imap login u password 4
machine nobody password 5
default login u password 6
default login ftp password 7`)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		host string
		port int
		user string
		want string // password
	}{
		{"h", 21, "", "2"},
		{"H", 990, "v", "3"},
		{"h", 2121, "", "1"},
		{"h", 2121, "u", "2"},
		{"h", 21, "special", ""},
		{"h", 21, "V", ""},
		{"h.", 21, "u", ""},
		{"xh", 21, "u", ""},
		{"mail", 21, "u", ""},
		{"nobody", 21, "u", ""},
		{"nobody", 21, "", "7"},
		{"other", 21, "", "7"},
		{"other", 21, "u", ""},
		{"other", 21, "ftp", ""},
		{"", 21, "u", ""},
	}
	for _, tt := range tests {
		if e, ok := findLogin(entries, tt.host, tt.port, tt.user); e.password != tt.want || ok != (tt.want != "") {
			t.Errorf("%s at %s:%d: password %q, want %q", tt.user, tt.host, tt.port, e.password, tt.want)
		}
	}
}

// Whatever a file says, nothing that stands for one login is taken for another,
// and an entry that is written out is read back.
func FuzzNetrc(f *testing.F) {
	f.Add("machine h login u password p\nmacdef x\na\n\nmachine i port 21 login v # c\n")
	f.Add("default login anonymous password \"a\\\" b\"\n")
	f.Add("machine \"\" login \"\\n\" account a\r\n#")
	f.Fuzz(func(t *testing.T, in string) {
		entries, err := parseNetrc(in)
		if err != nil {
			var wrong *netrcError
			if !errors.As(err, &wrong) || wrong.line < 1 || wrong.line > 1+strings.Count(in, "\n") {
				t.Fatalf("%q: %v", in, err)
			}
			return
		}
		for _, e := range entries {
			if e.isDefault != (e.machine == "") && e.isDefault {
				t.Errorf("%q: a default entry for %q", in, e.machine)
			}
			for _, user := range []string{"", "u", e.login} {
				found, ok := findLogin(entries, "h", 21, user)
				if !ok {
					continue
				}
				bound := strings.EqualFold(found.machine, "h") && (found.port == 0 || found.port == 21)
				if user != "" && found.login != user || !bound && (!found.isDefault || user != "" || !isAnonymous(found.login)) {
					t.Errorf("%q: %q at h is %+v", in, user, found)
				}
			}
		}
		var b strings.Builder
		quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`)
		for _, e := range entries {
			if e.isDefault {
				b.WriteString("default")
			} else {
				b.WriteString(`machine "` + quote.Replace(e.machine) + `"`)
			}
			switch e.port {
			case 0:
			case 21:
				b.WriteString(" port ftp")
			default:
				b.WriteString(" port x")
			}
			b.WriteString(` login "` + quote.Replace(e.login) + `" password "` + quote.Replace(e.password) + `" account "` + quote.Replace(e.account) + "\"\n")
		}
		again, err := parseNetrc(b.String())
		for i := range entries {
			if p := &entries[i].port; *p != 0 && *p != 21 {
				*p = -1
			}
		}
		if err != nil || !reflect.DeepEqual(again, entries) {
			t.Errorf("%q is written as %q: %+v, %v", in, b.String(), again, err)
		}
	})
}
