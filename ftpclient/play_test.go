package ftpclient_test

import (
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
	"github.com/seed-54eb6215/xftp/internal/lab"
	"github.com/seed-54eb6215/xftp/internal/leak"
)

func TestMain(m *testing.M) {
	lab.Main()
	leak.Main(m)
}

const (
	clientHost = "192.0.2.1"
	serverHost = "192.0.2.2"
	serverURL  = "ftp://192.0.2.2/"
)

// A stage is a network on which one dialogue is played.
type stage struct {
	network ftptest.Network
	server  *ftptest.Server
	cfg     ftpclient.Config
}

// set starts a server that plays script. At the end of the test the dialogue
// must have been played to its end.
func set(t *testing.T, script ...ftptest.Script) *stage {
	t.Helper()
	return setOn(t, func(*ftptest.Network) {}, script...)
}

// setOn is set on a network that is prepared first.
func setOn(t *testing.T, prepare func(*ftptest.Network), script ...ftptest.Script) *stage {
	t.Helper()
	s := new(stage)
	prepare(&s.network)
	host := s.network.Host(serverHost)
	ln, err := host.Listen(t.Context(), "tcp", serverHost+":21")
	if err != nil {
		t.Fatal(err)
	}
	s.server = ftptest.Serve(ln, host, script...)
	client := s.network.Host(clientHost)
	s.cfg = ftpclient.Config{Dialer: client, Listener: client}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log("dialogue:", s.server.Close())
			return
		}
		if err := s.server.Wait(); err != nil {
			t.Error("dialogue:", err)
		}
		if n := s.network.Listeners(); n != 0 {
			t.Errorf("%d listeners are left open", n)
		}
	})
	return s
}

// dial logs in and closes the Conn at the end of the test.
func (s *stage) dial(t *testing.T) *ftpclient.Conn {
	t.Helper()
	s.cfg.Trace = func(line string) { t.Log(line) }
	c, err := ftpclient.Dial(t.Context(), serverURL, &s.cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// play is set and dial, with the dialogue of an anonymous login first.
func play(t *testing.T, script ...ftptest.Script) *ftpclient.Conn {
	t.Helper()
	return set(t, append([]ftptest.Script{ftptest.Login()}, script...)...).dial(t)
}

// begin is the dialogue of a binary download or upload up to the command.
func begin(path string, size string) ftptest.Script {
	return ftptest.Steps(
		ftptest.Exchange("TYPE I", "200 binary"),
		ftptest.Exchange("SIZE "+path, size),
		ftptest.EPSV(),
	)
}
