package ftpclient

import (
	"io/fs"
	"slices"
	"strings"
)

// Is reports whether the server says in words that there is nothing of that name,
// for fs.ErrNotExist. The code does not tell: 550 means that a file is "not found, no
// access" or anything else (RFC 959, Section 4.2.2). vsftpd never says why;
// pure-ftpd calls what it must not read "that file doesn't exist". Of a rename or a
// new directory, the name may be that of a directory on the way.
//
// The refusals of SIZE and MDTM are none of these: servers say "no such file" of a
// directory there.
func (e *ReplyError) Is(target error) bool {
	verb := e.verb()
	return target == fs.ErrNotExist && e.Code == codeUnavailable && verb != "SIZE" && verb != "MDTM" && e.says(absences)
}

// verb returns the command that was refused, without its argument.
func (e *ReplyError) verb() string {
	verb, _, _ := strings.Cut(e.Command, " ")
	return verb
}

// says reports whether one of the phrases is in the text, and is not there for the
// sake of the name.
func (e *ReplyError) says(phrases []string) bool {
	text, command := strings.ToLower(e.Text), strings.ToLower(e.Command)
	return slices.ContainsFunc(phrases, func(phrase string) bool {
		return strings.Contains(text, phrase) && !strings.Contains(command, phrase)
	})
}

// absences are phrases by which servers say that there is nothing of a name: that
// of strerror(3), and those of IIS, FileZilla Server and others.
var absences = []string{
	"no such file", "no such directory", "file not found", "directory not found", "cannot find the file", "cannot find the path",
}

// presences are phrases that leave open whether there is something, or say that
// there is.
var presences = []string{"denied", "permission", "permitted", "forbidden", "privilege", "access", "allowed", "not a directory"}
