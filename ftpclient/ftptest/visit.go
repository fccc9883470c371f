package ftptest

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// A visit is one session of a [Site].
type visit struct {
	site    *Site
	number  int
	ctx     context.Context
	net     Net
	control net.Conn
	lines   <-chan string // of the client
	refused bool          // one session too many
	safe    bool          // TLS on the control connection
	private bool          // TLS on data connections

	ln     net.Listener // of passive mode
	peer   string       // of active mode
	offset int
	from   string // of RNFR
}

func (v *visit) keep(c io.Closer) {
	v.site.mu.Lock()
	defer v.site.mu.Unlock()
	v.site.conns[c] = true
	if v.ctx.Err() != nil {
		_ = c.Close()
	}
}

func (v *visit) drop(c io.Closer) {
	_ = c.Close()
	v.site.mu.Lock()
	defer v.site.mu.Unlock()
	delete(v.site.conns, c)
}

func (v *visit) reply(line string) error {
	_, err := io.WriteString(v.control, line+"\r\n")
	return err
}

// handle does one command.
func (v *visit) handle(n int, line string) error {
	fault := v.site.note(v.number, n, line)
	if fault.Await != nil {
		select {
		case <-fault.Await:
		case <-v.ctx.Done():
			return v.ctx.Err()
		}
	}
	verb, arg, _ := strings.Cut(line, " ")
	text := fault.Reply
	if text == "" {
		text = v.site.Refuse[line]
	}
	if text == "" {
		text = v.site.Refuse[verb]
	}
	offset := v.offset
	v.offset = 0
	switch {
	case fault.Hangup && text == "":
		return errHangup
	case text != "":
		if strings.HasPrefix(text, "5") && (verb == "RETR" || verb == "STOR") {
			v.closeData()
		}
		if err := v.reply(text); err != nil || fault.Hangup || strings.HasPrefix(text, "421") {
			return errHangup
		}
		if verb == "AUTH" {
			v.lines = v.site.read(v.control)
		}
		return nil
	}
	if v.site.TLS != nil && !v.safe && verb != "AUTH" && verb != "QUIT" && verb != "FEAT" {
		return v.reply("530 TLS first")
	}
	switch verb {
	case "AUTH", "PBSZ", "PROT":
		return v.protect(line)
	case "USER":
		return v.reply("331 password, please")
	case "PASS":
		if v.refused {
			return v.reply(v.site.TooMany)
		}
		return v.reply("230 in")
	case "QUIT":
		_ = v.reply("221 bye")
		return errHangup
	case "EPSV", "PASV":
		return v.passive(verb)
	case "EPRT", "PORT":
		return v.active(verb, arg)
	case "REST":
		v.offset, _ = strconv.Atoi(arg)
		return v.reply("350 from there")
	case "FEAT":
		if v.site.Features == nil {
			return v.reply("502 what")
		}
		return v.reply("211-Features\r\n " + strings.Join(v.site.Features, "\r\n ") + "\r\n211 end")
	case "RETR", "LIST", "MLSD":
		return v.send(verb, line, arg, offset, fault)
	case "STOR":
		return v.receive(arg, offset, fault)
	default:
		reply := v.file(verb, arg)
		switch {
		case fault.Mute:
			return errHangup
		case fault.Silent:
			return nil
		}
		return v.reply(reply)
	}
}

// file does a command that moves no data and returns the reply.
func (v *visit) file(verb, arg string) string {
	s := v.site
	s.mu.Lock()
	defer s.mu.Unlock()
	content, exists := s.stored[arg]
	switch {
	case verb == "TYPE" || verb == "NOOP":
		return "200 ok"
	case verb == "PWD":
		return `257 "/"`
	case verb == "MDTM" && s.Dirs == nil && s.Times != nil && s.Times[arg] != "":
		return "213 " + s.Times[arg]
	case verb == "SIZE" && exists:
		return fmt.Sprintf("213 %d", len(content))
	case verb == "RNFR" && exists:
		v.from = arg
		return "350 and to what"
	case verb == "RNTO" && v.from != "":
		s.stored[arg] = s.stored[v.from]
		delete(s.stored, v.from)
		v.from = ""
		return "250 renamed"
	case verb == "RNTO":
		return "503 no RNFR"
	case verb == "SIZE" || verb == "RNFR" || verb == "MDTM" && s.tree.times[arg] == "" && s.Dirs != nil:
		return "550 no such file"
	case s.Dirs != nil && verb == "MDTM":
		return "213 " + s.tree.times[arg]
	case s.Dirs != nil:
		return s.inTree(verb, arg)
	default:
		return "500 what"
	}
}
