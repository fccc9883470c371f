package ftptest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// Steps plays several scripts one after the other.
func Steps(script ...Script) Script {
	return func(s *Session) error {
		for i, step := range script {
			if err := step(s); err != nil {
				return fmt.Errorf("step %d: %w", i+1, err)
			}
		}
		return nil
	}
}

// Send sends lines, to each of which it adds CR LF.
func Send(lines ...string) Script {
	return Raw(strings.Join(lines, "\r\n") + "\r\n")
}

// Raw sends text as it is.
func Raw(text string) Script {
	return func(s *Session) error {
		_, err := io.WriteString(s.Control, text)
		return err
	}
}

// Dribble sends text byte by byte, with a pause before each.
func Dribble(text string, pause time.Duration) Script {
	return func(s *Session) error {
		for i := range len(text) {
			time.Sleep(pause)
			if _, err := io.WriteString(s.Control, text[i:i+1]); err != nil {
				return err
			}
		}
		return nil
	}
}

// Pause does nothing for a while.
func Pause(d time.Duration) Script {
	return func(*Session) error { time.Sleep(d); return nil }
}

// Await does nothing until c is closed or the server is.
func Await(c <-chan struct{}) Script {
	return func(s *Session) error {
		select {
		case <-c:
			return nil
		case <-s.ctx.Done():
			return s.ctx.Err()
		}
	}
}

// Expect waits for one line of the client, which must be this one.
func Expect(line string) Script {
	return func(s *Session) error {
		got, err := s.Line()
		if err != nil {
			return fmt.Errorf("want %q: %w", line, err)
		}
		if got != line {
			return fmt.Errorf("client sent %q, want %q", got, line)
		}
		return nil
	}
}

// Exchange is Expect and then Send.
func Exchange(line string, reply ...string) Script {
	return Steps(Expect(line), Send(reply...))
}

// Login greets the client and lets it in as anonymous.
func Login() Script {
	return Steps(
		Send("220 ready"),
		Exchange("USER anonymous", "331 password, please"),
		Exchange("PASS anonymous@", "230 in"),
	)
}

// EPSV expects EPSV and answers it with the port of a new listener.
func EPSV() Script {
	return passive("EPSV", func(port int) string { return fmt.Sprintf("229 Extended (|||%d|)", port) })
}

// PASV expects PASV and answers it with the port of a new listener, beside a
// host that is written h1,h2,h3,h4 and need not be the true one.
func PASV(host string) Script {
	return passive("PASV", func(port int) string {
		return fmt.Sprintf("227 Passive (%s,%d,%d)", host, port>>8, port&0xff)
	})
}

func passive(verb string, reply func(port int) string) Script {
	return func(s *Session) error {
		if err := Expect(verb)(s); err != nil {
			return err
		}
		host, _, err := net.SplitHostPort(s.Control.LocalAddr().String())
		if err != nil {
			return err
		}
		if s.ln, err = s.net.Listen(s.ctx, "tcp", net.JoinHostPort(host, "0")); err != nil {
			return err
		}
		s.track(s.ln)
		_, digits, err := net.SplitHostPort(s.ln.Addr().String())
		if err != nil {
			return err
		}
		port, err := strconv.Atoi(digits)
		if err != nil {
			return err
		}
		return Steps(Send(reply(port)), Accept())(s)
	}
}

// Accept waits for the client's data connection. [EPSV] and [PASV] do so
// themselves.
func Accept() Script {
	return func(s *Session) (err error) {
		if s.Data, err = s.ln.Accept(); err != nil {
			return err
		}
		s.track(s.Data)
		return s.ln.Close()
	}
}

// EPRT expects EPRT and grants it.
func EPRT() Script {
	return func(s *Session) error {
		line, err := s.Line()
		if err != nil {
			return err
		}
		f := strings.Split(line, "|")
		if len(f) != 5 || f[0] != "EPRT " || f[4] != "" {
			return fmt.Errorf("client sent %q, want EPRT", line)
		}
		s.peer = net.JoinHostPort(f[2], f[3])
		return Send("200 ok")(s)
	}
}

// PORT expects PORT and grants it.
func PORT() Script {
	return func(s *Session) error {
		line, err := s.Line()
		if err != nil {
			return err
		}
		f := strings.Split(strings.TrimPrefix(line, "PORT "), ",")
		if len(f) != 6 {
			return fmt.Errorf("client sent %q, want PORT", line)
		}
		high, err := strconv.Atoi(f[4])
		if err != nil {
			return err
		}
		low, err := strconv.Atoi(f[5])
		if err != nil {
			return err
		}
		s.peer = net.JoinHostPort(strings.Join(f[:4], "."), strconv.Itoa(high<<8|low))
		return Send("200 ok")(s)
	}
}

// Connect opens the data connection that EPRT or PORT asked for.
func Connect() Script {
	return ConnectFrom(nil)
}

// ConnectFrom is Connect from another host than the one of the session; nil is
// that of the session.
func ConnectFrom(n Net) Script {
	return func(s *Session) (err error) {
		if n == nil {
			n = s.net
		}
		if s.Data, err = n.DialContext(s.ctx, "tcp", s.peer); err != nil {
			return err
		}
		s.track(s.Data)
		return nil
	}
}

// Write sends data on the data connection.
func Write(data string) Script {
	return func(s *Session) error {
		_, err := io.WriteString(s.Data, data)
		return err
	}
}

// Read reads the data connection to its end, which must have been want.
func Read(want string) Script {
	return func(s *Session) error {
		got, err := io.ReadAll(s.Data)
		if err != nil {
			return err
		}
		if !bytes.Equal(got, []byte(want)) {
			return fmt.Errorf("client sent %d bytes of data that are not the %d expected", len(got), len(want))
		}
		return nil
	}
}

// ReadSome reads n bytes of data and leaves the rest.
func ReadSome(n int64) Script {
	return func(s *Session) error {
		_, err := io.CopyN(io.Discard, s.Data, n)
		return err
	}
}

// Broken reads the data connection until it breaks, and wants it to: a client
// that gives an upload up must not let it look complete.
func Broken() Script {
	return func(s *Session) error {
		_, err := io.Copy(io.Discard, s.Data)
		if err == nil {
			return errors.New("the data connection ended cleanly, want a reset")
		}
		return nil
	}
}

// CloseData closes the data connection.
func CloseData() Script {
	return func(s *Session) error { return s.Data.Close() }
}

// ResetData ends the data connection by a reset.
func ResetData() Script {
	return func(s *Session) error { return reset(s.Data) }
}

// Close closes the control connection.
func Close() Script {
	return func(s *Session) error { return s.Control.Close() }
}

// Reset ends the control connection by a reset.
func Reset() Script {
	return func(s *Session) error { return reset(s.Control) }
}

func reset(c net.Conn) error {
	l, ok := c.(interface{ SetLinger(sec int) error })
	if !ok {
		return errors.New("a connection that cannot be reset")
	}
	if err := l.SetLinger(0); err != nil {
		return err
	}
	return c.Close()
}
