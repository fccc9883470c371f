package ftpclient_test

import (
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// A server that has no EPSV, or whose ports are not to be reached by it, is asked
// for PASV from then on, on every connection of the Client, whatever it does there.
func TestEPSVRemembered(t *testing.T) {
	for _, reply := range []string{"500 what", "502 no", "522 (1)", "229 well", "229 (|||9|)"} {
		for name, ahead := range map[string]int{"ahead": 0, "lockstep": -1} {
			t.Run(reply+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := &field{Site: &ftptest.Site{Files: files(20), Refuse: map[string]string{"EPSV": reply}}}
					f.cfg.Ahead, f.cfg.Timeout = ahead, time.Minute
					c := f.open(t)
					first := slices.Values([]ftpclient.Download{f.download("f01", -1)})
					if err := c.Download(t.Context(), first, 1); err != nil {
						t.Fatal(err)
					}
					if f.errs["f01"] != nil {
						t.Fatal(f.errs["f01"])
					}
					learned := f.count("EPSV")
					delete(f.Files, "f01")
					delete(f.results, "f01")
					delete(f.got, "f01")
					delete(f.opened, "f01")
					// Connections of its own, and a list.
					err := c.Do(t.Context(), func(conn *ftpclient.Conn) error {
						if err := f.fetch(t.Context(), c, false, 3); err != nil {
							return err
						}
						return conn.Noop(t.Context())
					})
					if err != nil {
						t.Fatal(err)
					}
					f.check(t, nil)
					for _, err := range c.Walk(t.Context(), "nothing", nil) {
						if !isReply(550)(err) {
							t.Errorf("error %v", err)
						}
					}
					if n := f.count("EPSV"); learned != 1 || n != learned || f.Sessions() < 2 {
						t.Errorf("EPSV was sent %d times, and then %d, in %d sessions", learned, n-learned, f.Sessions())
					}
					if !maps.Equal(f.Stored(), files(20)) {
						t.Error("the files have changed")
					}
				})
			})
		}
	}
}
