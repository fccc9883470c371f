package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// What servers send may hold codes that a terminal obeys. Everything that is
// printed passes through one of these: lines for standard error, and for a
// terminal, through printable, objects of --json through jsonLine.

// printable escapes what could steer a terminal or break a line: control
// characters, those of Unicode among them, and bytes that are not UTF-8. An
// escape reads as in Go.
func printable(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1, r < utf8.RuneSelf && !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case unicode.IsPrint(r):
			b.WriteString(s[:size])
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		s = s[size:]
	}
	return b.String()
}

// jsonLine returns v, which has no values that JSON does not know, as one line
// of JSON. What printable escapes is escaped there as well, in the way of JSON,
// so that the texts are exact; bytes that are not UTF-8 become U+FFFD.
func jsonLine(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // of the types here, none can
	}
	line := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if bytes.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return append(line, '\n')
	}
	escaped := make([]byte, 0, len(line)+64)
	for _, r := range string(line) { // outside of strings all is printable
		switch {
		case unicode.IsPrint(r):
			escaped = utf8.AppendRune(escaped, r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			escaped = fmt.Appendf(escaped, `\u%04x\u%04x`, high, low)
		default:
			escaped = fmt.Appendf(escaped, `\u%04x`, r)
		}
	}
	return append(escaped, '\n')
}
