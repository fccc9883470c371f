package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// look returns what the server tells of one file or directory, which is called
// by the last name of path: by MLST, or else by what the list of its directory,
// SIZE and MDTM say. An empty path is the directory that the login begins in.
// No error of it shows that there is nothing of that name, which is for
// [ftpclient.Conn.Exists] to say.
func look(ctx context.Context, conn *ftpclient.Conn, path string) (ftpclient.Entry, error) {
	path = withoutSlash(path)
	e, refusal := conn.MLST(ctx, path)
	name := path[strings.LastIndexByte(path, '/')+1:]
	if refusal == nil {
		e.Name = name
		if e.Type == ftpclient.EntryCurrent || e.Type == ftpclient.EntryParent {
			e.Type = ftpclient.EntryDir
		}
		return e, nil
	}
	if !conn.Usable() {
		return e, refusal
	}
	if errors.Is(refusal, fs.ErrNotExist) {
		return e, refusal
	}
	if name == "" || name == "." || name == ".." {
		return ownDirectory(ctx, conn, path, name)
	}
	e, listErr := listedAs(ctx, conn, path, name)
	if listErr != nil && !conn.Usable() {
		return e, listErr
	}
	isListed := listErr == nil
	told := ftpclient.Attributes{Size: -1}
	if !isListed || e.Type == ftpclient.EntryFile {
		var err error
		if told, err = conn.Attributes(ctx, path); err != nil {
			return e, err
		}
	}
	switch {
	case isListed:
	case told.Size >= 0:
		e = ftpclient.Entry{Name: name, Type: ftpclient.EntryFile, Size: -1, Mode: -1}
	case errors.Is(listErr, errUnlisted) && errors.As(refusal, new(*ftpclient.ReplyError)):
		return e, listErr
	default:
		return e, refusal
	}
	if told.Size >= 0 {
		e.Size = told.Size
	}
	if !told.ModTime.IsZero() && (!e.UTC || e.Precision > time.Second) {
		e.ModTime, e.UTC, e.Precision = told.ModTime, true, time.Second
	}
	return e, nil
}

// withoutSlash returns path without slashes at its end, unless that is all.
func withoutSlash(path string) string {
	if short := strings.TrimRight(path, "/"); short != "" || path == "" {
		return short
	}
	return "/"
}

// ownDirectory is look for a directory that no list has by its name.
func ownDirectory(ctx context.Context, conn *ftpclient.Conn, path, name string) (ftpclient.Entry, error) {
	e := ftpclient.Entry{Name: name, Type: ftpclient.EntryDir, Size: -1, Mode: -1}
	if path == "" {
		return e, nil
	}
	return e, conn.ChangeDir(ctx, path)
}

// listedAs finds name, the last of path, in the list of its directory. The error
// is errUnlisted if the list was understood as a whole and does not have it.
func listedAs(ctx context.Context, conn *ftpclient.Conn, path, name string) (ftpclient.Entry, error) {
	dir := strings.TrimSuffix(path, name)
	if dir != "/" {
		dir = strings.TrimSuffix(dir, "/")
	}
	entries, err := conn.Entries(ctx, dir)
	for _, e := range entries {
		if e.Name == name && e.Problem == "" && e.Type != ftpclient.EntryCurrent && e.Type != ftpclient.EntryParent {
			return e, nil
		}
	}
	if err == nil {
		err = errUnlisted
	}
	return ftpclient.Entry{}, err
}

var errUnlisted = errors.New("is not in the list of its directory")

// A nameError says what is wrong with a name that a server lists.
type nameError struct{ problem, name string }

func (e *nameError) Error() string { return fmt.Sprintf("%s: %q", e.problem, e.name) }

// badName is for an entry that has a problem.
func badName(e ftpclient.Entry) error { return &nameError{e.Problem, e.Name} }
