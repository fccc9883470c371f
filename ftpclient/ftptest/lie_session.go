package ftptest

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"path"
	"strconv"
	"strings"
	"sync"
)

// A lieSession is one session of a [Liar]. Its commands are handled strictly
// one after the other.
type lieSession struct {
	liar    *Liar
	raw     net.Conn // of the control connection
	control net.Conn // raw, or TLS over it
	lines   *bufio.Reader

	secure  bool // TLS on the control connection
	private bool // TLS on data connections
	offset  int64
	from    string // of RNFR

	ln   net.Listener // of passive mode
	peer string       // of active mode

	// Of the transfer that is under way.
	name    string
	begin   int64 // offset
	rawData net.Conn
	data    net.Conn // rawData, or TLS over it
	cut     bool     // the client took or gave no more data

	background sync.WaitGroup // of what is done meanwhile

	unread []net.Conn // data connections that are left open
}

func (s *Liar) serve(conn net.Conn) {
	v := &lieSession{liar: s, raw: conn, control: conn}
	s.keep(conn)
	defer s.drop(conn)
	defer v.closeData()
	defer func() {
		for _, c := range v.unread {
			s.drop(c)
		}
	}()
	if s.opts.TLS != nil && s.opts.Implicit {
		v.upgrade()
		v.private = true
	}
	v.lines = bufio.NewReader(v.control)
	if v.reply("220 ready") != nil {
		return
	}
	for {
		line, err := v.lines.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		s.mu.Lock()
		s.log = append(s.log, line)
		s.mu.Unlock()
		if v.handle(line) != nil {
			return
		}
	}
}

func (v *lieSession) upgrade() {
	v.control = tls.Server(v.raw, v.liar.opts.TLS)
	v.secure = true
}

// write sends text as it is.
func (v *lieSession) write(text string) error {
	_, err := io.WriteString(v.control, text)
	return err
}

// reply sends lines in the manner of the lie.
func (v *lieSession) reply(lines ...string) error {
	text := strings.Join(lines, "\r\n") + "\r\n"
	if write := v.liar.lie.plan.write; write != nil {
		return write(v, text)
	}
	return v.write(text)
}

func (v *lieSession) handle(line string) error {
	p := &v.liar.lie.plan
	verb, arg, _ := strings.Cut(line, " ")
	verb = strings.ToUpper(verb)
	if refusal := p.refuse[verb]; refusal != "" {
		return v.reply(refusal)
	}
	if v.liar.opts.TLS != nil && !v.secure && verb != "AUTH" && verb != "QUIT" && verb != "FEAT" {
		return v.reply("530 TLS first")
	}
	name := path.Base(arg)
	switch verb {
	case "AUTH", "PBSZ", "PROT":
		return v.security(verb, arg)
	case "USER":
		return v.reply("331 password, please")
	case "PASS":
		return v.reply("230 in")
	case "QUIT":
		_ = v.reply("221 bye")
		return errHangup
	case "EPSV", "PASV":
		return v.passive(verb)
	case "EPRT", "PORT":
		return v.active(verb, arg)
	case "REST":
		offset, err := strconv.ParseInt(arg, 10, 64)
		if err != nil {
			return v.reply("501 what")
		}
		v.offset = offset
		return v.reply("350 from there")
	case "RETR", "STOR", "APPE", "LIST", "NLST":
		return v.transfer(verb, name)
	case "FEAT":
		if p.features == nil {
			return v.reply("502 what")
		}
		return v.reply("211-Features", " "+strings.Join(p.features, "\r\n "), "211 end")
	case "MLST":
		return v.facts(name)
	default:
		return v.reply(v.answer(verb, arg, name))
	}
}

// security does the commands of RFC 4217.
func (v *lieSession) security(verb, arg string) error {
	switch {
	case v.liar.opts.TLS == nil:
		return v.reply("502 what")
	case verb == "AUTH" && !v.secure:
		if err := v.reply("234 go on"); err != nil {
			return err
		}
		if v.lines.Buffered() > 0 {
			return errors.New("plaintext behind AUTH")
		}
		v.upgrade()
		v.lines = bufio.NewReader(v.control)
		return nil
	case verb == "PBSZ" && v.secure:
		return v.reply("200 PBSZ=0")
	case verb == "PROT" && v.secure && strings.EqualFold(arg, "P"):
		v.private = true
		return v.reply("200 private")
	default:
		return v.reply("534 no")
	}
}

// answer does a command that moves no data and returns the reply.
func (v *lieSession) answer(verb, arg, name string) string {
	p := &v.liar.lie.plan
	switch verb {
	case "TYPE", "MODE", "STRU", "NOOP", "OPTS", "CLNT", "ALLO":
		return "200 ok"
	case "SYST":
		return "215 UNIX Type: L8"
	case "PWD":
		return `257 "/" is here`
	case "CWD":
		if _, _, _, ok := v.liar.file(name, false); ok {
			return "550 not a directory"
		}
		return "250 there"
	case "CDUP":
		return "250 there"
	case "ABOR":
		return "226 nothing to abort"
	case "SIZE":
		content, sent, asked, ok := v.liar.file(name, true)
		if !ok {
			return "550 no such file"
		}
		n := int64(len(content))
		if p.claimStored {
			n = sent
		}
		if p.size != nil && !v.liar.beside(name) {
			return p.size(asked, n)
		}
		return fmt.Sprintf("213 %d", n)
	case "MDTM":
		if _, _, _, ok := v.liar.file(name, false); !ok {
			return "550 no such file"
		}
		return "213 " + v.liar.modified()
	case "HASH":
		content, _, _, ok := v.liar.file(name, false)
		switch {
		case !p.hashed:
			return "502 what"
		case !ok:
			return "550 no such file"
		}
		return fmt.Sprintf("213 SHA-256 0-%d %s %s", len(content), LieHash(content), arg)
	case "RNFR":
		if _, _, _, ok := v.liar.file(name, false); !ok {
			return "550 no such file"
		}
		v.from = name
		return "350 and to what"
	case "RNTO":
		if v.from == "" || !v.liar.rename(v.from, name) {
			return "503 no RNFR"
		}
		v.from = ""
		return "250 renamed"
	case "DELE":
		if !v.liar.remove(name) {
			return "550 no such file"
		}
		return "250 gone"
	default:
		return "502 what"
	}
}

// facts does MLST, for servers that have it.
func (v *lieSession) facts(name string) error {
	content, _, _, ok := v.liar.file(name, false)
	switch {
	case v.liar.lie.plan.features == nil:
		return v.reply("502 what")
	case !ok:
		return v.reply("550 no such file")
	}
	return v.reply("250-Facts", fmt.Sprintf(" type=file;size=%d;modify=%s; %s", len(content), v.liar.modified(), name), "250 end")
}

func (v *lieSession) closeData() {
	if v.ln != nil {
		v.liar.drop(v.ln)
		v.ln = nil
	}
	if v.rawData != nil {
		v.liar.drop(v.rawData)
		v.rawData, v.data = nil, nil
	}
	v.peer = ""
}
