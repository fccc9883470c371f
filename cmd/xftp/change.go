package main

import (
	"context"
	"errors"
	"strings"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// A change is what --json prints about one thing on a server that rm, mkdir and
// the like have changed, or have not.
type change struct {
	Verb  string         `json:"verb"`
	URL   string         `json:"url"` // without a password
	To    *string        `json:"to"`  // mv: the new one
	Error *transferError `json:"error"`
}

// changed reports what became of r, as JSON, and an error in any case. It returns
// that.
func (s *session) changed(ctx context.Context, r remote, to *remote, err error) error {
	c := change{Verb: s.verb, URL: r.String()}
	if to != nil {
		c.To = orNull(to.String())
	}
	if err != nil {
		err = s.failed(ctx, r.String(), err, "")
		c.Error = errorOf(err)
		c.Error.Message = s.out.scrub(c.Error.Message)
	}
	if s.out.json {
		s.out.report(c)
	}
	return err
}

// each calls f for each of remotes, globs expanded, until a signal ends ctx, which
// is reported.
func (s *session) each(ctx context.Context, remotes []remote, f func(remote)) {
	remotes, err := s.expand(ctx, remotes)
	if err != nil {
		return
	}
	for i, r := range remotes {
		f(r)
		if caught := interrupted(ctx); caught != nil {
			if i+1 < len(remotes) {
				s.failed(ctx, remotes[i+1].String(), caught, "")
			}
			return
		}
	}
}

// isRefused reports whether err says that the server has refused, and will go on
// listening.
func isRefused(err error) bool {
	var refusal *ftpclient.ReplyError
	const closing = 421
	return errors.As(err, &refusal) && refusal.Code != closing
}

// checkOwn refuses what nobody wants to remove or rename: the root, and the
// directory that the login begins in, or one that it is in, as far as names tell.
func checkOwn(r remote) error {
	path := withoutSlash(r.Path)
	if path == "/" {
		return usagef("%s: is the root of the server", r)
	}
	only := true // dots
	for name := range strings.SplitSeq(path, "/") {
		if name == ".." {
			return usagef("%s: leads upwards; name it from where the login begins, or from the root", r)
		}
		only = only && (name == "" || name == ".")
	}
	if only {
		return usagef("%s: is the directory that the login begins in", r)
	}
	return nil
}

// removable reads the URLs of what is to be removed.
func (o *options) removable(args []string) ([]remote, error) {
	remotes, err := o.remotes(args...)
	if err != nil {
		return nil, err
	}
	return remotes, checkAllOwn(remotes)
}

// checkAllOwn is checkOwn for several.
func checkAllOwn(remotes []remote) error {
	for _, r := range remotes {
		if err := checkOwn(r); err != nil {
			return err
		}
	}
	return nil
}

var errHome = errors.New("is the directory that the login begins in, or one that it is in")

// checkHome refuses what checkOwn does where only the server knows its name.
func checkHome(ctx context.Context, conn *ftpclient.Conn, path string) error {
	if !strings.HasPrefix(path, "/") {
		return nil
	}
	home, err := conn.WorkingDir(ctx)
	if err != nil {
		return err
	}
	if strings.HasPrefix(cleanSlashes(home)+"/", cleanSlashes(path)+"/") {
		return errHome
	}
	return nil
}

// cleanSlashes returns an absolute path without what means nothing.
func cleanSlashes(path string) string {
	clean := ""
	for name := range strings.SplitSeq(path, "/") {
		if name != "" && name != "." {
			clean += "/" + name
		}
	}
	return clean
}
