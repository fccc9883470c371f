package main

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A listServer serves a directory by FTP, and lies in its lists. It has MLSD and
// MLST, or it prints its clock in a zone, as vsftpd does. Commands are handled one
// after the other. The fields must not be changed while it runs.
type listServer struct {
	root string
	zone *time.Location // of LIST; nil has MLSD instead
	now  time.Time      // of LIST

	// list, if not nil, changes what is sent for a directory, or how that ends.
	list func(dir string, lines []string) (text string, end listEnd)

	// answer, if not nil, is asked first what to reply to a line of the session of
	// that number, counted from 0, or with "" to its beginning: "" leaves that to
	// the server, "-" hangs up.
	answer func(session int, line string) string

	noTimes bool // it sets none
	mute    bool // it tells none but in lists
	folds   bool // it takes names that differ in case for the same

	mu       sync.Mutex
	log      []string
	sessions int
	reads    int // of the control connections: no more than there are round trips
	wg       sync.WaitGroup
	ln       net.Listener
	all      []io.Closer // which end what waits for a client that has gone
}

// A listEnd is how a list ends.
type listEnd struct {
	reset  bool   // of the data connection
	reply  string // instead of 226; "-" is none, and the end
	refuse string // instead of everything
}

func (s *listServer) start(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.ln = ln
	s.wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.all = append(s.all, c)
			s.mu.Unlock()
			s.wg.Go(func() { s.serve(c) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		s.mu.Lock()
		for _, c := range s.all {
			c.Close()
		}
		s.mu.Unlock()
		s.wg.Wait()
	})
	return "ftp://" + ln.Addr().String() + "/"
}

// sent returns how many commands of some verbs there were since it was last
// called.
func (s *listServer) sent(verbs ...string) map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := make(map[string]int)
	for _, line := range s.log {
		verb, _, _ := strings.Cut(line, " ")
		for _, v := range verbs {
			if v == verb {
				counts[v]++
			}
		}
	}
	s.log = nil
	return counts
}

func (s *listServer) serve(c net.Conn) {
	defer c.Close()
	greeting := "220 ready\r\n"
	if s.zone != nil {
		greeting = "220 (vsFTPd 3.0.5)\r\n"
	}
	v := &listVisit{listServer: s, control: c}
	defer v.close()
	s.mu.Lock()
	v.number = s.sessions
	s.sessions++
	s.mu.Unlock()
	if reply := v.scripted(""); reply == "-" {
		return
	} else if reply != "" {
		greeting = reply + "\r\n"
	}
	io.WriteString(c, greeting)
	for lines := bufio.NewScanner(&countedReads{s, c}); lines.Scan(); {
		s.mu.Lock()
		s.log = append(s.log, lines.Text())
		s.mu.Unlock()
		verb, arg, _ := strings.Cut(lines.Text(), " ")
		reply := v.scripted(lines.Text())
		if reply == "-" {
			return
		}
		if reply == "" {
			reply = v.handle(verb, arg)
		}
		if reply == "-" {
			io.Copy(io.Discard, c) // until the client gives up
			return
		}
		if _, err := io.WriteString(c, reply+"\r\n"); err != nil || verb == "QUIT" {
			return
		}
	}
}

// countedReads counts what arrives in one piece.
type countedReads struct {
	*listServer
	from io.Reader
}

func (c *countedReads) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reads++
	return n, err
}

// A listVisit is one session.
type listVisit struct {
	*listServer
	number  int
	control net.Conn
	data    net.Listener
	from    string
}

func (v *listVisit) close() {
	if v.data != nil {
		v.data.Close()
		v.data = nil
	}
}

func (v *listVisit) scripted(line string) string {
	if v.answer == nil {
		return ""
	}
	return v.answer(v.number, line)
}

func (v *listVisit) local(arg string) string {
	path := filepath.Join(v.root, strings.TrimPrefix(arg, "-a "))
	if v.folds {
		path = v.root
		for name := range strings.SplitSeq(filepath.Clean(strings.TrimPrefix(arg, "-a ")), "/") {
			entries, _ := os.ReadDir(path)
			for _, e := range entries {
				if strings.EqualFold(e.Name(), name) {
					name = e.Name()
				}
			}
			path = filepath.Join(path, name)
		}
	}
	return path
}

// done is the reply to what has changed something.
func done(err error) string {
	if err != nil {
		return "550 " + err.Error()
	}
	return "250 done"
}

func (v *listVisit) handle(verb, arg string) string {
	path := v.local(arg)
	info, err := os.Lstat(path)
	if verb == "SIZE" || verb == "MDTM" || verb == "RETR" || verb == "CWD" {
		info, err = os.Stat(path) // links are followed
	}
	switch verb {
	case "USER":
		return "331 password"
	case "PASS", "TYPE", "NOOP", "OPTS":
		return "230 fine"
	case "QUIT":
		return "221 bye"
	case "PWD":
		return `257 "/"`
	case "CWD":
		if err != nil || !info.IsDir() {
			return "550 Failed to change directory."
		}
		return "250 there"
	case "EPSV":
		v.close()
		if v.data, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return "425 " + err.Error()
		}
		v.mu.Lock()
		v.all = append(v.all, v.data)
		v.mu.Unlock()
		return fmt.Sprintf("229 go (|||%d|)", v.data.Addr().(*net.TCPAddr).Port)
	case "SIZE":
		if err != nil || !info.Mode().IsRegular() {
			return "550 Could not get file size."
		}
		return fmt.Sprintf("213 %d", info.Size())
	case "MLST":
		switch {
		case v.zone != nil:
			return "500 Unknown command."
		case err != nil:
			return "550 No such file or directory"
		}
		return "250-here\r\n " + factsOf(info) + " " + arg + "\r\n250 end"
	case "MDTM":
		return v.modTime(arg, info, err)
	case "RETR":
		if err != nil || !info.Mode().IsRegular() {
			return "550 Failed to open file."
		}
		return v.send(func(c net.Conn) error {
			content, err := os.ReadFile(path)
			if err == nil {
				_, err = c.Write(content)
			}
			return err
		})
	case "STOR":
		return v.send(func(c net.Conn) error {
			content, err := io.ReadAll(c)
			if err == nil {
				err = os.WriteFile(path, content, 0o600)
			}
			return err
		})
	case "RNFR":
		v.from = path
		return "350 to what"
	case "RNTO":
		return done(os.Rename(v.from, path))
	case "MKD":
		return done(os.Mkdir(path, 0o755))
	case "RMD":
		if err == nil && !info.IsDir() {
			return "550 is no directory"
		}
		return done(os.Remove(path))
	case "DELE":
		if err == nil && info.IsDir() {
			return "550 is a directory"
		}
		return done(os.Remove(path))
	case "SITE":
		if words := strings.SplitN(arg, " ", 3); len(words) == 3 && words[0] == "CHMOD" {
			mode, err := strconv.ParseUint(words[1], 8, 32)
			if err != nil {
				return "501 what"
			}
			return done(os.Chmod(v.local(words[2]), fs.FileMode(mode)))
		}
		return "500 Unknown SITE command."
	case "MFMT":
		if v.zone != nil || v.noTimes {
			return "500 Unknown command."
		}
		stamp, name, _ := strings.Cut(arg, " ")
		return v.setTime(stamp, name)
	case "LIST", "MLSD":
		if (verb == "MLSD") != (v.zone == nil) {
			return "500 Unknown command."
		}
		return v.sendList(strings.TrimPrefix(strings.TrimPrefix(arg, "-a"), " "))
	}
	return "500 Unknown command."
}

func (v *listVisit) setTime(stamp, name string) string {
	t, err := time.Parse("20060102150405", stamp)
	if err != nil {
		return "501 what"
	}
	if err := os.Chtimes(v.local(name), t, t); err != nil {
		return "550 Could not set file modification time."
	}
	return "213 File modification time set."
}

func (v *listVisit) modTime(arg string, info fs.FileInfo, err error) string {
	stamp, name, two := strings.Cut(arg, " ")
	switch _, number := strconv.Atoi(stamp); {
	case two && number == nil && len(stamp) == 14 && v.noTimes:
		return "550 Could not get file modification time."
	case two && number == nil && len(stamp) == 14:
		return v.setTime(stamp, name)
	case v.mute:
		return "502 not here"
	case err != nil:
		return "550 Could not get file modification time."
	}
	return "213 " + info.ModTime().UTC().Format("20060102150405")
}

// send has the data connection used.
func (v *listVisit) send(use func(net.Conn) error) string {
	if v.data == nil {
		return "425 no port"
	}
	io.WriteString(v.control, "150 here it comes\r\n")
	c, err := v.data.Accept()
	v.close()
	if err != nil {
		return "425 " + err.Error()
	}
	defer c.Close()
	if err := use(c); err != nil {
		return "426 " + err.Error()
	}
	return "226 done"
}

func factsOf(info fs.FileInfo) string {
	kind := "file"
	switch {
	case info.IsDir():
		kind = "dir"
	case info.Mode()&fs.ModeSymlink != 0:
		kind = "OS.unix=slink"
	}
	return fmt.Sprintf("type=%s;size=%d;modify=%s;UNIX.mode=%04o;", kind, info.Size(), info.ModTime().UTC().Format("20060102150405"), info.Mode().Perm())
}

// lineOf is a line of LIST, as ls(1) has it: the year instead of the clock for what
// is older than half a year.
func (s *listServer) lineOf(dir string, info fs.FileInfo) string {
	when := info.ModTime().In(s.zone)
	date := when.Format("Jan 02 15:04")
	if info.ModTime().Before(s.now.AddDate(0, -6, 0)) || info.ModTime().After(s.now) {
		date = when.Format("Jan 02  2006")
	}
	mode, name := info.Mode().Perm().String(), info.Name()
	switch {
	case info.IsDir():
		mode = "d" + mode[1:]
	case info.Mode()&fs.ModeSymlink != 0:
		target, _ := os.Readlink(filepath.Join(dir, name)) // which is there
		mode, name = "l"+mode[1:], name+" -> "+target
	}
	return fmt.Sprintf("%s    1 0        0        %8d %s %s", mode, info.Size(), date, name)
}

func (v *listVisit) sendList(dir string) string {
	entries, err := os.ReadDir(v.local(dir))
	if err != nil && v.zone == nil {
		return "550 No such file or directory"
	}
	var lines []string
	for _, e := range entries { // vsftpd lists what is not there as if it were empty
		info, err := e.Info()
		switch {
		case err != nil:
		case v.zone != nil:
			lines = append(lines, v.lineOf(v.local(dir), info)+"\r\n")
		default:
			lines = append(lines, factsOf(info)+" "+e.Name()+"\r\n")
		}
	}
	text, end := strings.Join(lines, ""), listEnd{}
	if v.list != nil {
		text, end = v.list(strings.Trim(strings.TrimPrefix(dir, "./"), "/"), lines)
	}
	if end.refuse != "" {
		return end.refuse
	}
	reply := v.send(func(c net.Conn) error {
		io.WriteString(c, text)
		if end.reset {
			c.(*net.TCPConn).SetLinger(0)
		}
		return nil
	})
	if end.reply != "" {
		return end.reply
	}
	return reply
}
