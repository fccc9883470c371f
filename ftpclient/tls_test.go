package ftpclient_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// buffer is what a connection of a test under TLS holds in each direction.
const buffer = 64 << 10

// trust is what a test of TLS begins with.
type trust struct {
	authority *ftptest.Authority
	server    *tls.Config
	client    *tls.Config
}

// trusted returns a server's certificate for the host of a stage, and a client
// that trusts it.
func trusted(t *testing.T) *trust {
	t.Helper()
	authority, err := ftptest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	x := &trust{authority: authority, client: &tls.Config{RootCAs: authority.Pool()}}
	x.server = &tls.Config{Certificates: []tls.Certificate{x.issue(t, time.Time{}, serverHost)}}
	return x
}

func (x *trust) issue(t *testing.T, until time.Time, hosts ...string) tls.Certificate {
	t.Helper()
	cert, err := x.authority.Issue(until, hosts...)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// A guarded is a [ftptest.Site] under TLS, and a client for it.
type guarded struct {
	*trust
	ftptest.Site
	network ftptest.Network
	cfg     ftpclient.Config
	url     string
}

// guard starts a site, after prepare has had a look at it.
func guard(t *testing.T, security ftpclient.Security, prepare func(*guarded)) *guarded {
	t.Helper()
	g := &guarded{trust: trusted(t)}
	g.network.Buffer = buffer
	g.TLS, g.Implicit = g.server, security == ftpclient.Implicit
	g.Reuse, g.Patient = true, true
	client := g.network.Host(clientHost)
	g.cfg = ftpclient.Config{Dialer: client, Listener: client, TLS: g.client}
	scheme := map[ftpclient.Security]string{ftpclient.Plain: "ftp", ftpclient.Explicit: "ftpes", ftpclient.Implicit: "ftps"}[security]
	g.url = fmt.Sprintf("%s://%s/", scheme, serverHost)
	if prepare != nil {
		prepare(g)
	}
	u, err := ftpclient.ParseURL(g.url)
	if err != nil {
		t.Fatal(err)
	}
	host := g.network.Host(serverHost)
	ln, err := host.Listen(t.Context(), "tcp", u.Address())
	if err != nil {
		t.Fatal(err)
	}
	g.Start(ln, host)
	t.Cleanup(g.Close)
	return g
}

// dial logs in and closes the Conn at the end of the test.
func (g *guarded) dial(t *testing.T) *ftpclient.Conn {
	t.Helper()
	g.cfg.Trace = func(line string) { t.Log(line) }
	c, err := ftpclient.Dial(t.Context(), g.url, &g.cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// sizes are those at which clients have lost the tail of uploads, and around them.
var sizes = []int{0, 1, 14434, 43000, 65537, 101701, 1_000_003}

// securities runs a test under each form of protection.
func securities(t *testing.T, test func(t *testing.T, security ftpclient.Security)) {
	for _, security := range []ftpclient.Security{ftpclient.Explicit, ftpclient.Implicit} {
		t.Run(security.String(), func(t *testing.T) { test(t, security) })
	}
}

// Files of all sizes go up and come down on one control connection, whose session
// each data connection resumes, and none of these ends in a reset.
func TestTLS(t *testing.T) {
	securities(t, func(t *testing.T, security ftpclient.Security) {
		for _, active := range []bool{false, true} {
			for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
				t.Run(fmt.Sprintf("active=%v/%s", active, tls.VersionName(version)), func(t *testing.T) {
					g := guard(t, security, func(g *guarded) {
						g.server.MaxVersion = version
						g.Lists = map[string]string{"LIST d": "-rw-r--r-- 1 ann ann 1 Jan 1 2000 f\r\n"}
					})
					g.cfg.Active = active
					c := g.dial(t)
					for _, size := range sizes {
						path, content := fmt.Sprint(size), random(5, size)
						result, err := c.Stor(t.Context(), path, bytes.NewReader(content), nil)
						if err != nil || result.Verified != ftpclient.VerifiedSize {
							t.Fatalf("stor %d: %+v, %v", size, result, err)
						}
						if stored := g.Stored()[path]; sumOf([]byte(stored)) != sumOf(content) {
							t.Errorf("stored %d bytes of %d, or others", len(stored), size)
						}
						h := sha256.New()
						result, err = c.Retr(t.Context(), path, h, nil)
						if err != nil || sum(h) != sumOf(content) || result.Verified != ftpclient.VerifiedSize {
							t.Errorf("retr %d: %+v, %v", size, result, err)
						}
					}
					var list bytes.Buffer
					if err := c.List(t.Context(), "d", &list); err != nil || list.String() != g.Lists["LIST d"] {
						t.Errorf("list %q, %v", &list, err)
					}
					if n := g.network.Resets(); n != 0 {
						t.Errorf("%d connections ended in a reset", n)
					}
					if err := c.Quit(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
		}
	})
}
