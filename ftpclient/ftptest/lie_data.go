package ftptest

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"path"
	"strconv"
	"strings"
)

// passive listens for a data connection and tells where, or not.
func (v *lieSession) passive(verb string) error {
	v.closeData()
	host, _, err := net.SplitHostPort(v.control.LocalAddr().String())
	if err != nil {
		return err
	}
	if v.ln, err = v.liar.net.Listen(v.liar.ctx, "tcp", net.JoinHostPort(host, "0")); err != nil {
		return v.reply("425 " + err.Error())
	}
	v.liar.keep(v.ln)
	_, digits, err := net.SplitHostPort(v.ln.Addr().String())
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(digits)
	if err != nil {
		return err
	}
	p := &v.liar.lie.plan
	switch {
	case verb == "EPSV" && p.epsv != nil:
		return v.reply(p.epsv(v, port))
	case verb == "EPSV":
		return v.reply(fmt.Sprintf("229 Entering Extended Passive Mode (|||%d|)", port))
	case p.pasv != nil:
		return v.reply(p.pasv(v, port))
	default:
		return v.reply(pasvReply(host, port))
	}
}

func pasvReply(host string, port int) string {
	return fmt.Sprintf("227 Entering Passive Mode (%s,%d,%d)", strings.ReplaceAll(host, ".", ","), port>>8, port&0xff)
}

// active notes where the client listens.
func (v *lieSession) active(verb, arg string) error {
	v.closeData()
	peer, ok := activePeer(verb, arg)
	if !ok {
		return v.reply("501 what")
	}
	v.peer = peer
	return v.reply("200 ok")
}

// transfer does a command that moves data.
func (v *lieSession) transfer(verb, name string) error {
	defer v.closeData()
	defer v.background.Wait()
	l := &v.liar.lie
	v.name, v.begin, v.cut = path.Base(name), v.offset, false
	v.offset = 0
	content, _, _, ok := v.liar.file(name, false)
	switch verb {
	case "LIST", "NLST":
		return v.play(listing(verb == "LIST"))
	case "APPE":
		v.begin = int64(len(content))
	case "RETR":
		if !ok {
			return v.reply("550 no such file")
		}
		if v.liar.beside(name) {
			return v.play(wholeFile(done))
		}
		if l.plan.restIgnored {
			v.begin = 0
		}
		times := v.liar.begin(v.name)
		switch {
		case times > 1 && l.plan.again != nil:
			return v.play(l.plan.again)
		case l.Direction == Download && l.plan.retr != nil:
			return v.play(l.plan.retr)
		default:
			return v.play(wholeFile(done))
		}
	}
	if l.Direction == Upload && l.plan.stor != nil {
		return v.play(l.plan.stor)
	}
	return v.play(storeAll(done))
}

func (v *lieSession) play(steps []step) error {
	for _, s := range steps {
		if err := s(v); err != nil {
			return err
		}
	}
	return nil
}

// host returns the server's own address.
func (v *lieSession) host() string {
	host, _, err := net.SplitHostPort(v.raw.LocalAddr().String())
	if err != nil {
		return v.raw.LocalAddr().String()
	}
	return host
}

// nowhere returns a port where nobody listens. That of the data connection is
// given up for it.
func (v *lieSession) nowhere() int {
	_, digits, _ := net.SplitHostPort(v.ln.Addr().String())
	port, _ := strconv.Atoi(digits) // passive has seen that it is a number
	v.closeData()
	return port
}

var errNoDataCommand = errors.New("use PORT or PASV first")

// open opens the data connection that was prepared.
func open(v *lieSession) (err error) {
	switch {
	case v.ln != nil:
		v.rawData, err = v.ln.Accept()
		v.liar.drop(v.ln)
		v.ln = nil
	case v.peer != "":
		v.rawData, err = v.liar.net.DialContext(v.liar.ctx, "tcp", v.peer)
	default:
		err = errNoDataCommand
	}
	if err != nil {
		v.rawData = nil
		return errors.Join(v.reply("425 "+err.Error()), errHangup)
	}
	v.liar.keep(v.rawData)
	v.data = v.rawData
	if v.private {
		v.data = tls.Server(v.rawData, v.liar.opts.TLS)
	}
	return nil
}

// handshake makes the TLS of the data connection, which a connection without a
// byte would otherwise not get.
func (v *lieSession) handshake() error {
	if secure, ok := v.data.(*tls.Conn); ok {
		return secure.HandshakeContext(v.liar.ctx)
	}
	return nil
}
