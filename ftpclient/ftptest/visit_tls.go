package ftptest

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
)

// secure protects the control connection.
func (v *visit) secure() error {
	conn := tls.Server(v.control, v.site.TLS)
	if err := conn.HandshakeContext(v.ctx); err != nil {
		// To close with something of the client's unread would be a reset, which
		// overtakes the alert that says why.
		_, _ = io.Copy(io.Discard, v.control)
		return err
	}
	v.control, v.safe = conn, true
	return nil
}

// protect does the commands of RFC 4217.
func (v *visit) protect(line string) error {
	grant := v.site.TLS != nil
	switch {
	case line == "AUTH TLS" && grant && !v.safe:
		if err := v.reply("234 go on"); err != nil {
			return err
		}
		if err := v.secure(); err != nil {
			return err
		}
		v.lines = v.site.read(v.control)
		return nil
	case line == "PBSZ 0" && grant:
		return v.reply("200 ok")
	case line == "PROT P" && grant:
		v.private = true
		return v.reply("200 private")
	case line[:len("AUTH")] == "AUTH":
		if err := v.reply("504 not that"); err != nil {
			return err
		}
		v.lines = v.site.read(v.control)
		return nil
	default:
		return v.reply("536 not that")
	}
}

// protected returns conn as the client has asked for it.
func (v *visit) protected(conn net.Conn) (net.Conn, error) {
	switch {
	case v.site.TLS == nil:
		return conn, nil
	case !v.private:
		return nil, errors.New("PROT P first")
	}
	data, err := secureData(v.ctx, conn, v.site.TLS)
	if err != nil {
		return nil, err
	}
	if v.site.Reuse && !data.ConnectionState().DidResume {
		return nil, errors.New("session reuse required")
	}
	return data, nil
}

// endData closes a data connection whose last byte has gone or come.
func (v *visit) endData(data net.Conn) error {
	switch {
	case v.site.Truncate:
		return unclosed(data)
	case v.site.Patient:
		return finishData(data)
	default:
		return data.Close()
	}
}
