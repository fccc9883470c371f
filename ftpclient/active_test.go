package ftpclient

import (
	"net/netip"
	"testing"
)

func TestFormatActive(t *testing.T) {
	v4, v6 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	// RFC 2428, Section 2, and RFC 959, Section 4.1.2.
	for got, want := range map[string]string{
		formatEPRT(v4, 6275): "|1|192.0.2.1|6275|",
		formatEPRT(v6, 5282): "|2|2001:db8::1|5282|",
		formatPORT(v4, 6275): "192,0,2,1,24,131",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestSameHost(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"fe80::1%eth0", "fe80::1", true},
		{"2001:db8::1", "2001:0db8:0::1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"pipe", "pipe", true},
		{"pipe", "192.0.2.2", false},
	} {
		if got := sameHost(tt.a, tt.b); got != tt.want {
			t.Errorf("%s, %s: %v", tt.a, tt.b, got)
		}
	}
}
