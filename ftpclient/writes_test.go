package ftpclient_test

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// A recorder is a dialer that notes what is written to control connections,
// write by write.
type recorder struct {
	ftpclient.Dialer
	mu     sync.Mutex
	writes []string
}

func (r *recorder) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := r.Dialer.DialContext(ctx, network, address)
	if err != nil || !strings.HasSuffix(address, ":21") {
		return conn, err
	}
	return &recorded{conn, r}, nil
}

type recorded struct {
	net.Conn
	r *recorder
}

func (c *recorded) Write(p []byte) (int, error) {
	c.r.mu.Lock()
	c.r.writes = append(c.r.writes, string(p))
	c.r.mu.Unlock()
	return c.Conn.Write(p)
}

// record fetches f's files over one connection and returns the writes.
func (f *field) record(t *testing.T) []string {
	t.Helper()
	c := f.open(t)
	_ = c.Close()
	r := &recorder{Dialer: f.cfg.Dialer}
	f.cfg.Dialer = r
	c, err := ftpclient.New(serverURL, &f.cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := f.fetch(t.Context(), c, true, 1); err != nil {
		t.Fatal(err)
	}
	f.check(t, nil)
	return r.writes
}

// What can go at once goes in one piece.
func TestWrites(t *testing.T) {
	f := &field{Site: &ftptest.Site{Files: map[string]string{"f1": "a", "f2": "bc"}}}
	f.cfg.Ahead = 1
	writes := f.record(t)
	first := "TYPE I\r\nEPSV\r\nRETR f1\r\n"
	switch {
	case len(writes) < 3 || !slices.Equal(writes[:2], []string{"USER anonymous\r\n", "PASS anonymous@\r\n"}):
		t.Errorf("writes %q", writes)
	case !strings.HasPrefix(writes[2], first):
		t.Errorf("writes %q", writes)
	case strings.Join(writes[2:], "") != first+"EPSV\r\nRETR f2\r\n":
		t.Errorf("writes %q", writes)
	}
}

// However far ahead, one file at a time is asked for.
func TestWritesBounded(t *testing.T) {
	f := &field{Site: &ftptest.Site{Files: make(map[string]string)}}
	f.cfg.Ahead = 1000
	for i := range 40 {
		f.Files[strings.Repeat("x", 500)+string(rune('A'+i))] = "abc"
	}
	for _, w := range f.record(t) {
		if n := strings.Count(w, "RETR "); n > 1 {
			t.Errorf("%d files at once", n)
		}
	}
}
