package main

import (
	"crypto/sha256"
	"encoding/hex"
	"unicode/utf8"
)

const (
	partSuffix = ".xftp-part"      // also on the server
	metaSuffix = ".xftp-part.json" // beside a local part
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
