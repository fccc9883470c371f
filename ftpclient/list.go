package ftpclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient/listing"
)

// maxListing is the most that NameList and MLSD accept, in bytes: a list is
// held in memory.
const maxListing = 256 << 20

// List writes the server's own listing of a directory to w (LIST), as the
// server sends it. An empty path is the working directory. If the server says
// that it has left something out, the error wraps a [*ListError].
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
// [EntryCurrent] and [EntryParent]. So are those with a name that leads
// elsewhere, which have an Entry.Problem.
//
// If there are lines that are no entries, the error wraps a [*ListError] that
// holds them, and the entries of the others are returned beside it.
func (c *Conn) MLSD(ctx context.Context, path string) ([]Entry, error) {
	entries, err := c.entries(ctx, "MLSD", path)
	return entries, operation("mlsd", err)
}

// Entries is [Conn.MLSD], by LIST where the server has no MLSD; then the times
// are as inexact as the server prints them, see [Entry]. Many servers answer
// LIST for a file with the file, and for what is not there with nothing.
func (c *Conn) Entries(ctx context.Context, path string) ([]Entry, error) {
	entries, err := c.eitherEntries(ctx, path)
	return entries, operation("entries", err)
}

func (c *Conn) eitherEntries(ctx context.Context, path string) ([]Entry, error) {
	verb := c.listVerb()
	entries, err := c.entries(ctx, verb, path)
	var refusal *ReplyError
	if verb == "MLSD" && errors.As(err, &refusal) && unimplemented[refusal.Code] && c.unusable() == nil {
		c.refused["MLSD"] = true
		entries, err = c.entries(ctx, "LIST", path)
	}
	return entries, err
}

func (c *Conn) entries(ctx context.Context, verb, path string) ([]Entry, error) {
	if err := c.checkList(verb, path); err != nil {
		return nil, err
	}
	var b listBuffer
	err := c.fetchList(ctx, verb, c.listArgument(verb, path), &b)
	var partial *ListError
	if err != nil && !errors.As(err, &partial) {
		return nil, err
	}
	cut := ""
	if partial != nil {
		cut = partial.Truncated
	}
	return understood(parseList(verb, b.Bytes()), cut)
}

// parseList reads what a server has sent in answer to verb.
func parseList(verb string, text []byte) listing.Listing {
	if verb == "MLSD" {
		return listing.ParseFacts(text)
	}
	return listing.Parse(text, time.Now().UTC())
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
		if line = strings.TrimLeft(line, " "); line == "" {
			continue
		}
		entry := listing.ParseEntry(line)
		if entry.Problem != "" {
			return Entry{}, &ProtocolError{Problem: entry.Problem, Line: shorten(line)}
		}
		return entry, nil
	}
	return Entry{}, &ProtocolError{Problem: "a reply to MLST without an entry", Line: shorten(reply.Text())}
}

// list runs a command that sends a list. The type does not matter: lines end
// in CR LF in both, and changing it there and back would take two commands.
func (c *Conn) list(ctx context.Context, verb, path string, w io.Writer) error {
	if strings.HasPrefix(path, "-") {
		path = "./" + path // or servers take it for options of ls(1)
	}
	if err := c.checkList(verb, path); err != nil {
		return err
	}
	return c.fetchList(ctx, verb, path, w)
}

// checkList is [Conn.checkName] for a directory that is to be listed, which may be "".
func (c *Conn) checkList(verb, path string) error {
	if err := checkArgument(verb, path); err != nil {
		return err
	}
	return c.checkTaken(verb, path)
}

// fetchList is list with an argument that has been checked, and may hold
// options. A list that the server says is not whole is written all the same;
// the error is a [*ListError] then.
func (c *Conn) fetchList(ctx context.Context, verb, argument string, w io.Writer) error {
	m := &meter{total: -1}
	t := &transfer{verb: verb, path: argument, meter: m}
	t.copy = func(data net.Conn) (int64, error) { return c.download(w, data, m) }
	err := c.run(ctx, t)
	if err == nil && t.unclosed {
		err = unclosed(t)
	}
	if cut := truncated(t.last); err == nil && cut != "" {
		err = &ListError{Truncated: cut}
	}
	return err
}

// lines runs a command that sends a list and splits it into lines.
func (c *Conn) lines(ctx context.Context, verb, path string) ([]string, error) {
	var b listBuffer
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

// A listBuffer is a bytes.Buffer that refuses to grow without end.
type listBuffer struct{ bytes.Buffer }

var errListing = errors.New("list is too long")

func (l *listBuffer) Write(p []byte) (int, error) {
	if l.Len()+len(p) > maxListing {
		return 0, fmt.Errorf("%w: over %d bytes", errListing, maxListing)
	}
	return l.Buffer.Write(p)
}
