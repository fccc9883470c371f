package ftpclient

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"sync/atomic"
)

// What a server may send as one reply. A longer one is a [*ProtocolError].
const (
	maxReplyLine  = 16 << 10 // bytes of one line
	maxReplyLines = 10_000
	maxReplyBytes = 1 << 20
)

// codeClosing announces that the server closes the control connection; it may
// come as the reply to any command (RFC 959, Section 4.2.2).
const codeClosing = 421

// A Reply is one reply of the server, complete.
type Reply struct {
	// Code has three digits; their meaning is that of RFC 959, Section 4.2.1.
	Code int

	// Lines holds the text of each line, at least one. The code and the hyphen
	// or space after it are cut off where they occur; what else a middle line
	// begins with is kept, so that a feature in a reply to FEAT has its space.
	Lines []string
}

// Text returns the lines joined by "\n".
func (r Reply) Text() string { return strings.Join(r.Lines, "\n") }

// class returns the first digit of the code.
func (r Reply) class() int { return r.Code / 100 }

// preliminary reports whether another reply to the same command follows.
func (r Reply) preliminary() bool { return r.class() == 1 }

// refuse returns r as the refusal of command.
func (r Reply) refuse(command string) *ReplyError {
	return &ReplyError{Code: r.Code, Text: r.Text(), Command: command}
}

// A replyReader reads replies off a control connection.
type replyReader struct {
	r     *bufio.Reader
	lines *atomic.Int64 // counts lines, so that others see progress
}

func newReplyReader(r io.Reader, lines *atomic.Int64) *replyReader {
	return &replyReader{r: bufio.NewReaderSize(r, maxReplyLine), lines: lines}
}

// read returns the next reply. It returns io.EOF only if the stream ends
// before the reply begins.
//
// RFC 959, Section 4.2: a multi-line reply begins with the code and a hyphen
// and ends with a line that begins with the same code and a space. A bare code
// is taken for a code and a space, and a lone LF for the end of a line: both
// are sent by servers that are in use.
func (rr *replyReader) read() (Reply, error) {
	first, err := rr.line()
	if err != nil {
		return Reply{}, err
	}
	code, more, ok := replyCode(first)
	if !ok {
		return Reply{}, &ProtocolError{Problem: "a reply without a code", Line: shorten(first)}
	}
	reply := Reply{Code: code, Lines: []string{replyText(first)}}
	size := len(first)
	for more {
		line, err := rr.line()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return Reply{}, err
		}
		size += len(line)
		if len(reply.Lines) == maxReplyLines || size > maxReplyBytes {
			return Reply{}, &ProtocolError{Problem: "a reply without end", Line: shorten(first)}
		}
		if c, hyphen, ok := replyCode(line); ok && c == code {
			line, more = replyText(line), hyphen
		}
		reply.Lines = append(reply.Lines, line)
	}
	return reply, nil
}

// line reads one line and returns it without its end and without Telnet.
func (rr *replyReader) line() (string, error) {
	b, err := rr.r.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", &ProtocolError{Problem: "a reply line without end", Line: shorten(string(b))}
	case err != nil && len(b) > 0 && errors.Is(err, io.EOF):
		return "", io.ErrUnexpectedEOF
	case err != nil:
		return "", err
	}
	rr.lines.Add(1)
	b = b[:len(b)-1]
	if n := len(b); n > 0 && b[n-1] == '\r' {
		b = b[:n-1]
	}
	return fromTelnet(b), nil
}

// replyCode returns the code that line begins with and whether a hyphen
// follows. ok is false if line does not begin as the line of a reply does.
func replyCode(line string) (code int, hyphen, ok bool) {
	if len(line) < 3 || len(line) > 3 && line[3] != ' ' && line[3] != '-' {
		return 0, false, false
	}
	for _, d := range []byte(line[:3]) {
		if d < '0' || d > '9' {
			return 0, false, false
		}
		code = code*10 + int(d-'0')
	}
	// 6yz are the protected replies of RFC 2228; nothing here asks for them.
	if code < 100 || code > 599 {
		return 0, false, false
	}
	return code, len(line) > 3 && line[3] == '-', true
}

// replyText cuts the code and the byte after it off line.
func replyText(line string) string {
	if len(line) <= 4 {
		return ""
	}
	return line[4:]
}
