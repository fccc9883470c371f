package main

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// A remote is a file or directory on a server, as a URL names it.
type remote struct {
	*ftpclient.URL
	raw   string // the URL, with its password
	shown string // the URL without its password

	account string // that the server may ask for (ACCT), or ""

	// entry and matched are for what a glob gave: what the server lists about
	// it, and its path from the first name on that stood for others.
	entry   *ftpclient.Entry
	matched string
}

// parseRemote reads a URL. Its errors never contain a password.
func parseRemote(arg string) (remote, error) {
	shown := redactURL(arg)
	u, err := ftpclient.ParseURL(arg)
	var wrong *ftpclient.URLError
	switch {
	case errors.As(err, &wrong):
		return remote{}, usagef("%s: %v", shown, wrong.Err)
	case err != nil:
		return remote{}, usagef("%s: not a URL", shown)
	}
	return remote{URL: u, raw: arg, shown: shown}, nil
}

// String returns the URL without its password.
func (r remote) String() string { return r.shown }

// dir and base are the two parts of the path. A base of "" says that the URL
// names a directory.
func (r remote) dir() string  { return r.Path[:strings.LastIndex(r.Path, "/")+1] }
func (r remote) base() string { return r.Path[len(r.dir()):] }

// walked returns the path of a directory without the slash at its end.
func (r remote) walked() string {
	if r.Path == "/" {
		return r.Path
	}
	return strings.TrimSuffix(r.Path, "/")
}

// join returns what lies below the directory r at path, which has slashes
// between names.
func (r remote) join(path string) remote {
	u := *r.URL
	shown, option, typed := strings.Cut(r.shown, ";type=")
	switch {
	case u.Path == "" && !strings.HasSuffix(shown, "/"): // ftp://host
		shown += "/"
	case u.Path != "" && !strings.HasSuffix(u.Path, "/"):
		shown += "/"
		u.Path += "/"
	}
	u.Path += path
	for i, name := range strings.Split(path, "/") {
		if i > 0 {
			shown += "/"
		}
		shown += url.PathEscape(name)
	}
	if typed {
		shown += ";type=" + option
	}
	return remote{URL: &u, raw: r.raw, shown: shown, account: r.account}
}

// at returns what is at another path on the same server.
func (r remote) at(path string) remote {
	u := *r.URL
	u.Path = path
	scheme, rest, _ := strings.Cut(r.shown, "://")
	authority, rest, _ := strings.Cut(rest, "/")
	shown := scheme + "://" + authority + "/"
	if strings.HasPrefix(path, "/") {
		shown += "%2F"
		path = path[1:]
	}
	for i, name := range strings.Split(path, "/") {
		if i > 0 {
			shown += "/"
		}
		shown += url.PathEscape(name)
	}
	if i := typeOption(rest); i >= 0 {
		shown += rest[i:]
	}
	return remote{URL: &u, raw: r.raw, shown: shown, account: r.account}
}

// typeOption returns where ";type=" begins in the path of a URL, or -1.
func typeOption(path string) int {
	const option = ";type="
	i := strings.LastIndexByte(path, ';')
	if i < 0 || len(path) < i+len(option) || !strings.EqualFold(path[i:i+len(option)], option) {
		return -1
	}
	return i
}

// glob returns the path as the URL writes it, in which some characters stand for
// names.
func (r remote) glob() glob {
	_, rest, _ := strings.Cut(r.shown, "://")
	_, path, _ := strings.Cut(rest, "/")
	if i := typeOption(path); i >= 0 {
		path = path[:i]
	}
	return parseGlob(path)
}

// source returns the URL without a user, which is what a part file is known
// by.
func (r remote) source() string {
	scheme, rest, _ := strings.Cut(r.shown, "://")
	authority, path, _ := strings.Cut(rest, "/")
	return scheme + "://" + authority[strings.LastIndex(authority, "@")+1:] + "/" + path
}

// localName returns the name that a download of r gets if the user does not
// give one.
func (r remote) localName() (string, error) {
	switch name := r.base(); name {
	case "":
		return "", usagef("%s: names a directory, not a file", r)
	case ".", "..":
		return "", &usageError{
			text: fmt.Sprintf("%s: no file can be called %q here", r, name),
			hint: "name the local file with -o FILE",
		}
	default:
		return name, nil // without "/" and NUL, which ParseURL refuses
	}
}

// redactURL replaces the password in arg. It works on text, so that it also
// works on what is not a URL, and there hides rather too much.
func redactURL(arg string) string {
	scheme, rest, found := strings.Cut(arg, "://")
	prefix := scheme + "://"
	if !found || strings.ContainsAny(scheme, ":@") {
		prefix, rest = "", arg // the scheme was forgotten
	}
	authority, _, _ := strings.Cut(rest, "/")
	at := strings.LastIndex(authority, "@")
	if prefix == "" {
		at = strings.LastIndex(rest, "@")
	}
	if at < 0 {
		if _, err := ftpclient.ParseURL(arg); err == nil {
			return arg
		}
		// A password with a slash in it, perhaps.
		if at = strings.LastIndex(rest, "@"); at < 0 {
			return arg
		}
	}
	user, _, found := strings.Cut(rest[:at], ":")
	if !found {
		return arg
	}
	return prefix + user + ":***" + rest[at:]
}
