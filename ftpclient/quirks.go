package ftpclient

import (
	"path"
	"strings"
)

// A quirk is what is peculiar to a kind of server, which its greeting shows. What
// is found out while a [Client] works is in [site].
type quirk struct {
	mark string // in the greeting

	// lockstep: it loses commands that are sent before the reply to the one
	// before.
	lockstep bool

	// eager: it reads commands while it transfers, and answers those that it does
	// not expect then with an error, out of turn. A command is sent ahead of
	// replies, but not of data.
	eager bool

	noMLSD bool   // it has none
	all    string // the option of LIST for names that begin with a dot

	telnet bool // IAC IAC is one byte for it, as RFC 959 wants it
	awaits bool // it keeps a data connection open until its close_notify is answered

	mdtmSets bool // MDTM with a time before the name sets that

	// takes returns the name that it takes a name for, without a word, as the
	// argument of a command. If nil, it takes every name as it is.
	takes func(verb, name string) string

	// denials are texts of a 550 by which it says of a command that this user may
	// not have it, whatever the file.
	denials map[string]string
}

// quirks has each server once.
//
// Those in lockstep are the ones for which lftp turns its pipelining off by default
// (ftp:auto-sync-mode in src/resource.cc of lftp 4.6.0).
//
// vsftpd 3.0.5 has no MLSD (postlogin.c) and leaves out names with a dot unless told
// (ls.c); so do the others in LIST, if MLSD is turned off. Anonymous users
// get "550 Permission denied." for all of SITE, and for the name behind a time
// "550 Could not get ..." where mdtm_write is off.
//
// IAC is undone by ProFTPD (netio.c) and those that descend from BSD's ftpd. Others
// take every byte as it is: vsftpd, Pure-FTPd and ftpserverlib do, and would take
// the doubled byte for another file's name.
//
// Of the eager, ProFTPD says "450 data transfer in progress" (poll_ctrl in
// src/data.c), Pure-FTPd "500" (dlhandler_handle_commands in src/ftpd.c).
var quirks = []quirk{
	{
		mark: "vsFTPd", noMLSD: true, all: "-a", mdtmSets: true, awaits: true,
		denials: map[string]string{
			"SITE CHMOD": "Permission denied.", "SITE UTIME": "Permission denied.", "SITE UTIME name": "Permission denied.",
			"MDTM time": "Could not get",
		},
	},
	{mark: "ProFTPD", eager: true, telnet: true, all: "-a"},
	{mark: "Pure-FTPd", eager: true, all: "-a", takes: pureFTPdTakes},
	{mark: "FTP server (", telnet: true},
	{mark: "icrosoft FTP Service", lockstep: true},
	{mark: "MadGoat", lockstep: true},
	{mark: "MikroTik", lockstep: true},
}

// quirksOf returns what is peculiar to the server with this greeting.
func quirksOf(greeting Reply) quirk {
	text := greeting.Text()
	for _, q := range quirks {
		if strings.Contains(text, q.mark) {
			return q
		}
	}
	return quirk{}
}

// pureFTPdTakes is what pure-ftpd 1.0.50 makes of names, as TestLabTakenNames finds it.
// A byte from 0x01 to 0x1f, or 0x7f, anywhere in the line of any command becomes an
// underscore (sfgets in src/ftp_parser.c), so that SIZE and DELE are about
// the other file, too. For the commands that make a name, so does each space before
// the whole path, without a "./", and each one behind it (revealextraspc); those
// of directories on the way stay, and so do other blanks than U+0020.
func pureFTPdTakes(verb, name string) string {
	taken := []byte(name)
	for i, b := range taken {
		if b < ' ' || b == 0x7f {
			taken[i] = '_'
		}
	}
	switch verb {
	case "STOR", "APPE", "MKD", "RNTO":
	default:
		return string(taken)
	}
	if strings.HasPrefix(path.Clean(name), " ") {
		for i := strings.Index(name, " "); i < len(name) && name[i] == ' '; i++ {
			taken[i] = '_'
		}
	}
	for i := len(name) - 1; i >= 0 && name[i] == ' '; i-- {
		taken[i] = '_'
	}
	return string(taken)
}

// checkName refuses the path that a server would not see, or take for another.
func (c *Conn) checkName(verb, path string) error {
	if err := checkPath(verb, path); err != nil {
		return err
	}
	return c.checkTaken(verb, path)
}

// checkTaken refuses the path that the server would take for another.
func (c *Conn) checkTaken(verb, path string) error {
	takes := quirksOf(c.greeting).takes
	if takes == nil {
		return nil
	}
	if taken := takes(verb, path); taken != path {
		return &NameError{Command: verb, Name: path, Taken: taken}
	}
	return nil
}

// named holds the commands whose whole argument is a path.
var named = map[string]bool{
	"RETR": true, "STOR": true, "APPE": true, "DELE": true, "MKD": true, "RMD": true, "CWD": true,
	"RNFR": true, "RNTO": true, "SIZE": true, "MDTM": true, "MLST": true,
}
