package ftpclient

import "strings"

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
	{mark: "Pure-FTPd", eager: true, all: "-a"},
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
