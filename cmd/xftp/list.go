package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// A row is one entry as ls shows it.
type row struct {
	ftpclient.Entry
	name string // as it is shown: the name, or what a glob matched
	path string // below what was listed
	of   remote // the entry itself; its directory if it has a problem
}

// A section is what ls shows together: what is in a directory, or files that
// were named.
type section struct {
	heading string
	rows    []row
}

// list prints what remotes are: directories one after the other, before them
// what globs have matched beside directories.
func (s *session) list(ctx context.Context, remotes []remote) {
	remotes, err := s.expand(ctx, remotes)
	if err != nil {
		return
	}
	p := &listPrinter{output: s.out, o: s.o}
	var files section
	rest := remotes[:0:0]
	for _, r := range remotes {
		if r.entry != nil && r.entry.Type != ftpclient.EntryDir && !s.o.list.raw {
			files.rows = append(files.rows, row{*r.entry, r.matched, r.matched, r})
			continue
		}
		rest = append(rest, r)
	}
	if len(files.rows) > 0 {
		s.o.list.order(files.rows)
		err = p.print(files)
	}
	for _, r := range rest {
		if err != nil || interrupted(ctx) != nil {
			break
		}
		switch {
		case s.o.list.raw:
			err = s.listRaw(ctx, p, r, len(remotes) > 1)
		default:
			err = s.listTree(ctx, p, r, len(remotes) > 1)
		}
	}
	if err != nil {
		s.failed(ctx, "", err, "")
	}
}

// listRaw prints the server's own list. What it returns is an error of standard
// output.
func (s *session) listRaw(ctx context.Context, p *listPrinter, r remote, several bool) error {
	var raw rawList
	err := s.do(ctx, r, func(conn *ftpclient.Conn) error {
		if err := conn.List(ctx, r.Path, &raw); err != nil {
			return err
		}
		return checkEmpty(ctx, conn, r, raw.Len())
	})
	if err != nil {
		s.failed(ctx, r.String(), err, "")
		return nil
	}
	if err := p.heading(r, several); err != nil {
		return err
	}
	for line := range bytes.Lines(raw.Bytes()) {
		if err := p.data(string(bytes.TrimRight(line, "\r\n"))); err != nil {
			return err
		}
	}
	return nil
}

// A rawList is a list in memory.
type rawList struct{ bytes.Buffer }

// maxRawList is how long one may be, in bytes: a server may never end it.
const maxRawList = 256 << 20

func (l *rawList) Write(p []byte) (int, error) {
	if l.Len()+len(p) > maxRawList {
		return 0, fmt.Errorf("a list of more than %d bytes", maxRawList)
	}
	return l.Buffer.Write(p)
}

// do calls f with a connection to the site of r.
func (s *session) do(ctx context.Context, r remote, f func(*ftpclient.Conn) error) error {
	client, err := s.client(r)
	if err != nil {
		return err
	}
	return client.Do(ctx, f)
}

// listTree prints what is in r, and with -R what is below. What it returns is an
// error of standard output.
func (s *session) listTree(ctx context.Context, p *listPrinter, r remote, several bool) error {
	return s.listBelow(ctx, p, r, "", several || s.o.trees, nil)
}

// maxDepth is how deep directories may be before they are taken for a loop of
// links that the server shows as directories.
const maxDepth = 255

var errTooDeep = errors.New("directories in a loop, or too deep")

// listBelow prints the directory r, which is at path below the one that was
// named. above holds the unique facts (RFC 3659, Section 7.5.2) of those that it
// is in.
func (s *session) listBelow(ctx context.Context, p *listPrinter, r remote, path string, headed bool, above []string) error {
	var (
		entries []ftpclient.Entry
		isFile  bool
	)
	err := s.do(ctx, r, func(conn *ftpclient.Conn) (err error) {
		entries, isFile, err = contents(ctx, conn, r)
		return err
	})
	var partly *ftpclient.ListError
	if err != nil {
		s.failed(ctx, r.String(), err, "")
		if !errors.As(err, &partly) {
			return nil
		}
	}
	of := s.section(ctx, r, path, entries, isFile)
	if partly != nil {
		for _, e := range partly.Unknown {
			of.rows = append(of.rows, row{Entry: e, of: r})
		}
	}
	if headed && !isFile {
		of.heading = r.String() + ":"
	}
	if err := p.print(of); err != nil || !s.o.trees || isFile {
		return err
	}
	for _, sub := range of.rows {
		if sub.Type != ftpclient.EntryDir || sub.Problem != "" {
			continue
		}
		unique := sub.Facts["unique"]
		if len(above) == maxDepth || unique != "" && slices.Contains(above, unique) {
			s.failed(ctx, sub.of.String(), errTooDeep, "")
			continue
		}
		if interrupted(ctx) != nil {
			return nil
		}
		if err := s.listBelow(ctx, p, sub.of, sub.path, headed, append(above, unique)); err != nil {
			return err
		}
	}
	return nil
}

// section makes rows of what is in r, or is r, sorted. Entries that cannot be used
// are reported.
func (s *session) section(ctx context.Context, r remote, path string, entries []ftpclient.Entry, isFile bool) section {
	var of section
	for _, e := range entries {
		switch {
		case e.Type == ftpclient.EntryCurrent || e.Type == ftpclient.EntryParent:
		case e.Problem != "":
			s.failed(ctx, r.String(), badName(e), "")
			of.rows = append(of.rows, row{Entry: e, name: e.Name, of: r})
		case isFile:
			of.rows = append(of.rows, row{e, e.Name, e.Name, r})
		default:
			of.rows = append(of.rows, row{e, e.Name, joinPath(path, e.Name), r.join(e.Name)})
		}
	}
	s.o.list.order(of.rows)
	return of
}

// contents returns what is in the directory r, or r itself if it is a file.
// Beside a [*ftpclient.ListError] it returns what was understood.
func contents(ctx context.Context, conn *ftpclient.Conn, r remote) (entries []ftpclient.Entry, isFile bool, err error) {
	path := withoutSlash(r.Path)
	entries, err = conn.Entries(ctx, path)
	var refusal *ftpclient.ReplyError
	switch {
	case errors.As(err, &refusal) && conn.Usable():
		return instead(ctx, conn, r, err)
	case err != nil:
		return entries, false, err
	case len(entries) == 1 && r.base() != "" && (entries[0].Name == r.base() || entries[0].Name == r.Path):
		// Many servers answer LIST for a file with the file.
		_, err := conn.Size(ctx, path)
		switch {
		case err == nil:
			e := entries[0]
			e.Name, e.Problem = r.base(), ""
			return []ftpclient.Entry{e}, true, nil
		case !conn.Usable():
			return nil, false, err
		}
	}
	return entries, false, checkEmpty(ctx, conn, r, len(entries))
}

// instead is contents for a server that has refused to list r: it is a file, or
// the server lists names alone, or there is nothing.
func instead(ctx context.Context, conn *ftpclient.Conn, r remote, refusal error) (entries []ftpclient.Entry, isFile bool, err error) {
	e, err := look(ctx, conn, r.Path)
	switch {
	case err == nil && e.Type != ftpclient.EntryDir && !strings.HasSuffix(r.Path, "/"):
		return []ftpclient.Entry{e}, true, nil
	case !conn.Usable():
		return nil, false, err
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errUnlisted):
		return nil, false, refusal
	}
	names, err := conn.NameList(ctx, r.Path)
	if err != nil {
		if conn.Usable() {
			err = refusal
		}
		return nil, false, err
	}
	for _, name := range names {
		name = name[strings.LastIndexByte(name, '/')+1:] // some servers put the directory before it
		if name != "" && name != "." && name != ".." {
			entries = append(entries, ftpclient.Entry{Name: name, Size: -1, Mode: -1})
		}
	}
	return entries, false, checkEmpty(ctx, conn, r, len(entries))
}

// checkEmpty makes sure that r exists if nothing was listed: some servers, such
// as vsftpd, list what does not exist as if it were empty.
func checkEmpty(ctx context.Context, conn *ftpclient.Conn, r remote, listed int) error {
	if listed > 0 || r.Path == "" {
		return nil
	}
	return conn.ChangeDir(ctx, r.Path) // and with that the connection is not used again
}
