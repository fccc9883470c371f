package main

import (
	"bytes"
	"context"
	"errors"
	"path"
	"slices"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// list prints directories, one after the other.
func (s *session) list(ctx context.Context, remotes []remote) {
	for i, r := range remotes {
		lines, err := s.lines(ctx, r)
		if err != nil {
			s.failed(ctx, r.String(), err, "")
			if interrupted(ctx) != nil {
				return
			}
			continue
		}
		if len(remotes) > 1 {
			heading := []string{r.String() + ":"}
			if i > 0 {
				heading = []string{"", heading[0]}
			}
			lines = append(heading, lines...)
		}
		for _, line := range lines {
			if err := s.out.data(line); err != nil {
				s.failed(ctx, "", err, "")
				return
			}
		}
	}
}

// lines returns what is to be printed about r.
func (s *session) lines(ctx context.Context, r remote) (lines []string, err error) {
	client, err := s.client(r)
	if err != nil {
		return nil, err
	}
	err = client.Do(ctx, func(conn *ftpclient.Conn) (err error) {
		lines, err = s.ask(ctx, conn, r)
		return err
	})
	return lines, err
}

func (s *session) ask(ctx context.Context, conn *ftpclient.Conn, r remote) ([]string, error) {
	if err := conn.Type(ctx, r.Type); err != nil {
		return nil, err
	}
	if s.o.longList {
		var raw bytes.Buffer
		if err := conn.List(ctx, r.Path, &raw); err != nil {
			return nil, err
		}
		var lines []string
		for line := range bytes.Lines(raw.Bytes()) {
			lines = append(lines, string(bytes.TrimRight(line, "\r\n")))
		}
		return lines, s.checkEmpty(ctx, conn, r, len(lines))
	}
	names, err := machineList(ctx, conn, r.Path)
	var refusal *ftpclient.ReplyError
	if errors.As(err, &refusal) && conn.Usable() {
		// An old server, or r is a file.
		names, err = conn.NameList(ctx, r.Path)
	}
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		names[i] = path.Base(name) // some servers put the directory before it
	}
	slices.Sort(names)
	return names, s.checkEmpty(ctx, conn, r, len(names))
}

// checkEmpty makes sure that r exists if nothing was listed: some servers, such
// as vsftpd, list what does not exist as if it were empty.
func (s *session) checkEmpty(ctx context.Context, conn *ftpclient.Conn, r remote, listed int) error {
	if listed > 0 || r.Path == "" {
		return nil
	}
	return conn.ChangeDir(ctx, r.Path) // and with that the connection is not used again
}

// machineList returns the names that MLSD lists (RFC 3659, Section 7).
func machineList(ctx context.Context, conn *ftpclient.Conn, dir string) ([]string, error) {
	entries, err := conn.MLSD(ctx, dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.Type != ftpclient.EntryCurrent && e.Type != ftpclient.EntryParent {
			names = append(names, e.Name)
		}
	}
	return names, nil
}
