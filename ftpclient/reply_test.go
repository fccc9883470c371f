package ftpclient

import (
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"
)

func TestReadReply(t *testing.T) {
	tests := []struct {
		in    string
		code  int
		lines []string
		rest  string // text of the next reply
	}{
		{in: "200 ok\r\n", code: 200, lines: []string{"ok"}},
		{in: "200 ok\n", code: 200, lines: []string{"ok"}},
		{in: "200\r\n", code: 200, lines: []string{""}},
		{in: "200 \r\n", code: 200, lines: []string{""}},
		{in: "200 a\rb\r\n", code: 200, lines: []string{"a\rb"}},
		{in: "200 a\x00b\r\n", code: 200, lines: []string{"ab"}},
		// RFC 959, Section 4.2, with its example.
		{
			in:    "123-First line\r\nSecond line\r\n  234 A line beginning with numbers\r\n123 The last line\r\n",
			code:  123,
			lines: []string{"First line", "Second line", "  234 A line beginning with numbers", "The last line"},
		},
		{in: "200-a\r\n201 b\r\n200 c\r\n", code: 200, lines: []string{"a", "201 b", "c"}},
		{in: "200-a\r\n200\r\n226 x\r\n", code: 200, lines: []string{"a", ""}, rest: "x"},
		{in: "211-a\r\n211-b\r\n\r\n211 c\r\n", code: 211, lines: []string{"a", "b", "", "c"}},
		{in: "211-a\r\n2110 b\r\n211b\r\n211 c\r\n", code: 211, lines: []string{"a", "2110 b", "211b", "c"}},
	}
	for _, tt := range tests {
		for name, wrap := range map[string]func(io.Reader) io.Reader{
			"whole":        func(r io.Reader) io.Reader { return r },
			"byte by byte": iotest.OneByteReader,
			"with EOF":     iotest.DataErrReader,
		} {
			var count atomic.Int64
			rr := newReplyReader(wrap(strings.NewReader(tt.in)), &count)
			reply, err := rr.read()
			if err != nil || reply.Code != tt.code || !slices.Equal(reply.Lines, tt.lines) {
				t.Errorf("%q %s: %+v, %v", tt.in, name, reply, err)
			}
			if n := int(count.Load()); n != len(tt.lines) {
				t.Errorf("%q %s: %d lines counted", tt.in, name, n)
			}
			reply, err = rr.read()
			if tt.rest == "" && err != io.EOF || tt.rest != "" && reply.Text() != tt.rest {
				t.Errorf("%q %s: then %+v, %v", tt.in, name, reply, err)
			}
		}
	}
}

func TestReadReplyErrors(t *testing.T) {
	var protocol *ProtocolError
	for _, in := range []string{
		"\r\n", "ok\r\n", "20 ok\r\n", "2000 ok\r\n", "+20 ok\r\n", "200ok\r\n", "600 ok\r\n", "099 ok\r\n", " 200 ok\r\n",
		"200 " + strings.Repeat("x", maxReplyLine) + "\r\n",
		"200-" + strings.Repeat("\n", maxReplyLines+1),
		"200-\n" + strings.Repeat(strings.Repeat("x", 1023)+"\n", 1100),
	} {
		if reply, err := newReplyReader(strings.NewReader(in), new(atomic.Int64)).read(); !errors.As(err, &protocol) || len(protocol.Line) > 200 {
			t.Errorf("%.20q: %.50v, %v", in, reply, err)
		}
	}
	for _, in := range []string{"2", "200 ok", "200-a\r\n", "200-a\r\n200 b"} {
		if reply, err := newReplyReader(strings.NewReader(in), new(atomic.Int64)).read(); err != io.ErrUnexpectedEOF {
			t.Errorf("%q: %+v, %v", in, reply, err)
		}
	}
}

func TestParsePASV(t *testing.T) {
	for text, want := range map[string]int{
		"Entering Passive Mode (127,0,0,1,4,5).":  1029,
		"Entering Passive Mode 127,0,0,1,4,5":     1029, // RFC 1123
		"Entering Passive Mode, =127,0,0,1,255,1": 65281,
		"Passive (1) mode 1,2,3,4,0,21 now":       21,
		"line\n(1,2,3,4,0,21)":                    21,
		"(127,0,0,1,0,0)":                         0,
		"(127,0,0,1,4)":                           0,
		"(127,0,0,1,4,5,6)":                       0,
		"(127,0,0,1,256,5)":                       0,
		"(127,0,0,1,-4,5)":                        0,
		"(127,0,0,1,+4,5)":                        0,
		"(127, 0, 0, 1, 4, 5)":                    0,
		"(127,0,0,1,0004,5)":                      0,
		"(127,0,0,,4,5)":                          0,
		") (":                                     0,
		"":                                        0,
		"(١,٢,٣,٤,٥,٦)":                           0,
	} {
		port, err := parsePASV(Reply{Code: 227, Lines: strings.Split(text, "\n")})
		if port != want || (err == nil) != (want != 0) {
			t.Errorf("%q: port %d, %v; want %d", text, port, err, want)
		}
	}
	if _, err := parsePASV(Reply{Code: 200, Lines: []string{"1,2,3,4,5,6"}}); err == nil {
		t.Error("a port was found in a reply with the wrong code")
	}
}

func TestParseEPSV(t *testing.T) {
	for text, want := range map[string]int{
		"Entering Extended Passive Mode (|||6446|)": 6446,
		"(!!!65535!)":          65535,
		"(|||1|) and more":     1,
		"(|||0|)":              0,
		"(|||65536|)":          0,
		"(|||99999999999|)":    0,
		"(||| 1|)":             0,
		"(|||+1|)":             0,
		"(|||-1|)":             0,
		"(|||1|":               0,
		"(|||1)":               0,
		"(||1|)":               0,
		"(||||)":               0,
		"(|1|10.0.0.1|21|)":    0,
		"(1112121)":            0,
		"(   21 )":             0,
		"(|!|21|)":             0,
		"|||21|":               0,
		"(":                    0,
		"":                     0,
		"(\x80\x80\x8021\x80)": 0,
	} {
		port, err := parseEPSV(Reply{Code: 229, Lines: []string{text}})
		if port != want || (err == nil) != (want != 0) {
			t.Errorf("%q: port %d, %v; want %d", text, port, err, want)
		}
	}
}

func TestParseTime(t *testing.T) {
	for text, want := range map[string]string{
		"20260102030405":               "2026-01-02T03:04:05Z",
		"20260102030405.6":             "2026-01-02T03:04:05.6Z",
		"20260102030405.1234567890123": "2026-01-02T03:04:05.123456789Z",
		"20161231235960":               "2017-01-01T00:00:00Z",
		"20240229000000":               "2024-02-29T00:00:00Z",
		"191000102030405":              "2000-01-02T03:04:05Z",
		"20230229000000":               "",
		"20261302030405":               "",
		"2026010203040":                "",
		"202601020304056":              "",
		"20260102030405.x":             "",
		"2026010203040x":               "",
		"":                             "",
	} {
		got, ok := parseTime(text)
		if ok != (want != "") || ok && got.Format(time.RFC3339Nano) != want {
			t.Errorf("%q: %v, %v; want %q", text, got, ok, want)
		}
	}
}
