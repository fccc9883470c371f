package ftptest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// connect starts a server with a script and connects to it.
func connect(t *testing.T, script ...ftptest.Script) (net.Conn, *ftptest.Server) {
	t.Helper()
	var network ftptest.Network
	host := network.Host("192.0.2.2")
	ln, err := host.Listen(t.Context(), "tcp", "192.0.2.2:21")
	if err != nil {
		t.Fatal(err)
	}
	server := ftptest.Serve(ln, host, script...)
	conn, err := network.Host("192.0.2.1").DialContext(t.Context(), "tcp", "192.0.2.2:21")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); _ = server.Close() })
	return conn, server
}

// A client that leaves the script is found out.
func TestDeviations(t *testing.T) {
	for name, tt := range map[string]struct{ sent, problem string }{
		"as it is":          {"NOOP\r\n", ""},
		"another line":      {"QUIT\r\n", `client sent "QUIT", want "NOOP"`},
		"one line too many": {"NOOP\r\nNOOP\r\n", `after the script: client sent "NOOP"`},
		"a lone LF":         {"NOOP\n", "does not end in CR LF"},
		"half a line":       {"NOO", "half a line"},
		"nothing":           {"", "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			conn, server := connect(t, ftptest.Expect("NOOP"))
			if _, err := io.WriteString(conn, tt.sent); err != nil && !errors.Is(err, io.ErrClosedPipe) {
				t.Fatal(err)
			}
			conn.Close()
			err := server.Wait()
			if tt.problem == "" && err != nil || tt.problem != "" && (err == nil || !strings.Contains(err.Error(), tt.problem)) {
				t.Errorf("error %v, want %q", err, tt.problem)
			}
		})
	}
}

// The in-memory network refuses and resets as a real one.
func TestNetwork(t *testing.T) {
	conn, server := connect(t, ftptest.Raw("2"), ftptest.Reset())
	got, err := io.ReadAll(conn)
	if string(got) != "2" || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read %q, %v", got, err)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	var network ftptest.Network
	if _, err := network.Host("192.0.2.1").DialContext(t.Context(), "tcp", "192.0.2.2:21"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("error %v", err)
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := network.Host("192.0.2.1").DialContext(done, "tcp", "192.0.2.2:21"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
