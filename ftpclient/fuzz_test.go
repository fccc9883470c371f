package ftpclient

import (
	"encoding/hex"
	"errors"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"
)

func fuzzedReply(code int, text string) Reply {
	return Reply{Code: code, Lines: strings.Split(text, "\n")}
}

// Whatever a server sends, it is read the same in any pieces, and within the
// limits.
func FuzzReply(f *testing.F) {
	f.Add([]byte("220-a\r\n220 b\r\n421 c\n"))
	f.Add([]byte("211-x\r\n \xff\xfb\x01y\x00\r\n211\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		read := func(r io.Reader) (replies []Reply, err error) {
			rr := newReplyReader(r, new(atomic.Int64))
			for {
				reply, err := rr.read()
				if err != nil {
					return replies, err
				}
				replies = append(replies, reply)
			}
		}
		whole, errWhole := read(strings.NewReader(string(in)))
		bytes, errBytes := read(iotest.OneByteReader(strings.NewReader(string(in))))
		if !reflect.DeepEqual(whole, bytes) || errWhole.Error() != errBytes.Error() {
			t.Errorf("%v, %v; byte by byte %v, %v", whole, errWhole, bytes, errBytes)
		}
		for _, reply := range whole {
			if reply.Code < 100 || reply.Code > 599 || len(reply.Lines) == 0 || len(reply.Text()) > maxReplyBytes ||
				strings.ContainsAny(reply.Text(), "\x00") || slices.ContainsFunc(reply.Lines, hasLF) {
				t.Errorf("reply %+v", reply)
			}
			shown := reply.refuse("X").Error()
			if strings.ContainsAny(shown, "\r\n\x1b\x7f") {
				t.Errorf("error %q", shown)
			}
		}
	})
}

func hasLF(s string) bool { return strings.Contains(s, "\n") }

func FuzzPASV(f *testing.F) {
	f.Add("Entering Passive Mode (127,0,0,1,4,5).")
	f.Add("Entering Passive Mode, 127,0,0,1,4,5")
	f.Fuzz(func(t *testing.T, text string) {
		port, err := parsePASV(fuzzedReply(227, text))
		checkPort(t, port, err)
	})
}

func FuzzEPSV(f *testing.F) {
	f.Add("Entering Extended Passive Mode (|||6446|)")
	f.Add("(!!!21!)")
	f.Fuzz(func(t *testing.T, text string) {
		port, err := parseEPSV(fuzzedReply(229, text))
		checkPort(t, port, err)
	})
}

func checkPort(t *testing.T, port int, err error) {
	t.Helper()
	var protocol *ProtocolError
	if err == nil && (port < 1 || port > 65535) || err != nil && (port != 0 || !errors.As(err, &protocol)) {
		t.Errorf("port %d, %v", port, err)
	}
}

// What is taken for a size is the number that the reply ends in.
func FuzzSize(f *testing.F) {
	f.Add(213, "1234")
	f.Add(213, "size of f is\n 12 ")
	f.Add(213, "+12")
	f.Add(550, "1234")
	f.Fuzz(func(t *testing.T, code int, text string) {
		reply := fuzzedReply(code, text)
		n, err := parseSize(reply)
		var protocol *ProtocolError
		switch digits := strings.TrimSpace(reply.Lines[len(reply.Lines)-1]); {
		case err != nil && (n != 0 || !errors.As(err, &protocol)):
			t.Errorf("%d %q: %d, %v", code, text, n, err)
		case err == nil && (code != 213 || n < 0 || strings.TrimLeft(digits, "0") != strings.TrimLeft(strconv.FormatInt(n, 10), "0")):
			t.Errorf("%d %q: %d", code, text, n)
		}
		if told, err := sizeIn(reply, "SIZE", "f"); told < -1 || told >= 0 && (told != n || err != nil) {
			t.Errorf("%d %q: %d, %v", code, text, told, err)
		}
		if told, _ := sizeIn(reply, "MLST", "f"); told < -1 || told >= 0 && code/100 != 2 {
			t.Errorf("%d %q: %d", code, text, told)
		}
	})
}

// What is taken for a time is in UTC and within the years that have four digits.
func FuzzModTime(f *testing.F) {
	f.Add(213, "20260102030405")
	f.Add(213, "191260102030405.5")
	f.Add(550, "20260102030405")
	f.Fuzz(func(t *testing.T, code int, text string) {
		at, err := parseModTime(fuzzedReply(code, text))
		if err == nil && (code != 213 || at.Location() != time.UTC || at.Year() > 9999) || err != nil && !at.IsZero() {
			t.Errorf("%d %q: %v, %v", code, text, at, err)
		}
	})
}

// What is taken for a count is in the reply, in parentheses, and not in the path.
func FuzzAnnounced(f *testing.F) {
	f.Add("Opening BINARY mode data connection for f (1234 bytes).", "f")
	f.Add("for f (12 bytes)", "f (12 bytes)")
	f.Add("(1 Bytes)(2 bytes)", "")
	f.Fuzz(func(t *testing.T, text, path string) {
		n, ok := announced(fuzzedReply(150, text), path)
		if !ok {
			return
		}
		text = strings.TrimRight(text, " .")
		at, unit := strings.LastIndexByte(text, '('), text[len(text)-len(" bytes)"):]
		if n < 0 || at < 0 || !strings.EqualFold(unit, " bytes)") || strings.Contains(path, text[at:]) {
			t.Errorf("%q for %q: %d", text, path, n)
		}
	})
}

// What is taken for a hash has the digits of its algorithm and no other, and is
// in the reply.
func FuzzHash(f *testing.F) {
	f.Add("SHA-256 0-1 "+aSHA256+" f", "f", uint8(0))
	f.Add(`"f" `+aMD5, "f", uint8(3))
	f.Add("Computing SHA1 digest\n"+strings.ToUpper(aSHA1), "d/"+aSHA1, uint8(2))
	f.Add(aCRC+" "+aMD5, aMD5, uint8(4))
	f.Fuzz(func(t *testing.T, text, path string, which uint8) {
		algorithm := hashOrder[int(which)%len(hashOrder)]
		sum, err := parseHash(fuzzedReply(213, text), algorithm, path)
		var protocol *ProtocolError
		if err != nil {
			if sum != (Sum{}) || !errors.As(err, &protocol) {
				t.Errorf("%q: %v, %v", text, sum, err)
			}
			return
		}
		b, err := hex.DecodeString(sum.Hex)
		if err != nil || len(b) != sum.New().Size() || sum.Algorithm != algorithm || sum.Hex != strings.ToLower(sum.Hex) ||
			!strings.Contains(strings.ToLower(text), sum.Hex) {
			t.Errorf("%q: %v", text, sum)
		}
	})
}

// What is asked for is among what the server has named.
func FuzzHashFeature(f *testing.F) {
	f.Add("SHA-256*;SHA-512;SHA-1;MD5;CRC32")
	f.Add(" sha1 *; ;*;md5*")
	f.Fuzz(func(t *testing.T, params string) {
		h, ok := parseHashFeature(params)
		if !ok {
			return
		}
		if h.verb != "HASH" || algorithms[h.algorithm].size == 0 || !strings.Contains(params, h.option) || strings.ContainsAny(h.option, ";*") {
			t.Errorf("%q: %+v", params, h)
		}
	})
}

func FuzzFeatures(f *testing.F) {
	f.Add("Features:\n MDTM\n REST STREAM\n mlst type*;size*;\nEnd")
	f.Fuzz(func(t *testing.T, text string) {
		for name := range parseFeatures(fuzzedReply(211, text)) {
			if name == "" || strings.Contains(name, " ") || name != strings.ToUpper(name) {
				t.Errorf("feature %q", name)
			}
		}
	})
}

func FuzzTime(f *testing.F) {
	f.Add("20260102030405.678")
	f.Add("191260102030405")
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := parseTime(text)
		if !ok {
			return
		}
		whole, _, _ := strings.Cut(text, ".")
		if len(whole) == 15 {
			whole = "20" + whole[3:]
		}
		if strings.HasSuffix(whole, "60") {
			got = got.Add(-time.Second)
			whole = whole[:12] + "59"
		}
		if back := got.Format("20060102150405"); back != whole || got.Location() != time.UTC {
			t.Errorf("%q: %v", text, got)
		}
	})
}

// What is shown of a URL is again a URL, and the same one but for the
// password; an error shows no password.
func FuzzURL(f *testing.F) {
	f.Add("ftp://u:p%40@host:2121/%2Fa/b%20c;type=a")
	f.Add("ftp://[fe80::1%25eth0]:21//x?y")
	f.Fuzz(func(t *testing.T, in string) {
		u, err := ParseURL(in)
		if err != nil {
			return
		}
		for _, part := range []string{u.User, u.Password, u.Host, u.Path} {
			if strings.ContainsAny(part, "\r\n\x00") {
				t.Errorf("%q: part %q", in, part)
			}
		}
		again, err := ParseURL(u.Redacted())
		if err != nil {
			t.Fatalf("%q is shown as %q: %v", in, u, err)
		}
		if u.Password != "" {
			again.Password = u.Password
		}
		if *again != *u || u.Host == "" || u.Port < 1 || u.Port > 65535 {
			t.Errorf("%q is shown as %q: %+v, %+v", in, u, u, again)
		}
	})
}
