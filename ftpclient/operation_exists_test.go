package ftpclient_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// A server that lies, or leaves open what there is, is never taken to say that
// something is not there.
func TestOpExists(t *testing.T) {
	unsure := func(err error) bool { return err != nil && !errors.Is(err, fs.ErrNotExist) }
	absent := is(fs.ErrNotExist)
	vsftpd := func(s *ftptest.Site) { // as the real one answers
		s.Greeting, s.Features = "(vsFTPd 3.0.3)", []string{"MDTM", "SIZE"}
		s.Refuse = map[string]string{"MLST": "500 Unknown command.", "MLSD": "500 Unknown command."}
	}
	plain := func(s *ftptest.Site) { // no MLSD, and nothing known of LIST
		vsftpd(s)
		s.Greeting = "ready"
	}
	refuse := func(replies ...string) func(s *ftptest.Site) {
		return func(s *ftptest.Site) {
			if s.Refuse == nil {
				s.Refuse = make(map[string]string)
			}
			for i := 0; i < len(replies); i += 2 {
				s.Refuse[replies[i]] = replies[i+1]
			}
		}
	}
	lists := func(lists ...string) func(s *ftptest.Site) {
		return func(s *ftptest.Site) {
			s.Lists = make(map[string]string)
			for i := 0; i < len(lists); i += 2 {
				s.Lists[lists[i]] = lists[i+1]
			}
		}
	}
	const line = "-rw-r--r-- 1 own grp 1 Nov 23 2020 other\r\n"
	for name, test := range map[string]struct {
		path  string
		ok    func(error) bool
		sites []func(s *ftptest.Site)
	}{
		"a file":                       {"d/x", isNil, nil},
		"a directory":                  {"d/sub", isNil, nil},
		"the root":                     {"/", isNil, nil},
		"nothing":                      {"d/no", absent, nil},
		"nothing in the root":          {"no", absent, nil},
		"nothing in nothing":           {"no/no/no", absent, nil},
		"nothing in an empty one":      {"d/sub/no", absent, nil},
		"nothing, without FEAT":        {"d/no", absent, []func(*ftptest.Site){func(s *ftptest.Site) { s.Features = nil }}},
		"vsftpd: a file":               {"d/x", isNil, []func(*ftptest.Site){vsftpd}},
		"vsftpd: a directory":          {"d/sub", isNil, []func(*ftptest.Site){vsftpd}},
		"vsftpd: nothing":              {"d/no", absent, []func(*ftptest.Site){vsftpd}},
		"vsftpd: nothing in nothing":   {"no/no", absent, []func(*ftptest.Site){vsftpd}},
		"vsftpd: nothing in an empty":  {"d/sub/no", absent, []func(*ftptest.Site){vsftpd}},
		"vsftpd: hidden":               {"d/.no", absent, []func(*ftptest.Site){vsftpd}},
		"LIST: hidden":                 {"d/.no", unsure, []func(*ftptest.Site){plain}},
		"LIST: empty":                  {"d/sub/no", unsure, []func(*ftptest.Site){plain}},
		"LIST: nothing":                {"d/no", absent, []func(*ftptest.Site){plain}},
		"LIST: in a pattern":           {"d*/no", unsure, []func(*ftptest.Site){plain, func(s *ftptest.Site) { s.Dirs = append(s.Dirs, "d*") }}},
		"the question is lied at":      {"d/x", isNil, []func(*ftptest.Site){refuse("MLST", "550 No such file or directory")}},
		"the list is cut":              {"d/no", unsure, []func(*ftptest.Site){lists("MLSD d", "type=file; x\r\ntype=fi")}},
		"the list is garbled":          {"d/no", unsure, []func(*ftptest.Site){lists("MLSD d", "type=file; x\r\nhello\r\n")}},
		"a list that leaves it out":    {"d/x", isNil, []func(*ftptest.Site){lists("MLSD d", "type=file; other\r\n")}},
		"LIST that leaves out a file":  {"d/x", isNil, []func(*ftptest.Site){vsftpd, lists("LIST -a d", line)}},
		"LIST that leaves out a dir":   {"d/sub", isNil, []func(*ftptest.Site){vsftpd, lists("LIST -a d", line)}},
		"LIST without anything":        {"d/no", unsure, []func(*ftptest.Site){vsftpd, lists("LIST -a d", "")}},
		"LIST that fails":              {"d/no", unsure, []func(*ftptest.Site){vsftpd, refuse("LIST -a d", "450 busy")}},
		"a list that is denied":        {"d/no", unsure, []func(*ftptest.Site){refuse("MLSD d", "550 Permission denied")}},
		"the question is denied":       {"d/no", unsure, []func(*ftptest.Site){refuse("MLST", "550 Permission denied")}},
		"entering is denied":           {"d/no", unsure, []func(*ftptest.Site){vsftpd, refuse("CWD", "550 Permission denied")}},
		"entering a file":              {"d/no", unsure, []func(*ftptest.Site){vsftpd, refuse("CWD", "550 d/no: Not a directory")}},
		"entering is not known":        {"d/no", unsure, []func(*ftptest.Site){vsftpd, refuse("CWD", "500 what")}},
		"the question is put off":      {"d/no", unsure, []func(*ftptest.Site){refuse("MLST", "450 busy")}},
		"another code":                 {"d/no", unsure, []func(*ftptest.Site){refuse("MLST", "501 No such file or directory")}},
		"not logged in":                {"d/no", unsure, []func(*ftptest.Site){refuse("MLST", "530 No such file or directory")}},
		"no question is known":         {"d/no", unsure, []func(*ftptest.Site){vsftpd, refuse("SIZE", "500 what", "MDTM", "500 what")}},
		"one question is known":        {"d/no", absent, []func(*ftptest.Site){vsftpd, refuse("SIZE", "500 what")}},
		"one question is put off":      {"d/no", unsure, []func(*ftptest.Site){vsftpd, refuse("SIZE", "451 busy")}},
		"a reply to something else":    {"d/no", unsure, []func(*ftptest.Site){vsftpd, refuse("SIZE", "227 (1,2,3,4,5,6)")}},
		"other letters":                {"d/X", unsure, nil},
		"spaces":                       {"d/ x", unsure, nil},
		"another form of Unicode":      {"u/gro\u0308\u00dfe", unsure, nil},
		"another character set":        {"u/gr\xf6\xdfe", unsure, nil},
		"a question mark":              {"u/漢字", unsure, nil},
		"another name in UTF-8":        {"u/größer x", absent, nil},
		"strange bytes":                {"d/\xff\xfe", absent, nil},
		"a name that leads elsewhere":  {"d/..", unsure, nil},
		"a name that has the reason":   {"d/access denied", absent, nil},
		"a name that has a line break": {"d/a\nb", isA[*ftpclient.ArgumentError], nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := &field{Site: &ftptest.Site{
				Files:    map[string]string{"d/x": "1", "u/größe": "", "u/a": "", "u/??": ""},
				Dirs:     []string{"d/sub", "e"},
				Features: []string{"MLST type*;"},
			}}
			for _, change := range test.sites {
				change(f.Site)
			}
			f.cfg.Retries = -1
			c := f.open(t)
			// Beside another in the same directory, and after one that has listed it.
			next := ftpclient.OpExists("d/x")
			errs := carry(t.Context(), t, c, 1, next, ftpclient.OpExists(test.path), ftpclient.OpExists(test.path))
			err := c.Do(t.Context(), func(conn *ftpclient.Conn) error { return conn.Exists(t.Context(), test.path) })
			for _, err := range append(errs[1:], err) {
				if !test.ok(err) {
					t.Errorf("%q: %v\n%s", test.path, err, strings.Join(f.Log(), "\n"))
				}
			}
		})
	}
}

// What was there when its directory was listed, and is no more, is not taken to be
// there.
func TestOpExistsLater(t *testing.T) {
	f := &field{Site: &ftptest.Site{Files: map[string]string{"d/x": "", "d/y": ""}, Dirs: []string{}, Features: []string{"MLST"}}}
	c := f.open(t)
	errs := carry(t.Context(), t, c, 1, ftpclient.OpExists("d/no"), ftpclient.OpDelete("d/x"), ftpclient.OpExists("d/x"), ftpclient.OpExists("d/y"))
	if !is(fs.ErrNotExist)(errs[0]) || errs[1] != nil || !is(fs.ErrNotExist)(errs[2]) || errs[3] != nil {
		t.Errorf("errors %v", errs)
	}
}
