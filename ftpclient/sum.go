package ftpclient

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"hash/crc32"
	"strings"
)

// A Sum is the hash of a file.
type Sum struct {
	Algorithm string // "SHA-256", "SHA-512", "SHA-1", "MD5" or "CRC32"
	Hex       string // in lower case
}

// New returns the hash function of s, for the caller's own copy of the file; nil
// if Algorithm is none that is known here. What it has summed up is equal to s if
// [Sum.Equal] says so.
func (s Sum) New() hash.Hash {
	if a, ok := algorithms[s.Algorithm]; ok {
		return a.new()
	}
	return nil
}

// Equal reports whether s is what h has summed up. h must be of the algorithm.
func (s Sum) Equal(h hash.Hash) bool { return s.Hex == hex.EncodeToString(h.Sum(nil)) }

// String returns the algorithm, a colon and the hex digits.
func (s Sum) String() string { return s.Algorithm + ":" + s.Hex }

// An algorithm is one way to hash.
type algorithm struct {
	size int // bytes
	new  func() hash.Hash
}

// algorithms are those that servers offer, by the names of
// draft-bryan-ftp-hash-08, Section 4. The weak ones tell damage from none, which
// is all that is asked here: who can change the file on its way can change the
// reply as well.
var algorithms = map[string]algorithm{
	"SHA-256": {sha256.Size, sha256.New},
	"SHA-512": {sha512.Size, sha512.New},
	"SHA-1":   {sha1.Size, sha1.New},
	"MD5":     {md5.Size, md5.New},
	"CRC32":   {crc32.Size, func() hash.Hash { return crc32.NewIEEE() }},
}

// algorithmNamed returns the name used here of an algorithm that a server names,
// such as "SHA256" or "sha-256", or "" if it is none of ours.
func algorithmNamed(s string) string {
	s = strings.ReplaceAll(strings.ToUpper(s), "-", "")
	for name := range algorithms {
		if strings.ReplaceAll(name, "-", "") == s {
			return name
		}
	}
	return ""
}
