package main

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// look returns what the server tells of one file or directory, which is called
// by the last name of path: by MLST, or else by what the list of its directory,
// SIZE and MDTM say. An empty path is the directory that the login begins in.
// The error wraps [fs.ErrNotExist] only if the server shows that there is no
// such name; any other says that it is not known.
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
	if isAbsence(refusal) {
		return e, &absentError{refusal}
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
	case errors.Is(listErr, fs.ErrNotExist) && errors.As(refusal, new(*ftpclient.ReplyError)):
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
// wraps [fs.ErrNotExist] if the list was understood as a whole and does not have
// it.
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
		err = &absentError{errUnlisted}
	}
	return ftpclient.Entry{}, err
}

var errUnlisted = errors.New("is not in the list of its directory")

// An absentError says that the server has shown that it has no such name.
type absentError struct{ err error }

func (e *absentError) Error() string { return e.err.Error() }

// Unwrap returns the error that shows it, and [fs.ErrNotExist].
func (e *absentError) Unwrap() []error { return []error{e.err, fs.ErrNotExist} }

// absences are phrases by which servers that answer 550 mean that there is no
// such name: those of strerror(3), and of servers that have their own.
var absences = []string{"no such file", "not found", "does not exist", "doesn't exist", "cannot find the", "not exist"}

// isAbsence reports whether err is a refusal that says that there is no such
// name. The code alone does not: 550 is also for what may not be seen.
func isAbsence(err error) bool {
	var refusal *ftpclient.ReplyError
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if !errors.As(err, &refusal) || refusal.Code != 550 && refusal.Code != 450 {
		return false
	}
	text := strings.ToLower(refusal.Text)
	for _, phrase := range absences {
		if strings.Contains(text, phrase) {
			return true
		}
	}
	return false
}
