package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"unicode/utf8"
)

const (
	partSuffix  = ".xftp-part"          // also on the server
	metaSuffix  = ".xftp-part.json"     // beside a local part
	freshSuffix = ".xftp-part.json.new" // what becomes the one above
)

const (
	maxName      = 255 // NAME_MAX: bytes in a file name
	maxShortName = 200 // bytes kept of a name that is too long
)

// temporaryName returns "." + name + suffix. Where that is too long for a file
// name, the first 200 bytes of name, cut between two runes, and 8 digits of
// its SHA-256 stand for name.
func temporaryName(name, suffix string) string {
	if 1+len(name)+len(suffix) <= maxName {
		return "." + name + suffix
	}
	sum := sha256.Sum256([]byte(name))
	cut := min(len(name), maxShortName)
	// A rune has at most 3 bytes after its first; what has more is not UTF-8.
	for back := 0; back < utf8.UTFMax && cut < len(name); back++ {
		if utf8.RuneStart(name[cut-back]) {
			cut -= back
			break
		}
	}
	return "." + name[:cut] + "." + hex.EncodeToString(sum[:4]) + suffix
}

// isTemporary says whether name may be one of those that [temporaryName]
// returns.
func isTemporary(name string) bool {
	return strings.HasPrefix(name, ".") && (strings.HasSuffix(name, partSuffix) ||
		strings.HasSuffix(name, metaSuffix) || strings.HasSuffix(name, freshSuffix))
}

// errTemporary is why a file in a tree is left out: under the names of xftp's
// own it could take the place of one that is being written.
var errTemporary = errors.New("is an unfinished transfer of xftp")
