package main

import (
	"strings"
	"testing"
)

// A pin has the form of curl's, and may be given several times.
func TestKeyPins(t *testing.T) {
	const a, b = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "sha256//AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	for _, tt := range []struct {
		set  []string
		want string // "" = an error
	}{
		{[]string{a}, a},
		{[]string{a + ";" + b}, a + ";" + b},
		{[]string{a, b, a}, a + ";" + b},
		{[]string{a + "; " + b}, a + ";" + b},
		{[]string{""}, ""},
		{[]string{a + ";"}, ""},
		{[]string{strings.TrimPrefix(a, pinPrefix)}, ""},
		{[]string{"sha256//AAAA"}, ""},
		{[]string{"md5//" + strings.TrimPrefix(a, pinPrefix)}, ""},
	} {
		var pins keyPins
		var err error
		for _, s := range tt.set {
			if err = pins.Set(s); err != nil {
				break
			}
		}
		if (err != nil) != (tt.want == "") || err == nil && pins.String() != tt.want {
			t.Errorf("%q: %s (%v), want %q", tt.set, &pins, err, tt.want)
		}
	}
}
