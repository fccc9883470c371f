package ftpclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// maxListing is the most that NameList and MLSD accept, in bytes: a list is
// held in memory.
const maxListing = 256 << 20

// List writes the server's own listing of a directory to w (LIST), as the
// server sends it. An empty path is the working directory.
func (c *Conn) List(ctx context.Context, path string, w io.Writer) error {
	return operation("list", c.list(ctx, "LIST", path, w))
}

// NameList returns the names in a directory (NLST), unchecked: what a server
// calls a name may be "../x". An empty path is the working directory. Many
// servers answer 450 or 550, a [*ReplyError], if there is none.
func (c *Conn) NameList(ctx context.Context, path string) ([]string, error) {
	lines, err := c.lines(ctx, "NLST", path)
	return lines, operation("namelist", err)
}

// MLSD returns the entries of a directory (RFC 3659, Section 7), in the order
// of the server. An empty path is the working directory. The directory itself
// and its parent, if the server lists them, are among the entries, as
// [EntryCurrent] and [EntryParent]. Names are unchecked, as in
// [Conn.NameList].
//
// If there are lines that are no entries, the error wraps a [*ProtocolError]
// that holds the first, and the entries of the others are returned beside it:
// nobody should conclude from them that a file does not exist.
func (c *Conn) MLSD(ctx context.Context, path string) ([]Entry, error) {
	lines, err := c.lines(ctx, "MLSD", path)
	if err != nil {
		return nil, operation("mlsd", err)
	}
	var bad error
	entries := make([]Entry, 0, len(lines))
	for _, line := range lines {
		entry, err := parseEntry(line)
		switch {
		case err == nil:
			entries = append(entries, entry)
		case bad == nil:
			bad = err
		}
	}
	return entries, operation("mlsd", bad)
}

// MLST returns the entry of one file or directory (RFC 3659, Section 7). An
// empty path is the working directory. The name is what the server calls it,
// usually the whole path.
func (c *Conn) MLST(ctx context.Context, path string) (Entry, error) {
	reply, err := c.do(ctx, "MLST", path)
	if err != nil {
		return Entry{}, operation("mlst", err)
	}
	entry, err := parseMLST(reply)
	return entry, operation("mlst", err)
}

// parseMLST finds the entry among the lines of a reply: it is between the
// first and the last, behind a space, or behind several in some servers.
func parseMLST(reply Reply) (Entry, error) {
	for i, line := range reply.Lines {
		if i == 0 || i == len(reply.Lines)-1 {
			continue
		}
		if line = strings.TrimLeft(line, " "); line != "" {
			return parseEntry(line)
		}
	}
	return Entry{}, &ProtocolError{Problem: "a reply to MLST without an entry", Line: shorten(reply.Text())}
}

// list runs a command that sends a list. The type does not matter: lines end
// in CR LF in both, and changing it there and back would take two commands.
func (c *Conn) list(ctx context.Context, verb, path string, w io.Writer) error {
	if strings.HasPrefix(path, "-") {
		path = "./" + path // or servers take it for options of ls(1)
	}
	if err := checkArgument(verb, path); err != nil {
		return err
	}
	m := &meter{total: -1}
	t := &transfer{verb: verb, path: path, meter: m}
	t.copy = func(data net.Conn) (int64, error) { return c.download(w, data, m) }
	err := c.run(ctx, t)
	if err == nil && t.unclosed {
		err = unclosed(t)
	}
	return err
}

// lines runs a command that sends a list and splits it into lines.
func (c *Conn) lines(ctx context.Context, verb, path string) ([]string, error) {
	var b listing
	if err := c.list(ctx, verb, path, &b); err != nil {
		return nil, err
	}
	var lines []string
	for line := range bytes.Lines(b.Bytes()) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) > 0 {
			lines = append(lines, string(line))
		}
	}
	return lines, nil
}

// A listing is a bytes.Buffer that refuses to grow without end.
type listing struct{ bytes.Buffer }

var errListing = errors.New("list is too long")

func (l *listing) Write(p []byte) (int, error) {
	if l.Len()+len(p) > maxListing {
		return 0, fmt.Errorf("%w: over %d bytes", errListing, maxListing)
	}
	return l.Buffer.Write(p)
}
