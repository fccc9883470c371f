package lab

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// TLSMode says how a server protects its connections.
type TLSMode uint8

// The modes. Where there is TLS, a server accepts no login and no data
// connection without it.
const (
	NoTLS       TLSMode = iota
	ExplicitTLS         // after AUTH TLS (RFC 4217)
	ImplicitTLS         // from the first byte on
)

// String returns the name of the mode, as flags have it.
func (m TLSMode) String() string {
	switch m {
	case NoTLS:
		return "none"
	case ExplicitTLS:
		return "explicit"
	case ImplicitTLS:
		return "implicit"
	}
	return fmt.Sprintf("TLSMode(%d)", uint8(m))
}

// TLSModes returns all modes.
func TLSModes() []TLSMode { return []TLSMode{NoTLS, ExplicitTLS, ImplicitTLS} }

// scheme returns the scheme of URLs.
func (m TLSMode) scheme() string {
	return [...]string{NoTLS: "ftp", ExplicitTLS: "ftpes", ImplicitTLS: "ftps"}[m]
}

// port returns the port of the control connection where none is given.
func (m TLSMode) port() int {
	if m == ImplicitTLS {
		return 990
	}
	return 21
}

// certificate is what a server shows, in files of the lab. Its authority is
// the lab's own, and it is for the addresses of both hosts.
type certificate struct {
	CAFile, CertFile, KeyFile string // in PEM
}

// certificateLife is how long a lab's certificates are good for.
const certificateLife = 365 * 24 * time.Hour

// certificate returns the lab's certificate, which it makes if there is none.
func (l *Lab) certificate() (certificate, error) {
	l.tls.Lock()
	defer l.tls.Unlock()
	if l.cert.CAFile != "" {
		return l.cert, nil
	}
	c := certificate{
		CAFile:   filepath.Join(l.dir, "ca.pem"),
		CertFile: filepath.Join(l.dir, "server.pem"),
		KeyFile:  filepath.Join(l.dir, "server-key.pem"),
	}
	if err := c.make(l.Client, l.Server); err != nil {
		return certificate{}, fmt.Errorf("make a certificate: %w", err)
	}
	l.cert = c
	return c, nil
}

func (c certificate) make(hosts ...*Host) error {
	now := time.Now()
	ca := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "xftp lab CA"},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(certificateLife),
		KeyUsage:              x509.KeyUsageCertSign,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: "xftp lab server"},
		NotBefore:    ca.NotBefore,
		NotAfter:     ca.NotAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, h := range hosts {
		leaf.IPAddresses = append(leaf.IPAddresses, net.IP(h.IPv4.Addr().AsSlice()), net.IP(h.IPv6.Addr().AsSlice()))
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		return err
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, caKey)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(
		writePEM(c.CAFile, "CERTIFICATE", caDER, 0o644),
		writePEM(c.CertFile, "CERTIFICATE", leafDER, 0o644),
		writePEM(c.KeyFile, "PRIVATE KEY", keyDER, 0o600),
	)
}

func writePEM(path, kind string, der []byte, mode os.FileMode) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode)
}
