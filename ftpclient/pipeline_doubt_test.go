package ftpclient_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// In a pipeline, what is not known of a file is asked for when nothing else is
// under way, and the files around it are none the worse for it.
func TestDoubts(t *testing.T) {
	const bad = "f03"
	content := files(20)
	size := int64(len(content[bad]))
	sizeIs := func(path string, n int) string {
		return fmt.Sprintf("250-x\r\n type=file;size=%d; %s\r\n250 end", n, path)
	}
	lists := func(line string) string {
		path := strings.TrimPrefix(line, "MLST ")
		return sizeIs(path, len(content[path]))
	}
	for name, tt := range map[string]struct {
		listed   bool // sizes are given with the files
		verify   ftpclient.Verify
		reply    func(line string, asked int) string
		check    func(error) bool // of bad
		verified ftpclient.Verified
		none     string // is never sent
	}{
		"changed": {
			reply: func(line string, asked int) string {
				if line == "SIZE "+bad && asked == 1 {
					return "213 7"
				}
				return ""
			},
			check: isIntegrity(ftpclient.KindChanged, 7, size), verified: ftpclient.VerifiedSize,
		},
		"size wrong": {
			reply: func(line string, _ int) string {
				if line == "SIZE "+bad {
					return "213 7"
				}
				return ""
			},
			check: isIntegrity(ftpclient.KindSize, 7, size), verified: ftpclient.VerifiedSize,
		},
		"list old": {listed: true, check: isIntegrity(ftpclient.KindChanged, size+1, size), verified: ftpclient.VerifiedSize},
		"MLST": {
			reply: func(line string, _ int) string {
				switch verb(line) {
				case "SIZE":
					return "502 what"
				case "MLST":
					return lists(line)
				}
				return ""
			},
			verified: ftpclient.VerifiedSize,
		},
		"MLST after 550": {
			reply: func(line string, _ int) string {
				switch verb(line) {
				case "SIZE":
					return "550 no"
				case "MLST":
					return lists(line)
				}
				return ""
			},
			verified: ftpclient.VerifiedSize,
		},
		"MLST wrong": {
			reply: func(line string, _ int) string {
				switch {
				case verb(line) == "SIZE":
					return "502 what"
				case line == "MLST "+bad:
					return sizeIs(bad, 7)
				case verb(line) == "MLST":
					return lists(line)
				}
				return ""
			},
			check: isIntegrity(ftpclient.KindSize, 7, size), verified: ftpclient.VerifiedSize,
		},
		"nothing": {
			reply: func(line string, _ int) string {
				if verb(line) == "SIZE" {
					return "502 what"
				}
				return ""
			},
		},
		"nothing, size demanded": {
			verify: ftpclient.VerifySize,
			reply: func(line string, _ int) string {
				if line == "SIZE "+bad {
					return "550 no"
				}
				return ""
			},
			check: isUnverified(isReply(550)), verified: ftpclient.VerifiedSize,
		},
		"nothing asked": {verify: ftpclient.VerifyNone, none: "SIZE"},
		"hash": {
			verify: ftpclient.VerifyHash, verified: ftpclient.VerifiedHash,
			reply: func(line string, _ int) string {
				if path, ok := strings.CutPrefix(line, "XSHA256 "); ok {
					return "250 " + sha256Of(content[path])
				}
				return ""
			},
		},
		"another hash": {
			verify: ftpclient.VerifyHash, verified: ftpclient.VerifiedHash,
			reply: func(line string, _ int) string {
				path, ok := strings.CutPrefix(line, "XSHA256 ")
				switch {
				case ok && path == bad:
					return "250 " + sha256Of("x")
				case ok:
					return "250 " + sha256Of(content[path])
				}
				return ""
			},
			check: isHash(sha256Of("x"), sha256Of(content[bad])),
		},
	} {
		for _, way := range []string{"passive", "active", "no pipelining"} {
			bubble(t, name+"/"+way, func(t *testing.T) {
				f := &field{Site: &ftptest.Site{Files: content, Features: []string{"XSHA256", "MLST size*;"}}}
				ways[way](f)
				f.cfg.Verify = tt.verify
				asked := make(map[string]int)
				f.Fault = func(_, _ int, line string) ftptest.Fault {
					asked[line]++
					if tt.reply == nil {
						return ftptest.Fault{}
					}
					return ftptest.Fault{Reply: tt.reply(line, asked[line])}
				}
				c := f.open(t)
				err := c.Download(t.Context(), func(yield func(ftpclient.Download) bool) {
					for i := range len(content) {
						path := fmt.Sprintf("f%02d", i)
						d := f.download(path, 0)
						if d.Size = 0; tt.listed {
							d.Size = int64(len(content[path]))
						}
						if tt.listed && path == bad {
							d.Size++
						}
						if !yield(d) {
							return
						}
					}
				}, 1)
				if err != nil {
					t.Fatal(err)
				}
				for path := range content {
					switch err := f.errs[path]; {
					case path == bad && tt.check != nil:
						if err == nil || !tt.check(err) || f.results[path].Verified >= tt.verified {
							t.Errorf("%s: %+v, %v", path, f.results[path], err)
						}
					case err != nil, f.results[path].Verified != tt.verified:
						t.Errorf("%s: %+v, %v", path, f.results[path], err)
					}
				}
				if len(f.results) != len(content) {
					t.Errorf("%d files are done", len(f.results))
				}
				last := func(line string) int { return strings.LastIndex(strings.Join(f.Log(), "\n")+"\n", line+"\n") }
				if asked["SIZE "+bad] > 1 && last("SIZE "+bad) > last("RETR f19") {
					t.Error("more was begun before the doubt was decided")
				}
				for line := range asked {
					if tt.none != "" && verb(line) == tt.none {
						t.Errorf("%s was sent", line)
					}
				}
			})
		}
	}
}

// A connection that is lost before a doubt is decided decides it.
func TestDoubtLost(t *testing.T) {
	content := files(6)
	f := &field{Site: &ftptest.Site{Files: content}}
	f.cfg.Retries = -1
	f.Fault = func(_, _ int, line string) ftptest.Fault {
		switch line {
		case "SIZE f02":
			return ftptest.Fault{Reply: "550 no"}
		case "MLST f02":
			return ftptest.Fault{Hangup: true}
		}
		return ftptest.Fault{}
	}
	c := f.open(t)
	if err := f.fetch(t.Context(), c, false, 1); err != nil {
		t.Fatal(err)
	}
	for path := range content {
		err := f.errs[path]
		if path == "f02" && !errors.Is(err, io.ErrUnexpectedEOF) || path != "f02" && err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// An upload whose size is told in another way than by SIZE gets its name after
// that, and one that is not whole gets none.
func TestUploadDoubts(t *testing.T) {
	content := files(5)
	there := archive(content)
	for name, tt := range map[string]struct {
		verify   ftpclient.Verify
		reply    func(line string) string
		check    func(error) bool // of f02
		verified ftpclient.Verified
	}{
		"MLST": {
			verified: ftpclient.VerifiedSize,
			reply: func(line string) string {
				if verb(line) == "SIZE" {
					return "502 what"
				}
				return there.entry(line)
			},
		},
		"MLST after 550": {
			verified: ftpclient.VerifiedSize,
			reply: func(line string) string {
				if verb(line) == "SIZE" && strings.Contains(line, ".part") {
					return "550 not yet"
				}
				return there.entry(line)
			},
		},
		"MLST wrong": {
			verified: ftpclient.VerifiedSize, check: isIntegrity(ftpclient.KindStored, int64(len(content["f02"])), 1),
			reply: func(line string) string {
				switch {
				case verb(line) == "SIZE":
					return "550 no"
				case line == "MLST f02.part":
					return "250-x\r\n size=1; f02\r\n250 end"
				}
				return there.entry(line)
			},
		},
		"hash": {
			verified: ftpclient.VerifiedHash,
			reply: func(line string) string {
				switch verb(line) {
				case "SIZE", "MLST":
					return "502 what"
				}
				return there.hashed(line)
			},
		},
		"another hash": {
			verified: ftpclient.VerifiedHash, check: isHash(sha256Of("x"), sha256Of(content["f02"])),
			reply: func(line string) string {
				switch {
				case verb(line) == "SIZE", verb(line) == "MLST":
					return "502 what"
				case line == "XSHA256 f02.part":
					return "250 " + sha256Of("x")
				}
				return there.hashed(line)
			},
		},
		"hash demanded": {
			verify: ftpclient.VerifyHash, verified: ftpclient.VerifiedHash,
			reply: func(line string) string { return there.hashed(line) },
		},
		"size demanded": {
			verify: ftpclient.VerifySize, verified: ftpclient.VerifiedSize, check: isUnverified(isReply(550)),
			reply: func(line string) string {
				if line == "SIZE f02.part" {
					return "550 no"
				}
				return ""
			},
		},
		"nothing asked": {
			verify: ftpclient.VerifyNone,
			reply: func(line string) string {
				if verb(line) == "SIZE" {
					return "213 1"
				}
				return ""
			},
		},
		"taken away": {
			verified: ftpclient.VerifiedSize,
			reply: func(line string) string {
				if line == "SIZE f02" {
					return "550 gone"
				}
				return ""
			},
		},
		"another size under the new name": {
			verified: ftpclient.VerifiedSize, check: isIntegrity(ftpclient.KindStored, int64(len(content["f02"])), 1),
			reply: func(line string) string {
				if line == "SIZE f02" {
					return "213 1"
				}
				return ""
			},
		},
		"not renamed": {
			verified: ftpclient.VerifiedSize, check: func(err error) bool {
				var integrity *ftpclient.IntegrityError
				return errors.As(err, &integrity) && integrity.Kind == ftpclient.KindStored && isReply(550)(err)
			},
			reply: func(line string) string {
				if line == "RNTO f02" {
					return "250 of course"
				}
				return ""
			},
		},
	} {
		for _, way := range []string{"passive", "active", "no pipelining", "proftpd"} {
			bubble(t, name+"/"+way, func(t *testing.T) {
				f := &field{Site: &ftptest.Site{Features: []string{"XSHA256", "MLST size*;"}}}
				if set := ways[way]; set != nil {
					set(f)
				} else {
					f.Greeting = "ProFTPD"
				}
				f.cfg.Verify = tt.verify
				f.Fault = func(_, _ int, line string) ftptest.Fault {
					return ftptest.Fault{Reply: tt.reply(line)}
				}
				c := f.open(t)
				if err := f.store(t.Context(), c, content, true, 1); err != nil {
					t.Fatal(err)
				}
				for path, text := range content {
					err, bad := f.errs[path], path == "f02" && tt.check != nil
					switch {
					case bad && (err == nil || !tt.check(err)), !bad && err != nil:
						t.Errorf("%s: %+v, %v", path, f.results[path], err)
					case !bad && f.results[path].Verified != tt.verified:
						t.Errorf("%s: %+v", path, f.results[path])
					case !bad && f.Stored()[path] != text:
						t.Errorf("%s holds %d bytes", path, len(f.Stored()[path]))
					}
				}
				if log := f.Log(); strings.HasPrefix(name, "MLST wrong") && slices.Contains(log, "RNFR f02.part") {
					t.Error("what is not whole was renamed")
				}
			})
		}
	}
}

// An archive is what a site would hold if all went well.
type archive map[string]string

// entry answers MLST.
func (a archive) entry(line string) string {
	path, ok := strings.CutPrefix(line, "MLST ")
	if !ok {
		return ""
	}
	return fmt.Sprintf("250-x\r\n type=file;size=%d; %s\r\n250 end", len(a[strings.TrimSuffix(path, ".part")]), path)
}

// hashed answers XSHA256.
func (a archive) hashed(line string) string {
	path, ok := strings.CutPrefix(line, "XSHA256 ")
	if !ok {
		return ""
	}
	return "250 " + sha256Of(a[strings.TrimSuffix(path, ".part")])
}

// What becomes of a file that the server tells no size of is known before the next
// one can lose the connection.
func TestDoubtBeforeLoss(t *testing.T) {
	for _, way := range []string{"passive", "active"} {
		bubble(t, way, func(t *testing.T) {
			f := &field{Site: &ftptest.Site{Files: files(4), Refuse: map[string]string{"SIZE": "550 no", "MLST": "550 no"}}}
			ways[way](f)
			f.cfg.Retries = -1
			f.Fault = func(_, _ int, line string) ftptest.Fault { return ftptest.Fault{Cut: line == "RETR f01"} }
			if err := f.fetch(t.Context(), f.open(t), false, 1); err != nil {
				t.Fatal(err)
			}
			for path, err := range f.errs {
				if (err != nil) != (path == "f01") {
					t.Errorf("%s: %v", path, err)
				}
			}
		})
	}
}
