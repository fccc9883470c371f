package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Who logs in is said by, in this order: the URL; the environment variables
// XFTP_USER and XFTP_PASSWORD; a netrc file; the user who is asked, if there is a
// terminal. A password is only ever given to the host, and for the user, that it
// was meant for:
//
//   - That of the environment has no host to it. It is for one host in a run,
//     whichever that is, and for XFTP_USER, or for the user that the URL names.
//   - That of a netrc entry is for the machine, the login and the port, if there
//     is one, that stand beside it.
//
// A user without a password anywhere logs in with an empty one, which is what
// servers get that ask for none.

// credentials finds them for one run.
type credentials struct {
	who  *caller
	out  *output
	file string // --netrc-file

	user, password string // of the environment
	spentOn        string // host and port that password is for, once it is used

	path    string // of the netrc file, once it is read
	entries []netrcEntry
	mode    fs.FileMode
	state   struct{ env, userless, netrc, readable, foreign bool } // what was done already

	asked   map[string]string // passwords by whom they are for
	found   int               // URLs so far
	unasked int               // of which these have a user without a password, and there was nobody to ask
}

// missing says that no password was given for any of the URLs.
func (c *credentials) missing() bool { return c.unasked > 0 && c.unasked == c.found }

// find completes remotes by users and passwords, and keeps the latter from being
// printed. Its errors are those of the user, or that of a signal.
func (c *credentials) find(remotes []remote) error {
	if !c.state.env {
		c.state.env = true
		c.user, c.password = os.Getenv("XFTP_USER"), os.Getenv("XFTP_PASSWORD")
		os.Unsetenv("XFTP_PASSWORD") // nobody whom xftp starts needs it
		c.out.hide(c.password)
	}
	for i := range remotes {
		if err := c.complete(&remotes[i]); err != nil {
			return err
		}
		c.out.hide(remotes[i].Password)
		c.out.hide(remotes[i].account)
	}
	return nil
}

// complete is find for one of them.
func (c *credentials) complete(r *remote) error {
	c.found++
	if from, to := passwordIn(r.raw); from != 0 || r.Password != "" {
		c.out.hide(r.raw[from:to]) // with its escapes
		return nil                 // also if it is empty
	}
	if r.User == "" {
		r.User = c.user
	}
	if c.password != "" && r.User != "" && (c.user == "" || c.user == r.User) && !isAnonymous(r.User) {
		if c.spentOn != "" && !strings.EqualFold(c.spentOn, r.Address()) {
			return &usageError{
				fmt.Sprintf("XFTP_PASSWORD is for one host, and not for %s and %s", c.spentOn, r.Address()),
				"logins for several hosts stand in a netrc file; see --netrc-file",
			}
		}
		c.spentOn, r.Password = r.Address(), c.password
		return nil
	}
	if c.password != "" && r.User == "" && !c.state.userless {
		c.state.userless = true
		c.out.warn("XFTP_PASSWORD is not used: neither XFTP_USER nor the URL names a user")
	}
	if err := c.readNetrc(); err != nil {
		return err
	}
	if e, ok := findLogin(c.entries, r.Host, r.Port, r.User); ok {
		r.User, r.Password, r.account = e.login, e.password, e.account
		c.warnOfReaders(e)
	} else if r.User == "" {
		c.warnOfDefault(r.Host)
	}
	if r.Password != "" || r.User == "" || isAnonymous(r.User) {
		return nil
	}
	key := r.Scheme + " " + r.User + " " + r.Address()
	password, known := c.asked[key]
	if !known {
		var asked bool
		var err error
		if password, asked, err = askPassword(fmt.Sprintf("Password of %s at %s: ", r.User, r.Host)); err != nil {
			return err
		}
		if !asked {
			c.unasked++
			return nil // as with an empty password
		}
		if c.asked == nil {
			c.asked = make(map[string]string)
		}
		c.asked[key] = password
	}
	r.Password = password
	return nil
}

// readNetrc reads the netrc file once, with the rights of the caller. That the
// usual one is not there is no error.
func (c *credentials) readNetrc() error {
	if c.state.netrc {
		return nil
	}
	c.state.netrc = true
	usual := false
	switch env := os.Getenv("NETRC"); {
	case c.file != "":
		c.path = c.file
	case env != "":
		c.path = env
	default:
		home := os.Getenv("HOME")
		if c.who != nil {
			home = c.who.home
		}
		if home == "" {
			return nil
		}
		c.path, usual = filepath.Join(home, ".netrc"), true
	}
	data, mode, err := c.who.readPrivate(c.path)
	switch {
	case usual && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)):
		return nil
	case usual && errors.Is(err, fs.ErrPermission):
		c.out.warn("no login is taken from %s, which cannot be read", c.path)
		return nil
	case err != nil:
		return unreadable("netrc file", err)
	}
	if c.entries, err = parseNetrc(string(data)); err != nil {
		var wrong *netrcError
		if errors.As(err, &wrong) {
			return usagef("%s:%d: %s", c.path, wrong.line, wrong.problem)
		}
		return err
	}
	c.mode = mode
	return nil
}

// warnOfReaders warns once if others can read a password that is used.
func (c *credentials) warnOfReaders(e netrcEntry) {
	if c.state.readable || e.password == "" || isAnonymous(e.login) || !c.mode.IsRegular() || c.mode.Perm()&0o077 == 0 {
		return
	}
	c.state.readable = true
	c.out.warn("others may read or change the passwords in %s; forbid it by: chmod 600 %s", c.path, shellQuote(c.path))
}

// warnOfDefault warns once if a default entry would be for host with another
// client.
func (c *credentials) warnOfDefault(host string) {
	for _, e := range c.entries {
		if e.isDefault && e.login != "" && !isAnonymous(e.login) && !c.state.foreign {
			c.state.foreign = true
			c.out.warn("the default entry of %s names a user, and is for no host; the login at %s is anonymous", c.path, host)
		}
	}
}
