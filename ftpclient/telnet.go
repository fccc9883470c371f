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
	telnetSE   = 0xf0 // the first of the commands
)

// toWire returns a command as the server reads it. UTF-8 has no IAC; a name that
// is something else may.
func (c *Conn) toWire(line string) string {
	if !strings.Contains(line, "\xff") || !quirksOf(c.greeting).telnet {
		return line
	}
	return strings.ReplaceAll(line, "\xff", "\xff\xff")
}

// fromTelnet makes IAC IAC one byte and drops Telnet commands and NULs. Options
// are not answered: a server may not depend on them. An IAC before what is no
// command is a byte like any other: not all servers double it.
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
		case b[i+1] < telnetSE:
			out = append(out, telnetIAC)
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
