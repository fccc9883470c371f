package ftpclient

import (
	"context"
	"errors"
	"time"
)

// toldSize returns what the server says is the size of a file: its answer to
// SIZE, or else the size that MLST lists, or -1 if it tells neither. What it
// answered to SIZE instead is noted in result. The error is nil unless the Conn
// is in trouble.
func (c *Conn) toldSize(ctx context.Context, path string, result *Result) (int64, error) {
	if c.want != Binary {
		return -1, nil
	}
	if !c.lacks("SIZE") {
		if n, err := c.sizeBy(ctx, "SIZE", path, result); n >= 0 || err != nil {
			return n, err
		}
	}
	return c.listedSize(ctx, path)
}

// sizeBy is toldSize by one command only, or none.
func (c *Conn) sizeBy(ctx context.Context, verb, path string, result *Result) (int64, error) {
	switch verb {
	case "SIZE":
		n, err := c.size(ctx, path)
		if err == nil {
			return n, nil
		}
		result.Unsized, err = c.untold(ctx, "SIZE", err)
		return -1, err
	case "MLST":
		return c.listedSize(ctx, path)
	default:
		return -1, nil
	}
}

// listedSize is toldSize by MLST alone.
func (c *Conn) listedSize(ctx context.Context, path string) (int64, error) {
	if c.want != Binary || c.lacks("MLST") {
		return -1, nil
	}
	reply, err := c.path(ctx, "MLST", path)
	if err == nil {
		return entrySize(reply), nil
	}
	_, err = c.untold(ctx, "MLST", err)
	return -1, err
}

// sizeIn returns the size in a reply to verb, which is SIZE or MLST, or -1. The
// error is that of a refusal.
func sizeIn(reply Reply, verb, path string) (int64, error) {
	if reply.class() != 2 {
		return -1, reply.refuse(verb + " " + path)
	}
	if verb == "MLST" {
		return entrySize(reply), nil
	}
	n, err := parseSize(reply)
	if err != nil {
		return -1, nil //nolint:nilerr // it tells nothing
	}
	return n, nil
}

// entrySize returns the size of a file in a reply to MLST, or -1.
func entrySize(reply Reply) int64 {
	entry, err := parseMLST(reply)
	if err != nil || entry.Type != EntryFile && entry.Type != EntryUnknown {
		return -1
	}
	return entry.Size
}

// untold sorts the errors of a question that need not be answered: a refusal,
// which it notes and returns, and a reply that says nothing are none. The others
// are returned.
func (c *Conn) untold(ctx context.Context, verb string, err error) (*ReplyError, error) {
	var refusal *ReplyError
	var protocol *ProtocolError
	switch {
	case ctx.Err() != nil || c.unusable() != nil:
		return nil, err
	case errors.As(err, &refusal):
		c.refused[verb] = c.refused[verb] || unimplemented[refusal.Code]
		return refusal, nil
	case errors.As(err, &protocol):
		return nil, nil
	default:
		return nil, err
	}
}

// toldTime returns when the server says that a file was last changed (MDTM), or
// the zero time. The error is nil unless the Conn is in trouble.
func (c *Conn) toldTime(ctx context.Context, path string) (time.Time, error) {
	if c.lacks("MDTM") {
		return time.Time{}, nil
	}
	t, err := c.modTime(ctx, path)
	if err == nil {
		return t, nil
	}
	_, err = c.untold(ctx, "MDTM", err)
	return time.Time{}, err
}
