package ftpclient

import (
	"strings"
	"testing"
)

const (
	aMD5    = "0cc175b9c0f1b6a831c399e269772661"
	bMD5    = "92eb5ffee6ae2fec3ad71c777531578f"
	aSHA1   = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"
	aSHA256 = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
	aCRC    = "e8b7be43"
)

// The replies are those of ProFTPD's mod_digest, Pure-FTPd, FileZilla Server,
// Serv-U and the drafts, and such as nobody should send.
func TestParseHash(t *testing.T) {
	sha := aSHA256
	for _, tt := range []struct {
		algorithm, path string
		code            int
		text            string
		want            string // "" is an error
	}{
		{"SHA-256", "f", 213, "SHA-256 0-1 " + sha + " f", sha},
		{"SHA-256", "f", 213, "Computing SHA-256 digest\nSHA-256 0-1 " + sha + " f", sha},
		{"SHA-256", "d/a b", 213, "SHA-256 0-1 " + sha + " d/a b", sha},
		{"SHA-256", "f", 213, "sha256 0-1 " + strings.ToUpper(sha) + ` "f"`, sha},
		{"SHA-256", sha, 213, "SHA-256 0-1 " + sha + " " + sha, sha},
		{"SHA-1", "d/" + aSHA1, 213, "SHA-1 0-1 " + strings.Repeat("0", 40) + " d/" + aSHA1, strings.Repeat("0", 40)},
		{"SHA-1", "x-" + aSHA1, 250, aSHA1, aSHA1},
		{"SHA-1", "SHA-256", 213, "SHA-1 0-1 " + aSHA1 + " SHA-256", aSHA1},
		{"MD5", "f", 251, `"f" ` + strings.ToUpper(aMD5), aMD5},
		{"MD5", "f", 251, "f " + aMD5, aMD5},
		{"MD5", "f", 250, "Computing MD5 digest\n" + strings.ToUpper(aMD5), aMD5},
		{"MD5", "f", 250, "MD5(f)=" + aMD5 + ".", aMD5},
		{"MD5", "f", 250, aMD5 + "\n" + strings.ToUpper(aMD5), aMD5},
		{"CRC32", "f", 250, "XCRC " + aCRC, aCRC},
		{"CRC32", "f", 250, "E8B7BE43", aCRC},

		{"MD5", "f", 250, "done", ""},
		{"MD5", "f", 250, aMD5 + " " + bMD5, ""},
		{"MD5", "f", 250, aMD5[:31], ""},
		{"MD5", "f", 250, aMD5 + "0", ""},
		{"MD5", "f", 250, "g" + aMD5[1:], ""},
		{"MD5", "f", 250, aSHA1, ""},
		{"SHA-1", "f", 213, "SHA-256 0-1 " + aSHA1 + " f", ""},
		{"CRC32", "f", 250, "E8B7BE4", ""},
	} {
		sum, err := parseHash(fuzzedReply(tt.code, tt.text), tt.algorithm, tt.path)
		if sum.Hex != tt.want || (err == nil) != (tt.want != "") || err == nil && sum.Algorithm != tt.algorithm {
			t.Errorf("%q: %v, %v; want %q", tt.text, sum, err, tt.want)
		}
	}
}

// The best of what a server names is asked for.
func TestHashingOf(t *testing.T) {
	for features, want := range map[string]hashing{
		"HASH SHA-256*;SHA-512;SHA-1;MD5":       {"HASH", "SHA-256", ""},
		"HASH CRC32;MD5;SHA-1*;SHA-256;SHA-512": {"HASH", "SHA-256", "SHA-256"},
		"HASH sha512; sha1*":                    {"HASH", "SHA-512", "sha512"},
		"HASH WHIRLPOOL*\nXMD5":                 {"XMD5", "MD5", ""},
		"XCRC filename;start;end\nXSHA1\nXSHA":  {"XSHA1", "SHA-1", ""},
		"XSHA256\nXSHA512\nXMD5":                {"XSHA512", "SHA-512", ""},
		"MD5\nXCRC":                             {"MD5", "MD5", ""},
		"SIZE\nMDTM":                            {},
		"HASH":                                  {},
	} {
		h, ok := hashingOf(parseFeatures(fuzzedReply(211, "these\n "+strings.ReplaceAll(features, "\n", "\n ")+"\nend")))
		if want.verb == "" && ok || want.verb != "" && h != want {
			t.Errorf("%q: %+v, %v", features, h, ok)
		}
	}
}

func TestHashArgument(t *testing.T) {
	for _, tt := range []struct{ verb, path, want string }{
		{"HASH", "a b", "a b"}, {"XMD5", "ab", "ab"}, {"XMD5", "a b", `"a b"`}, {"XMD5", `a "b"`, `a "b"`},
	} {
		if got := hashArgument(tt.verb, tt.path); got != tt.want {
			t.Errorf("%s of %q: %q", tt.verb, tt.path, got)
		}
	}
}
