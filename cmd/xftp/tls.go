package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// tlsOptions say how a server is to prove who it is, and how xftp does.
type tlsOptions struct {
	cacert, cert, key string // files
	insecure          bool
	pins              [][sha256.Size]byte // of keys, one of which the server must have

	// wanted says that some URL has TLS.
	wanted bool
}

func (t *tlsOptions) addFlags(f *pflag.FlagSet) {
	f.StringVar(&t.cacert, "cacert", "", "trust the authorities whose certificates are in `FILE` (PEM), not the system's")
	f.StringVar(&t.cert, "cert", "", "show the server the certificate in `FILE` (PEM)")
	f.StringVar(&t.key, "key", "", "its key is in `FILE` (PEM), not in that of --cert")
	f.BoolVar(&t.insecure, "tls-insecure", false, "do not verify who the server is")
	f.Var((*keyPins)(&t.pins), "pinned-pubkey", "the server's key has to have this `sha256//BASE64`, or one of several with ; between")
}

// config reads the files that the options name, with the rights of who, and
// returns what they say. Its errors are usageErrors.
func (t *tlsOptions) config(who *caller) (*tls.Config, error) {
	cfg := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: t.insecure, // said aloud, see tlsOptions.say
	}
	if t.cacert != "" {
		authorities, err := who.readFile(t.cacert)
		if err != nil {
			return nil, unreadable("--cacert", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(authorities) {
			return nil, usagef("--cacert %s: has no certificate in PEM form", t.cacert)
		}
	}
	if t.cert == "" {
		if t.key != "" {
			return nil, usagef("--key %s: is of no use without --cert", t.key)
		}
		return cfg, nil
	}
	cert, err := who.readFile(t.cert)
	if err != nil {
		return nil, unreadable("--cert", err)
	}
	key := cert
	if t.key != "" {
		if key, err = who.readFile(t.key); err != nil {
			return nil, unreadable("--key", err)
		}
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, usagef("--cert %s: %s", t.cert, strings.TrimPrefix(err.Error(), "tls: "))
	}
	cfg.Certificates = []tls.Certificate{pair}
	return cfg, nil
}

// unreadable is the error of a file that a flag names. What it names by mistake
// may be a URL with a password.
func unreadable(flag string, err error) error {
	return usagef("%s: %s", flag, passwords.ReplaceAllString(err.Error(), "$1:***@"))
}

// say warns of what TLS does not do in this run: aloud if nobody verifies the
// server, and of flags that were typed for connections in clear.
func (t *tlsOptions) say(out *output, flags *pflag.FlagSet) {
	switch {
	case t.wanted && t.insecure && len(t.pins) > 0:
		out.alarm("--tls-insecure: the server is known by its pinned key alone; its certificate is not verified")
	case t.wanted && t.insecure:
		out.alarm("--tls-insecure: nobody verifies who the server is; others can read and change what is sent")
	case t.wanted:
	default:
		for _, name := range []string{"cacert", "cert", "tls-insecure", "pinned-pubkey"} {
			if flags.Changed(name) {
				out.warn("--%s does nothing for ftp://, which is in clear; TLS is ftpes:// or ftps://", name)
				return
			}
		}
	}
}

// keyPins is the value of --pinned-pubkey, which has the form of curl's.
type keyPins [][sha256.Size]byte

// pinPrefix is what stands before the SHA-256 of a key.
const pinPrefix = "sha256//"

func (p *keyPins) String() string {
	words := make([]string, len(*p))
	for i, pin := range *p {
		words[i] = pinPrefix + base64.StdEncoding.EncodeToString(pin[:])
	}
	return strings.Join(words, ";")
}

func (p *keyPins) Type() string { return "sha256//BASE64" }

func (p *keyPins) Set(s string) error {
	for word := range strings.SplitSeq(s, ";") {
		digest, found := strings.CutPrefix(strings.TrimSpace(word), pinPrefix)
		sum, err := base64.StdEncoding.DecodeString(digest)
		if !found || err != nil || len(sum) != sha256.Size {
			return errors.New("must be sha256// and the SHA-256 of a public key in base64, or several with ; between")
		}
		if !slices.ContainsFunc(*p, func(old [sha256.Size]byte) bool { return bytes.Equal(old[:], sum) }) {
			*p = append(*p, [sha256.Size]byte(sum))
		}
	}
	return nil
}
