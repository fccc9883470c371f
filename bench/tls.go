package main

import (
	"errors"
	"fmt"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// caFile returns the file with the authority of the server's certificate; ""
// without TLS.
func (s *site) caFile() string {
	if s.server == nil {
		return ""
	}
	return s.server.CAFile()
}

// handshakes returns what the server has agreed upon with all clients so far;
// nothing where there is no TLS.
func (s *site) handshakes() ([]lab.Handshake, error) {
	if s.caFile() == "" {
		return nil, nil
	}
	return s.server.Handshakes()
}

// tlsSince says what TLS the connections have that came after the first n. It
// is an error if there is none for data, or if data are protected in another
// way than the control connection.
func (s *site) tlsSince(n int) (string, error) {
	all, err := s.handshakes()
	if err != nil {
		return "", err
	}
	var first lab.Handshake
	data := 0
	for i, h := range all[n:] {
		if i == 0 {
			first = h
		}
		if h.Version != first.Version || h.Cipher != first.Cipher {
			return "", fmt.Errorf("TLS of one connection is %s %s, of another %s %s", first.Version, first.Cipher, h.Version, h.Cipher)
		}
		if h.Resumed {
			data++
		}
	}
	if data == 0 {
		return "", errors.New("no data connection had TLS")
	}
	return first.Version + " " + first.Cipher, nil
}
