package lab

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// pureftpdScoreboard is a directory whose name is compiled into pure-ftpd.
const pureftpdScoreboard = "/run/pure-ftpd"

// configurePureftpd returns the arguments, pure-ftpd(8), and begins to answer
// its questions about users. Its own anonymous user may neither rename nor
// delete, and has to be one of the system's; so that user is one like any other
// here.
func configurePureftpd(s *Server, d daemon) ([]string, error) {
	args := []string{
		"-S", "," + strconv.Itoa(d.Port),
		"-E", // no anonymous user of its own
		"-A", // all are shut into their directory
		"-H", // no names of hosts are asked for
		"-u", "1",
		"-U", "022:022",
		"-g", filepath.Join(d.dir, "pid"),
	}
	switch d.TLS {
	case ExplicitTLS:
		args = append(args, "-Y", "3", "-2", d.CertFile+","+d.KeyFile) // data, too
	case ImplicitTLS:
		// configure --with-implicittls makes a server of that kind alone.
		return nil, fmt.Errorf("implicit TLS: %w: Debian's package is built without it", errors.ErrUnsupported)
	}
	socket := filepath.Join(d.dir, "auth")
	ln, err := net.Listen("unix", socket)
	if err != nil {
		return nil, err
	}
	a := &pureftpdAuth{ln: ln, account: d.account, root: d.Root}
	a.serving.Go(a.serve)
	s.release = a.close
	// It stays, empty: each server has its own on top, and removing it would take
	// that from another lab's.
	return append(args, "-l", "extauth:"+socket), os.MkdirAll(pureftpdScoreboard, 0o700)
}

// pureftpdMounts gives each server a directory of its own for its sessions'
// state, and no right to write where there is to be none.
func pureftpdMounts(d daemon) initMounts {
	m := initMounts{Memory: pureftpdScoreboard}
	if d.ReadOnly {
		m.ReadOnly = d.Root
	}
	return m
}

// pureftpdAuth answers pure-ftpd's questions whether a user may log in, as
// README.Authentication-Modules of pure-ftpd has it.
type pureftpdAuth struct {
	ln      net.Listener
	account account
	root    string
	serving sync.WaitGroup
}

func (a *pureftpdAuth) close() {
	a.ln.Close()
	a.serving.Wait()
}

func (a *pureftpdAuth) serve() {
	for {
		conn, err := a.ln.Accept()
		if err != nil {
			return
		}
		a.serving.Go(func() {
			defer conn.Close()
			a.answer(conn)
		})
	}
}

// answer lets anonymous users in. A question that is broken off gets no answer;
// pure-ftpd takes that for a refusal.
func (a *pureftpdAuth) answer(conn io.ReadWriter) {
	ok := false
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		switch name, value, _ := strings.Cut(lines.Text(), ":"); name {
		case "account":
			ok = value == "anonymous" || value == "ftp"
		case "end":
			if !ok {
				fmt.Fprint(conn, "auth_ok:-1\nend\n")
				return
			}
			fmt.Fprintf(conn, "auth_ok:1\nuid:%s\ngid:%s\ndir:%s/./\nend\n", a.account.uid, a.account.gid, a.root)
			return
		}
	}
}
