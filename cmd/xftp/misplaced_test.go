package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// A large file is not sent to the name of a directory. That is asked in one command,
// whose answer counts only if it means something.
func TestPutToDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, make([]byte, askAbove), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		cwd   map[string]string // replies
		fault func(session, n int, line string) ftptest.Fault
		asked []string
		code  int
	}{
		{name: "directory", cwd: map[string]string{"CWD d/x": "250 there", "CWD": "550 no"}, asked: []string{"CWD d/x", "CWD .xftp.xftp-part"}, code: exitTransfer},
		{name: "name", cwd: map[string]string{"CWD": "550 no"}, asked: []string{"CWD d/x"}},
		{name: "server enters what is not there", cwd: map[string]string{"CWD": "250 there"}, asked: []string{"CWD d/x", "CWD .xftp.xftp-part"}},
		{name: "server has no such command", cwd: map[string]string{"CWD": "502 what"}, asked: []string{"CWD d/x"}},
		{name: "server hangs up", asked: []string{"CWD d/x"}, fault: func(_, _ int, line string) ftptest.Fault {
			return ftptest.Fault{Hangup: strings.HasPrefix(line, "CWD ")}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			site := &ftptest.Site{Refuse: tt.cwd, Fault: tt.fault}
			url := serveSite(t, site)
			_, stderr, code := runXftp(t, "put", file, url+"/d/x")
			asked := slices.DeleteFunc(site.Log(), func(line string) bool { return !strings.HasPrefix(line, "CWD ") })
			sent := slices.ContainsFunc(site.Log(), func(line string) bool { return strings.HasPrefix(line, "STOR ") })
			if code != tt.code || !slices.Equal(asked, tt.asked) || sent != (tt.code == exitOK) {
				t.Errorf("exit code %d, sent %v, asked %q\n%s", code, sent, asked, stderr)
			}
			if got := len(site.Stored()["d/x"]); tt.code == exitOK && got != askAbove {
				t.Errorf("%d bytes are there\n%s", got, stderr)
			}
		})
	}
}
