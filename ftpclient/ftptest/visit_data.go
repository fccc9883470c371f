package ftptest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

func (v *visit) closeData() {
	if v.ln != nil {
		v.drop(v.ln)
		v.ln = nil
	}
	v.peer = ""
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

// agree says that the transfer begins, and protects its connection. It returns nil if
// there is nothing more to do for the command but to return the error.
func (v *visit) agree(conn net.Conn, line string) (net.Conn, error) {
	if err := v.reply(line); err != nil {
		return nil, err
	}
	data, err := v.protected(conn)
	if err != nil {
		return nil, v.reply("522 " + err.Error())
	}
	if err := v.lose(); err != nil {
		return nil, err
	}
	return data, nil
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
	data, err := v.agree(conn, "150 here it comes")
	if data == nil {
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

// lose refuses the commands that are there, as eager sites do, or drops them.
func (v *visit) lose() error {
	for v.site.Eager != "" || v.site.Deaf {
		select {
		case _, ok := <-v.lines:
			if !ok {
				return errHangup
			}
			if v.site.Deaf {
				continue
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
	data, err := v.agree(conn, "150 go on")
	if data == nil {
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
