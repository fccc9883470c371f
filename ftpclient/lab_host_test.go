package ftpclient_test

import (
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/internal/lab"
)

// Real servers do not know HOST, or not the name, and are refused by who has asked for
// it. What is said after the login does not disturb them.
func TestLabVirtualHost(t *testing.T) {
	for _, kind := range lab.Kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			lab.NeedServer(t, kind)
			l := lab.ForTest(t, lab.Config{})
			server, err := l.Server.StartServer(t.Context(), lab.ServerConfig{Kind: kind, Root: lab.RootDir(t)})
			if err != nil {
				t.Fatal(err)
			}
			refusals := map[lab.Kind]int{lab.Proftpd: 504, lab.Vsftpd: 530, lab.Pureftpd: 530, lab.Embedded: 530}
			for host, code := range map[string]int{"": 0, "nobody.example.com": refusals[kind]} {
				c, err := ftpclient.Dial(t.Context(), server.URL(""), &ftpclient.Config{
					Dialer: l.Client, VirtualHost: host, ClientName: "a test", Trace: func(line string) { t.Log(line) },
				})
				if code > 0 {
					if !isReply(code)(err) {
						t.Errorf("host %q: error %v", host, err)
					}
					continue
				}
				if err != nil {
					t.Fatalf("host %q: %v", host, err)
				}
				if _, err := c.Features(t.Context()); err != nil {
					t.Error(err)
				}
				if dir, err := c.WorkingDir(t.Context()); err != nil || dir != "/" {
					t.Errorf("in %q, %v", dir, err)
				}
				if err := c.Quit(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
