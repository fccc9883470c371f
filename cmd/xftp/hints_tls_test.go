package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// What servers say if they want TLS, or want more of it.
func TestTLSReplyHints(t *testing.T) {
	const (
		use    = "the server demands TLS: use ftpes:// in the URL"
		resume = "the server wants the TLS session "
		none   = "the server has no TLS for that; "
		login  = "user and password are given as "
	)
	for _, tt := range []struct {
		code          int
		text, command string
		secure        bool
		want          string
	}{
		{530, "Non-anonymous sessions must use encryption.", "USER x", false, use},                                                                                            // vsftpd
		{550, "SSL/TLS required on the control channel", "USER x", false, use},                                                                                                // proftpd
		{522, "SSL/TLS required on the data channel", "RETR x", false, use},                                                                                                   // proftpd
		{421, "Sorry, cleartext sessions and weak ciphers are not accepted on this server.", "USER x", false, use},                                                            // pure-ftpd
		{421, "TLS is required", "USER x", false, use},                                                                                                                        // ftpserverlib
		{534, "Policy requires SSL.", "USER x", false, use},                                                                                                                   // IIS
		{503, "Use AUTH TLS first.", "USER x", false, use},                                                                                                                    // FileZilla Server
		{522, "SSL connection failed; session reuse required: see require_ssl_reuse option in vsftpd.conf man page", "RETR x", true, resume},                                  // vsftpd
		{425, "Unable to build data connection: TLS session of data connection has not resumed or the session does not match the control connection", "RETR x", true, resume}, // FileZilla Server
		{502, "Command not implemented.", "AUTH TLS", true, none},
		{536, "Requested PROT level not supported.", "PROT P", true, none},
		{530, "Login incorrect.", "PASS ****", false, login},
		{530, "TLS verification failed: no such user", "USER x", true, login},
		{550, "No such file", "RETR tls.txt", false, "it does not exist, "},
	} {
		err := fmt.Errorf("ftpclient: connect: %w", &ftpclient.ReplyError{Code: tt.code, Text: tt.text, Command: tt.command})
		o := &options{tls: tlsOptions{wanted: tt.secure}}
		if got := hintFor(err, o); !strings.HasPrefix(got, tt.want) {
			t.Errorf("hint for %d %s: %q, want %q", tt.code, tt.text, got, tt.want)
		}
	}
}

// Errors of TLS on the data connection, and those without a hint.
func TestTLSErrorHints(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&ftpclient.TLSError{Step: "control", Err: tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}}, "no TLS is spoken there"},
		{&ftpclient.TLSError{Step: "data", Err: tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}}, ""},
		{&ftpclient.TLSError{Step: "control", Err: errors.New("remote error: tls: protocol version not supported")}, "server and xftp have no version"},
		{&ftpclient.TLSError{Step: "control", Err: errors.New("remote error: tls: certificate required")}, "the server does not take the client's certificate"},
		{&ftpclient.TLSError{Step: "data", Err: errors.New("something else")}, ""},
		{&ftpclient.IntegrityError{Kind: ftpclient.KindUnverified}, unverifiedHint},
	} {
		err := fmt.Errorf("ftpclient: connect: %w", tt.err)
		if got := hintFor(err, &options{}); got != tt.want && (tt.want == "" || !strings.HasPrefix(got, tt.want)) {
			t.Errorf("hint for %v: %q, want %q", err, got, tt.want)
		}
		if text := describe(err); strings.Contains(text, "ftpclient") || strings.Contains(text, "connect:") {
			t.Errorf("%v is described as %q", err, text)
		}
	}
}
