package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"regexp"
	"strings"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// tlsHints are for connections that could not be protected.
var tlsHints = []hint{
	{as[x509.UnknownAuthorityError], "nobody that is trusted here has signed the server's certificate; if you know who has: --cacert FILE"},
	{as[x509.HostnameError], "use a name in the URL that the certificate is for"},
	{isExpired, "the server's certificate is not valid at this time; check the clock here too"},
	{as[x509.SystemRootsError], "no authorities are known here; give some with --cacert FILE"},
	{isNoTLS, "no TLS is spoken there from the start; ftpes:// begins with AUTH TLS"},
	{wantsCertificate, "the server does not take the client's certificate; --cert FILE and --key FILE give another"},
	{isOldTLS, "server and xftp have no version or cipher of TLS in common; xftp takes TLS 1.2 and later"},
}

// isExpired matches a certificate that is not valid yet, or no more.
func isExpired(err error) bool {
	var invalid x509.CertificateInvalidError
	return errors.As(err, &invalid) && invalid.Reason == x509.Expired
}

// isNoTLS matches a server that answers on the control connection, but not in
// TLS.
func isNoTLS(err error) bool {
	var failed *ftpclient.TLSError
	return errors.As(err, &failed) && failed.Step == "control" && as[tls.RecordHeaderError](err)
}

// wantsCertificate matches what a server says of a client's certificate that
// is missing, or that it does not trust (RFC 8446, Section 6.2). crypto/tls has
// no type for what the other end says.
func wantsCertificate(err error) bool {
	return saysAny(err, "remote error: tls: certificate required", "remote error: tls: bad certificate", "remote error: tls: unknown certificate", "remote error: tls: handshake failure")
}

func isOldTLS(err error) bool {
	return saysAny(err, "protocol version not supported", "unsupported versions", "unsupported protocol version", "insufficient security level")
}

func saysAny(err error, texts ...string) bool {
	var failed *ftpclient.TLSError
	if !errors.As(err, &failed) {
		return false
	}
	for _, text := range texts {
		if strings.Contains(failed.Error(), text) {
			return true
		}
	}
	return false
}

// pinHint tells how to pin the key that the server has.
func pinHint(err error) string {
	var other *ftpclient.PinError
	if !errors.As(err, &other) {
		return ""
	}
	return "if that is the right server and its key is new: --pinned-pubkey " + pinPrefix + base64.StdEncoding.EncodeToString(other.Got[:])
}

// How servers speak of TLS. They have no codes of their own for it.
var (
	resumption = regexp.MustCompile(`(?i)session.*(reus|resum)|(reus|resum).*session`)
	encryption = regexp.MustCompile(`(?i)\b(tls|ssl|encrypt\w*|cleartext)\b`)
)

// tlsReplyHint is for refusals that are about TLS; secure says that the URL has
// it. It returns "" for others.
func tlsReplyHint(reply *ftpclient.ReplyError, secure bool) string {
	verb, _, _ := strings.Cut(reply.Command, " ")
	switch {
	case verb == "AUTH" || verb == "PBSZ" || verb == "PROT":
		return "the server has no TLS for that; with ftp:// everything, the password too, would go in clear"
	case resumption.MatchString(reply.Text):
		return "the server wants the TLS session of the control connection on the data connection, and did not get it; it may do without (vsftpd: require_ssl_reuse=NO, proftpd: TLSOptions NoSessionReuseRequired)"
	case !secure && demandsTLS[reply.Code] && encryption.MatchString(reply.Text):
		return "the server demands TLS: use ftpes:// in the URL"
	}
	return ""
}

// demandsTLS are the codes by which servers refuse what is not protected: 530 of
// vsftpd, 550 and 522 of proftpd, 421 of pure-ftpd, and those of others.
var demandsTLS = map[int]bool{421: true, 431: true, 503: true, 521: true, 522: true, 530: true, 533: true, 534: true, 550: true}
