package ftpclient

import (
	"bytes"
	"strings"
)

// The control connection follows the Telnet protocol (RFC 959, Section 3.3).
// Of RFC 854 this much matters: IAC begins a Telnet command, IAC IAC is the
// data byte 255, and NUL is no operation.
const (
	telnetIAC  = 0xff
	telnetWill = 0xfb // WILL, WONT, DO, DONT are followed by an option
	telnetDont = 0xfe
)

// toTelnet doubles each IAC in a command. UTF-8 has none; a name in Latin-1
// may.
func toTelnet(line string) string {
	return strings.ReplaceAll(line, "\xff", "\xff\xff")
}

// fromTelnet undoes toTelnet and drops Telnet commands and NULs. Options are
// not answered: a server may not depend on them.
func fromTelnet(b []byte) string {
	if bytes.IndexByte(b, telnetIAC) < 0 && bytes.IndexByte(b, 0) < 0 {
		return string(b)
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == 0:
		case b[i] != telnetIAC:
			out = append(out, b[i])
		case i+1 == len(b):
		case b[i+1] == telnetIAC:
			out = append(out, telnetIAC)
			i++
		case b[i+1] >= telnetWill && b[i+1] <= telnetDont:
			i += 2
		default:
			i++
		}
	}
	return string(out)
}
