package ftpclient

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"
)

// A Type is the representation in which data is transferred (RFC 959, Section
// 3.1.1).
type Type byte

// The types.
const (
	Binary Type = 'I' // image: the bytes as they are
	ASCII  Type = 'A' // text: lines end in CR LF on the way, and in LF here
)

// Type sets the type of the transfers that follow. A Conn begins with
// [Binary]. The command is sent only if the server does not have that type
// already.
//
// As [ASCII], CR LF becomes LF in what is downloaded, and LF becomes CR LF in what is
// uploaded (RFC 959, Section 3.1.1.1). In both directions a CR that no LF
// follows stays as it is, and so does a NUL behind it; an LF of an upload that has a CR
// before it gets no second. Bytes are counted as they are here; no size and no hash is
// compared, since a server counts them as on the way, or as it has them. An Offset is an
// [*ArgumentError]. Lists, and [Client.DownloadSegments] and the like, do not
// depend on the type.
func (c *Conn) Type(ctx context.Context, t Type) error {
	if err := c.setType(ctx, t); err != nil {
		return operation("type", err)
	}
	c.want = t
	return nil
}

func (c *Conn) setType(ctx context.Context, t Type) error {
	if c.sent == t {
		return nil
	}
	c.sent = 0
	if _, err := c.do(ctx, "TYPE", string(rune(t))); err != nil {
		return err
	}
	c.sent = t
	return nil
}

// Size returns the size of a file in bytes, as a transfer in the present type
// would move them (RFC 3659, Section 4).
func (c *Conn) Size(ctx context.Context, path string) (int64, error) {
	if err := c.setType(ctx, c.want); err != nil {
		return 0, operation("size", err)
	}
	n, err := c.size(ctx, path)
	return n, operation("size", err)
}

func (c *Conn) size(ctx context.Context, path string) (int64, error) {
	reply, err := c.path(ctx, "SIZE", path)
	if err != nil {
		return 0, err
	}
	return parseSize(reply)
}

// parseSize reads the number in a reply to SIZE.
func parseSize(reply Reply) (int64, error) {
	text := strings.TrimSpace(reply.Lines[len(reply.Lines)-1])
	n, ok := parseCount(text)
	if reply.Code != 213 || !ok {
		return 0, &ProtocolError{Problem: "a reply to SIZE without a size", Line: shorten(text)}
	}
	return n, nil
}

// parseCount reads a number of digits only: no sign, no space, no overflow.
func parseCount(s string) (int64, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// ModTime returns when a file was last changed, in UTC (MDTM; RFC 3659,
// Section 3).
func (c *Conn) ModTime(ctx context.Context, path string) (time.Time, error) {
	t, err := c.modTime(ctx, path)
	return t, operation("modtime", err)
}

func (c *Conn) modTime(ctx context.Context, path string) (time.Time, error) {
	reply, err := c.path(ctx, "MDTM", path)
	if err != nil {
		return time.Time{}, err
	}
	return parseModTime(reply)
}

// parseModTime reads the time in a reply to MDTM.
func parseModTime(reply Reply) (time.Time, error) {
	text := strings.TrimSpace(reply.Lines[len(reply.Lines)-1])
	t, ok := parseTime(text)
	if reply.Code != 213 || !ok {
		return time.Time{}, &ProtocolError{Problem: "a reply to MDTM without a time", Line: shorten(text)}
	}
	return t, nil
}

// Rename gives a file or directory another name (RNFR and RNTO). Whether an
// existing target is replaced is for the server to say.
func (c *Conn) Rename(ctx context.Context, from, to string) error {
	return operation("rename", c.rename(ctx, from, to))
}

func (c *Conn) rename(ctx context.Context, from, to string) error {
	// The second argument must not be found wanting after the first is sent.
	if err := c.checkName("RNTO", to); err != nil {
		return err
	}
	if err := c.checkName("RNFR", from); err != nil {
		return err
	}
	_, err := c.expect(ctx, 3, "RNFR", from)
	if err == nil {
		_, err = c.do(ctx, "RNTO", to)
	}
	return err
}

// Delete removes a file (DELE).
func (c *Conn) Delete(ctx context.Context, path string) error {
	_, err := c.path(ctx, "DELE", path)
	return operation("delete", err)
}

// MakeDir makes a directory (MKD).
func (c *Conn) MakeDir(ctx context.Context, path string) error {
	_, err := c.path(ctx, "MKD", path)
	return operation("makedir", err)
}

// RemoveDir removes an empty directory (RMD).
func (c *Conn) RemoveDir(ctx context.Context, path string) error {
	_, err := c.path(ctx, "RMD", path)
	return operation("removedir", err)
}

// ChangeDir changes the directory that relative paths begin in (CWD). After a
// refusal that is the one that it was.
func (c *Conn) ChangeDir(ctx context.Context, path string) error {
	_, err := c.path(ctx, "CWD", path)
	var refusal *ReplyError
	c.strayed = c.strayed || !errors.As(err, &refusal)
	return operation("changedir", err)
}

// WorkingDir returns the directory that relative paths begin in (PWD).
func (c *Conn) WorkingDir(ctx context.Context) (string, error) {
	reply, err := c.do(ctx, "PWD", "")
	if err != nil {
		return "", operation("workingdir", err)
	}
	dir, ok := parseQuoted(reply.Text())
	if !ok {
		return "", operation("workingdir",
			&ProtocolError{Problem: "a reply to PWD without a path", Line: shorten(reply.Text())})
	}
	return dir, nil
}

// parseQuoted returns the path that text begins with. RFC 959, Appendix II: it
// is quoted, and a quote within it is doubled.
func parseQuoted(text string) (string, bool) {
	if !strings.HasPrefix(text, `"`) {
		return "", false
	}
	var path strings.Builder
	for i := 1; i < len(text); i++ {
		if text[i] == '"' {
			if i+1 == len(text) || text[i+1] != '"' {
				return path.String(), path.Len() > 0
			}
			i++
		}
		path.WriteByte(text[i])
	}
	return "", false // the quote is never closed
}

// path sends a command whose argument is a path and expects it completed.
func (c *Conn) path(ctx context.Context, verb, path string) (Reply, error) {
	if err := c.checkName(verb, path); err != nil {
		return Reply{}, err
	}
	return c.do(ctx, verb, path)
}

// checkPath refuses the path that a server would not see.
func checkPath(verb, path string) error {
	if path == "" {
		return &ArgumentError{Command: verb, Problem: "is empty"}
	}
	return checkArgument(verb, path)
}
