package ftpclient

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
)

// passive opens a data connection to a port that the server names: by EPSV,
// or by PASV if EPSV is refused for good, answered with nonsense, or leads
// nowhere. Where PASV then works, EPSV is not tried again.
func (c *Conn) passive(ctx context.Context) (net.Conn, error) {
	var first error
	if !c.refused["EPSV"] {
		conn, err := c.dialPassive(ctx, "EPSV", parseEPSV)
		if err == nil || !c.worthPASV(ctx, err) {
			return conn, err
		}
		first = err
	}
	conn, err := c.dialPassive(ctx, "PASV", parsePASV)
	if err != nil {
		return nil, errors.Join(err, first)
	}
	c.refused["EPSV"] = true
	return conn, nil
}

// worthPASV reports whether what became of EPSV may become better with PASV.
func (c *Conn) worthPASV(ctx context.Context, err error) bool {
	var refusal *ReplyError
	if errors.As(err, &refusal) {
		return !refusal.Temporary()
	}
	return ctx.Err() == nil && c.unusable() == nil
}

// dialPassive sends verb and connects to the port in the answer. The host is
// that of the control connection: EPSV says so (RFC 2428, Section 3), and a
// server that names another one in its answer to PASV is behind a translator
// or after somebody else's ports.
func (c *Conn) dialPassive(ctx context.Context, verb string, parse func(Reply) (int, error)) (net.Conn, error) {
	reply, err := c.do(ctx, verb, "")
	if err != nil {
		return nil, err
	}
	port, err := parse(reply)
	if err != nil {
		return nil, err
	}
	return dial(ctx, &c.cfg, net.JoinHostPort(c.peer, strconv.Itoa(port)))
}

// parseEPSV returns the port in a reply to EPSV: "(|||6446|)", where "|" may
// be any printable character (RFC 2428, Section 3).
func parseEPSV(reply Reply) (int, error) {
	text := reply.Text()
	if port, ok := scanEPSV(text); ok && reply.Code == 229 {
		return port, nil
	}
	return 0, &ProtocolError{Problem: "a reply to EPSV without a port", Line: shorten(text)}
}

func scanEPSV(text string) (int, bool) {
	_, s, ok := strings.Cut(text, "(")
	if !ok || len(s) < 6 {
		return 0, false
	}
	d := s[0]
	if d < 33 || d > 126 || d >= '0' && d <= '9' || s[1] != d || s[2] != d {
		return 0, false
	}
	digits, rest, ok := strings.Cut(s[3:], string(d))
	if !ok || !strings.HasPrefix(rest, ")") {
		return 0, false
	}
	return parsePort(digits)
}

// parsePASV returns the port in a reply to PASV. RFC 1123, Section 4.1.2.6: the
// parentheses may be missing, so the text is scanned for the six numbers.
func parsePASV(reply Reply) (int, error) {
	text := reply.Text()
	if reply.Code == 227 {
		notNumbers := func(r rune) bool { return r != ',' && (r < '0' || r > '9') }
		for _, run := range strings.FieldsFunc(text, notNumbers) {
			if port, ok := scanPASV(strings.Split(run, ",")); ok {
				return port, nil
			}
		}
	}
	return 0, &ProtocolError{Problem: "a reply to PASV without an address", Line: shorten(text)}
}

func scanPASV(numbers []string) (int, bool) {
	if len(numbers) != 6 {
		return 0, false
	}
	var b [6]int
	for i, s := range numbers {
		n, ok := parseCount(s)
		if !ok || len(s) > 3 || n > 255 {
			return 0, false
		}
		b[i] = int(n)
	}
	port := b[4]<<8 | b[5]
	return port, port > 0
}

// parsePort reads a port number that one can connect to.
func parsePort(s string) (int, bool) {
	n, ok := parseCount(s)
	if !ok || len(s) > 5 || n < 1 || n > 65535 {
		return 0, false
	}
	return int(n), true
}
