package ftptest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
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

func (v *visit) closeData() {
	if v.ln != nil {
		v.drop(v.ln)
		v.ln = nil
	}
	v.peer = ""
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

func (v *visit) passive(verb string) error {
	v.closeData()
	host, _, err := net.SplitHostPort(v.control.LocalAddr().String())
	if err != nil {
		return err
	}
	if v.ln, err = v.net.Listen(v.ctx, "tcp", net.JoinHostPort(host, "0")); err != nil {
		return err
	}
	v.keep(v.ln)
	_, digits, _ := net.SplitHostPort(v.ln.Addr().String())
	port, err := strconv.Atoi(digits)
	if err != nil {
		return err
	}
	if verb == "EPSV" {
		return v.reply(fmt.Sprintf("229 Extended (|||%d|)", port))
	}
	return v.reply(fmt.Sprintf("227 Passive (0,0,0,0,%d,%d)", port>>8, port&0xff))
}

func (v *visit) active(verb, arg string) error {
	v.closeData()
	peer, ok := activePeer(verb, arg)
	if !ok {
		return v.reply("501 what")
	}
	v.peer = peer
	return v.reply("200 ok")
}

// activePeer returns the address that the argument of EPRT or PORT names (RFC
// 2428, Section 2; RFC 959, Section 4.1.2).
func activePeer(verb, arg string) (string, bool) {
	if f := strings.Split(arg, "|"); verb == "EPRT" && len(f) == 5 {
		return net.JoinHostPort(f[2], f[3]), true
	}
	f := strings.Split(arg, ",")
	if verb != "PORT" || len(f) != 6 {
		return "", false
	}
	high, err := strconv.Atoi(f[4])
	if err != nil {
		return "", false
	}
	low, err := strconv.Atoi(f[5])
	return net.JoinHostPort(strings.Join(f[:4], "."), strconv.Itoa(high<<8|low)), err == nil
}

// data opens the data connection that was prepared.
func (v *visit) data() (net.Conn, error) {
	defer v.closeData()
	switch {
	case v.ln != nil:
		return v.ln.Accept()
	case v.peer != "":
		return v.net.DialContext(v.ctx, "tcp", v.peer)
	default:
		return nil, errors.New("use PORT or PASV first")
	}
}

func (v *visit) send(verb, line, arg string, offset int, fault Fault) error {
	v.site.mu.Lock()
	content, ok := v.site.stored[arg]
	if verb != "RETR" {
		if content, ok = v.site.Lists[line]; !ok && v.site.Dirs != nil {
			content, ok = v.site.list(verb, arg), true
		}
	}
	v.site.mu.Unlock()
	if !ok {
		v.closeData()
		return v.reply("550 no such file")
	}
	conn, err := v.data()
	if err != nil {
		return v.reply("425 " + err.Error())
	}
	v.keep(conn)
	defer v.drop(conn)
	if err := v.reply("150 here it comes"); err != nil {
		return err
	}
	data, err := v.protected(conn)
	if err != nil {
		return v.reply("522 " + err.Error())
	}
	if err := v.lose(); err != nil {
		return err
	}
	content = content[min(offset, len(content)):]
	if fault.Cut || fault.Last != "" || fault.Short {
		content = content[:fault.middle(len(content))]
	}
	middle := 0
	if fault.Pause > 0 {
		middle = fault.middle(len(content))
	}
	_, err = io.WriteString(data, content[:middle])
	select {
	case <-time.After(fault.Pause):
	case <-v.ctx.Done():
	}
	if err == nil {
		_, err = io.WriteString(data, content[middle:])
	}
	if fault.Cut {
		return errHangup
	}
	if err == nil {
		err = v.endData(data)
	}
	v.drop(conn)
	switch {
	case fault.Last != "":
		return v.last(fault)
	case err != nil:
		return v.reply("426 broken")
	default:
		return v.reply("226 done")
	}
}

// middle returns where the middle of n bytes of data is.
func (f Fault) middle(n int) int {
	switch {
	case f.Bytes < 0:
		return 0
	case f.Bytes == 0:
		return n / 2
	default:
		return min(f.Bytes, n)
	}
}

// last sends the last reply to a transfer that failed.
func (v *visit) last(fault Fault) error {
	err := v.reply(fault.Last)
	if strings.HasPrefix(fault.Last, "421") {
		return errHangup
	}
	return err
}

// lose refuses the commands that are there, as eager sites do.
func (v *visit) lose() error {
	for v.site.Eager != "" {
		select {
		case _, ok := <-v.lines:
			if !ok {
				return errHangup
			}
			if err := v.reply(v.site.Eager); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return nil
}

// begin opens a file for an upload.
func (v *visit) begin(path string, offset int) bool {
	v.site.mu.Lock()
	defer v.site.mu.Unlock()
	content, ok := v.site.Storing.open(v.site.stored[path], offset)
	if ok {
		v.site.stored[path] = content
	}
	return ok
}

func (v *visit) receive(path string, offset int, fault Fault) error {
	conn, err := v.data()
	if err != nil {
		return v.reply("425 " + err.Error())
	}
	v.keep(conn)
	defer v.drop(conn)
	if v.site.InTurn {
		defer v.site.turns.take(v.ctx, path)()
	}
	if !v.begin(path, offset) {
		return v.reply("554 no such offset")
	}
	store := func(content string) {
		v.site.mu.Lock()
		defer v.site.mu.Unlock()
		v.site.stored[path] = v.site.Storing.put(v.site.stored[path], content, offset)
	}
	if err := v.reply("150 go on"); err != nil {
		return err
	}
	data, err := v.protected(conn)
	if err != nil {
		return v.reply("522 " + err.Error())
	}
	if err := v.lose(); err != nil {
		return err
	}
	if fault.Cut || fault.Last != "" {
		part := make([]byte, max(fault.Bytes, 0))
		n, _ := io.ReadFull(data, part) // the client may have less
		store(string(part[:n]))
		if fault.Cut {
			return errHangup
		}
		v.drop(conn)
		return v.last(fault)
	}
	content, err := io.ReadAll(data)
	if err == nil {
		err = v.endData(data)
	}
	if err := v.lose(); err != nil {
		return err
	}
	if fault.Short {
		content = content[:len(content)/2]
	}
	store(string(content))
	if err != nil {
		return v.reply("426 broken")
	}
	return v.reply("226 done")
}
