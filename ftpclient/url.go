package ftpclient

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// The ports that FTP servers listen on (RFC 959, Section 8): in clear or with
// AUTH TLS, and with TLS from the first byte (RFC 4217, Section 13).
const (
	defaultPort  = 21
	implicitPort = 990
)

// A URL is an ftp URL in its parts (RFC 1738, Section 3.2), none of them
// escaped.
type URL struct {
	// Scheme says what protects the connections: "ftp" is for nothing, "ftpes"
	// for explicit and "ftps" for implicit TLS. Empty is as "ftp".
	Scheme string

	User, Password string // empty if not given

	// Host is a name or an address, without brackets; an IPv6 address may have
	// a zone.
	Host string
	Port int // 21 if not given, or 990 for ftps

	// Path is relative to the directory that the login begins in, unless it
	// begins with a slash, which is written %2F in the URL. Empty is that
	// directory itself.
	Path string

	Type Type // from ";type=", or Binary
}

// A URLError reports a URL that cannot be used. It wraps
// [errors.ErrUnsupported] if the URL is good but this package cannot do what it
// asks for, such as ";type=d".
type URLError struct {
	URL string // without the user and the password
	Err error
}

func (e *URLError) Error() string { return fmt.Sprintf("ftpclient: url %q: %v", e.URL, e.Err) }

// Unwrap returns Err.
func (e *URLError) Unwrap() error { return e.Err }

// ParseURL reads a URL of the form ftp://[user[:password]@]host[:port]/path,
// which may end in ";type=a" or ";type=i". With ftpes:// the control connection
// is protected before the login (AUTH TLS), with ftps:// from its first byte, and
// so are the data connections. The error is a [*URLError].
//
// A question mark is part of the path. A number sign is refused, since it would
// cut the path short: in a name it is written %23.
func ParseURL(rawURL string) (*URL, error) {
	u, err := parseURL(rawURL)
	if err != nil {
		return nil, &URLError{URL: withoutUser(rawURL), Err: err}
	}
	return u, nil
}

// schemes says what each scheme asks for.
var schemes = map[string]Security{"ftp": Plain, "ftpes": Explicit, "ftps": Implicit}

func parseURL(rawURL string) (*URL, error) {
	scheme, rest, ok := strings.Cut(rawURL, "://")
	if !ok {
		return nil, errors.New("no scheme, as in ftp://host/path")
	}
	scheme = strings.ToLower(scheme)
	security, known := schemes[scheme]
	if !known {
		return nil, errors.New("the scheme is not ftp, ftps or ftpes")
	}
	if strings.Contains(rest, "#") {
		return nil, errors.New("a fragment; a # in a name is written %23")
	}
	authority, path, _ := strings.Cut(rest, "/")
	u := &URL{Scheme: scheme, Port: security.port(), Type: Binary}
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		if err := u.parseUser(authority[:at]); err != nil {
			return nil, err
		}
		authority = authority[at+1:]
	}
	if err := u.parseHost(authority); err != nil {
		return nil, err
	}
	return u, u.parsePath(path)
}

func (u *URL) parseUser(s string) (err error) {
	user, password, _ := strings.Cut(s, ":")
	if u.User, err = unescape("user", user); err != nil {
		return err
	}
	if u.Password, err = unescape("password", password); err != nil {
		return err
	}
	if u.User == "" && u.Password != "" {
		return errors.New("a password without a user")
	}
	return nil
}

func (u *URL) parseHost(s string) (err error) {
	host, port := s, ""
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return errors.New("a bracket without its pair")
		}
		host, port = s[1:end], s[end+1:]
		if port != "" && port[0] != ':' {
			return errors.New("the host is followed by something that is no port")
		}
		// The percent sign before a zone is written %25 (RFC 6874) or as it is.
		if addr, zone, ok := strings.Cut(host, "%"); ok {
			host = addr + "%25" + strings.TrimPrefix(zone, "25")
		}
		if !strings.Contains(host, ":") {
			return errors.New("brackets around what is no IPv6 address")
		}
	} else if i := strings.IndexByte(s, ':'); i >= 0 {
		host, port = s[:i], s[i:]
	}
	if u.Host, err = unescape("host", host); err != nil {
		return err
	}
	if u.Host == "" || strings.ContainsAny(u.Host, " /?@[]\\") {
		return errors.New("no host, or one that cannot be")
	}
	if len(port) > 1 {
		n, ok := parsePort(port[1:])
		if !ok {
			return errors.New("the port is not a number from 1 to 65535")
		}
		u.Port = n
	}
	return nil
}

func (u *URL) parsePath(s string) (err error) {
	if i := strings.LastIndexByte(s, ';'); i >= 0 && len(s) >= i+6 && strings.EqualFold(s[i:i+6], ";type=") {
		switch strings.ToLower(s[i+6:]) {
		case "a":
			u.Type = ASCII
		case "i":
		case "d":
			return fmt.Errorf("type d: %w", errors.ErrUnsupported)
		default:
			return errors.New("the type is neither a nor i")
		}
		s = s[:i]
	}
	u.Path, err = unescape("path", s)
	return err
}

// unescape decodes part of a URL and refuses what would be more than one
// command. The error does not hold the part, which may be a password.
func unescape(part, s string) (string, error) {
	decoded, err := url.PathUnescape(s)
	if err != nil {
		return "", fmt.Errorf("the %s has a %% that begins no escape", part)
	}
	for _, b := range []byte(decoded) {
		if b < ' ' || b == 0x7f {
			return "", fmt.Errorf("the %s has a control character", part)
		}
	}
	return decoded, nil
}

// withoutUser cuts the user and the password out of what may not even be a
// URL.
func withoutUser(rawURL string) string {
	scheme, rest, ok := strings.Cut(rawURL, "://")
	if !ok {
		scheme, rest = "", rawURL
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = rest[at+1:]
	}
	if !ok {
		return rest
	}
	return scheme + "://" + rest
}

// Address returns the host and port, in the form that a [Dialer] takes.
func (u *URL) Address() string { return net.JoinHostPort(u.Host, strconv.Itoa(u.Port)) }

// scheme returns the scheme, which may be left out.
func (u *URL) scheme() string {
	if u.Scheme == "" {
		return "ftp"
	}
	return u.Scheme
}

// security returns what the scheme asks for.
func (u *URL) security() Security { return schemes[u.scheme()] }

// Redacted returns the URL with a password, if there is one, replaced by
// "xxxxx".
func (u *URL) Redacted() string {
	var b strings.Builder
	b.WriteString(u.scheme() + "://")
	if u.User != "" {
		b.WriteString(url.User(u.User).String())
		if u.Password != "" {
			b.WriteString(":xxxxx")
		}
		b.WriteByte('@')
	}
	host := strings.Replace(u.Host, "%", "%25", 1)
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	b.WriteString(host)
	if u.Port != u.security().port() {
		b.WriteString(":" + strconv.Itoa(u.Port))
	}
	b.WriteByte('/')
	b.WriteString(escapePath(u.Path))
	if u.Type == ASCII {
		b.WriteString(";type=a")
	}
	return b.String()
}

// String returns [URL.Redacted]: a URL that is printed shows no password.
func (u *URL) String() string { return u.Redacted() }

// escapePath writes a path so that ParseURL reads the same.
func escapePath(path string) string {
	absolute := strings.HasPrefix(path, "/")
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, s := range segments {
		segments[i] = strings.ReplaceAll(url.PathEscape(s), ";", "%3B")
	}
	escaped := strings.Join(segments, "/")
	if absolute {
		return "%2F" + escaped
	}
	return escaped
}

// credentials returns who logs in: whom the URL names, else whom cfg names. The
// password in cfg is for the user in cfg, or for any if that is empty.
func (u *URL) credentials(cfg *Config) (user, password string) {
	var c Config
	if cfg != nil {
		c = *cfg
	}
	switch {
	case u.User == "":
		return c.User, c.Password
	case u.Password == "" && (c.User == "" || c.User == u.User):
		return u.User, c.Password
	default:
		return u.User, u.Password
	}
}
