package main

import (
	"fmt"
	"strconv"
	"strings"
)

// A netrcEntry is what a netrc file says about one login.
type netrcEntry struct {
	machine   string // "" in a default entry
	isDefault bool
	port      int // 0 is any, -1 none that FTP has
	login     string
	password  string
	account   string
}

// A netrcError is a line that cannot be understood. It does not quote it, since
// a part of a password may be what is wrong.
type netrcError struct {
	line    int
	problem string
}

func (e *netrcError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.problem) }

// parseNetrc reads a netrc file: the form of ftp(1), and what others have added
// to it: values in double quotes with backslashes before what stands for itself
// (curl), comments from a # to the end of the line where a keyword may stand, and
// ports (Emacs). Macros are skipped. The error is a [*netrcError].
func parseNetrc(data string) ([]netrcEntry, error) {
	s := &netrcScanner{data: data, line: 1}
	var entries []netrcEntry
	var e *netrcEntry
	for {
		word, ok, err := s.next()
		if err != nil || !ok {
			return entries, err
		}
		if strings.HasPrefix(word, "#") {
			s.skipLine()
			continue
		}
		line := s.line
		switch word = strings.ToLower(word); word {
		case "default":
			entries = append(entries, netrcEntry{isDefault: true})
			e = &entries[len(entries)-1]
			continue
		case "machine", "login", "user", "password", "account", "port", "macdef":
		default:
			return nil, &netrcError{line, "neither a keyword nor a comment; a value with blanks stands in double quotes"}
		}
		if word == "macdef" {
			s.skipMacro()
			continue
		}
		value, ok, err := s.next()
		switch {
		case err != nil:
			return nil, err
		case !ok:
			return nil, &netrcError{line, word + " without a value"}
		case word == "machine":
			entries = append(entries, netrcEntry{machine: value})
			e = &entries[len(entries)-1]
			continue
		case e == nil:
			return nil, &netrcError{line, word + " before the first machine"}
		}
		switch word {
		case "login", "user":
			e.login = value
		case "password":
			e.password = value
		case "account":
			e.account = value
		case "port":
			e.port = netrcPort(value)
		}
	}
}

// netrcPort reads a port, or the name of one.
func netrcPort(s string) int {
	if n, ok := map[string]int{"ftp": 21, "ftps": 990}[s]; ok {
		return n
	}
	if n, err := strconv.Atoi(s); err == nil && n > 0 && n < 1<<16 {
		return n
	}
	return -1
}

// findLogin returns the first entry that is for user at a host, or for anybody
// there if user is empty. A default entry is for hosts that nobody has thought
// of, so that only an anonymous login is taken from it, where no user is named.
func findLogin(entries []netrcEntry, host string, port int, user string) (found netrcEntry, ok bool) {
	for _, e := range entries {
		switch {
		case e.login == "", user != "" && e.login != user:
		case e.isDefault && (user != "" || !isAnonymous(e.login)):
		case e.isDefault, strings.EqualFold(e.machine, host) && (e.port == 0 || e.port == port):
			return e, true
		}
	}
	return netrcEntry{}, false
}

// isAnonymous says whether everybody has the login.
func isAnonymous(user string) bool { return user == "anonymous" || user == "ftp" }

// A netrcScanner takes a netrc file apart.
type netrcScanner struct {
	data string // what is left of it
	line int
}

// netrcBlanks separate words.
const netrcBlanks = " \t\r\n\v\f"

// next returns the next word, if there is one.
func (s *netrcScanner) next() (word string, ok bool, err error) {
	s.skip(len(s.data) - len(strings.TrimLeft(s.data, netrcBlanks)))
	if s.data == "" {
		return "", false, nil
	}
	if s.data[0] == '"' {
		word, err = s.quoted()
		return word, err == nil, err
	}
	end := strings.IndexAny(s.data, netrcBlanks)
	if end < 0 {
		end = len(s.data)
	}
	word = s.data[:end]
	s.skip(end)
	return word, true, nil
}

// quoted reads a word in double quotes.
func (s *netrcScanner) quoted() (string, error) {
	var b strings.Builder
	for i := 1; i < len(s.data); i++ {
		c := s.data[i]
		switch {
		case c == '"':
			s.skip(i + 1)
			return b.String(), nil
		case c == '\n':
			return "", &netrcError{s.line, "a double quote without its pair"}
		case c == '\\' && i+1 < len(s.data):
			i++
			if c = s.data[i]; c == 'n' || c == 'r' || c == 't' {
				c = map[byte]byte{'n': '\n', 'r': '\r', 't': '\t'}[c]
			}
		}
		b.WriteByte(c)
	}
	return "", &netrcError{s.line, "a double quote without its pair"}
}

// skipLine goes to the end of the line.
func (s *netrcScanner) skipLine() {
	end := strings.IndexByte(s.data, '\n')
	if end < 0 {
		end = len(s.data)
	}
	s.skip(end)
}

// skipMacro goes behind the empty line that ends a macro.
func (s *netrcScanner) skipMacro() {
	s.skipLine()
	for s.data != "" {
		s.skip(1) // the end of the line before
		line, _, _ := strings.Cut(s.data, "\n")
		if strings.TrimRight(line, "\r") == "" {
			return
		}
		s.skipLine()
	}
}

// skip goes on by n bytes.
func (s *netrcScanner) skip(n int) {
	s.line += strings.Count(s.data[:n], "\n")
	s.data = s.data[n:]
}
