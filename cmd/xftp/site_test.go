package main

import (
	"errors"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// serveSite runs a scripted site for the length of the test and returns its URL,
// without a slash at the end.
func serveSite(t *testing.T, site *ftptest.Site) string {
	t.Helper()
	var host ftptest.Kernel
	ln, err := host.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	site.Start(ln, &host)
	t.Cleanup(site.Close)
	return "ftp://" + ln.Addr().(*net.TCPAddr).String()
}

// withoutMLSD makes a site one that lists by LIST alone.
func withoutMLSD(site *ftptest.Site) {
	if site.Refuse == nil {
		site.Refuse = make(map[string]string)
	}
	site.Refuse["MLSD"] = "500 what"
}

// runXftp runs xftp to its end.
func runXftp(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	pipe := func() (*os.File, func() string) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close(); w.Close() })
		text := make(chan string, 1)
		go func() { // ended by the pipe's, and awaited
			b, _ := io.ReadAll(r)
			text <- string(b)
		}()
		return w, func() string { w.Close(); return <-text }
	}
	out, outText := pipe()
	errs, errText := pipe()
	err := startXftp(t, out, errs, args...).Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit != nil {
		code = exit.ExitCode()
	}
	return outText(), errText(), code
}

// What the verbs do with servers that have only some commands, that say the same
// of different things, or whose lists are not to be trusted.
func TestVerbsOnSites(t *testing.T) {
	const (
		dir  = "drwxr-xr-x 2 u g 4096 Nov 23 2020 "
		file = "-rw-r--r-- 1 u g 5 Nov 23 2020 "
		link = "lrwxrwxrwx 1 u g 5 Nov 23 2020 "
	)
	tests := []struct {
		name string
		site *ftptest.Site
		args string // URL stands for that of the site
		code int
		log  []string // the commands of the site that matter, in order
		says string   // on standard error, a regular expression; empty is nothing
	}{{
		name: "rm -r goes the deepest first and removes links",
		site: &ftptest.Site{
			Lists: map[string]string{
				"LIST": dir + "d\r\n", "LIST d": link + "l -> /etc\r\n" + dir + "sub\r\n" + file + "f\r\n", "LIST d/sub": file + "g\r\n" + dir + "empty\r\n", "LIST d/sub/empty": "",
			},
			Refuse: map[string]string{"DELE d": "550 no", "DELE d/sub": "550 no", "DELE d/sub/empty": "550 no", "DELE": "250 ok", "RMD": "250 ok"},
		},
		args: "rm -r URL/d/",
		log:  []string{"DELE d", "DELE d/l", "DELE d/sub", "DELE d/f", "DELE d/sub/g", "DELE d/sub/empty", "RMD d/sub/empty", "RMD d/sub", "RMD d"},
	}, {
		name: "rm -r does not follow a link that is listed as a directory",
		site: &ftptest.Site{
			Lists:  map[string]string{"MLSD": "type=dir; d\r\n", "MLSD d": "type=dir; l\r\n", "MLSD d/l": "type=file; precious\r\n"},
			Refuse: map[string]string{"DELE d": "550 no", "DELE": "250 ok", "RMD": "250 ok"},
		},
		args: "rm -r URL/d",
		log:  []string{"DELE d", "DELE d/l", "RMD d"},
	}, {
		name: "rm -r does not follow a link that it cannot delete, where only the list shows one",
		site: &ftptest.Site{
			Lists:  map[string]string{"LIST": link + "l -> /data\r\n", "LIST l": file + "precious\r\n"},
			Refuse: map[string]string{"DELE l": "550 no", "DELE": "250 ok", "RMD": "250 ok"},
		},
		args: "rm -r URL/l", code: 1,
		log:  []string{"DELE l"},
		says: `^xftp: rm [^ ]*/l: 550 no\n`,
	}, {
		name: "rm -r does not follow a link that a glob has found, and cannot be deleted",
		site: &ftptest.Site{
			Lists:  map[string]string{"LIST": link + "l -> /data\r\n", "LIST l": file + "precious\r\n"},
			Refuse: map[string]string{"DELE l": "550 no", "DELE": "250 ok", "RMD": "250 ok"},
		},
		args: "rm -r URL/[l]", code: 1,
		log:  []string{"DELE l"},
		says: `^xftp: rm [^ ]*/l: 550 no\n`,
	}, {
		name: "rm -r does not follow a link that it cannot delete, where MLST tells what it leads to",
		site: &ftptest.Site{
			Lists:  map[string]string{"MLSD": "type=OS.unix=symlink; l\r\n", "MLSD l": "type=file; precious\r\n"},
			Refuse: map[string]string{"MLST": "250-this\r\n type=dir; l\r\n250 end", "DELE l": "550 no", "DELE": "250 ok", "RMD": "250 ok"},
		},
		args: "rm -r URL/l", code: 1,
		log:  []string{"DELE l"},
		says: `^xftp: rm [^ ]*/l: 550 no\n`,
	}, {
		name: "rm -r empties nothing that may be a link",
		site: &ftptest.Site{
			Lists:  map[string]string{"MLSD": "type=dir; d\r\n", "MLSD d": "size=5; l\r\n", "MLSD d/l": "type=file; precious\r\n", "LIST": "", "LIST l": file + "precious\r\n"},
			Refuse: map[string]string{"DELE d": "550 no", "DELE d/l": "550 no", "DELE": "250 ok", "RMD": "250 ok"},
		},
		args: "rm -r URL/d", code: 1,
		log:  []string{"DELE d", "DELE d/l"},
		says: `^xftp: rm [^ ]*/d/l: 550 no\nxftp: hint: only what the server shows `,
	}, {
		name: "rm -r takes MLST for a directory that no list shows",
		site: &ftptest.Site{
			Lists:  map[string]string{"MLSD": "", "MLSD .d": "type=file; f\r\n"},
			Refuse: map[string]string{"MLST": "250-this\r\n type=dir; .d\r\n250 end", "DELE .d": "550 no", "DELE": "250 ok", "RMD": "250 ok"},
		},
		args: "rm -r URL/.d",
		log:  []string{"DELE .d", "DELE .d/f", "RMD .d"},
	}, {
		name: "rm -r leaves a directory whose list is garbled, with what is in it",
		site: &ftptest.Site{
			Lists: map[string]string{
				"LIST": dir + "d\r\n", "LIST d": dir + "good\r\n" + dir + "bad\r\n" + file + "f\r\n", "LIST d/good": file + "x\r\n", "LIST d/bad": file + "y\r\nwhat is this\r\n",
			},
			Refuse: map[string]string{"DELE d": "550 no", "DELE d/good": "550 no", "DELE d/bad": "550 no", "DELE": "250 ok", "RMD": "250 ok"},
		},
		args: "rm -r URL/d", code: 1,
		log:  []string{"DELE d", "DELE d/good", "DELE d/bad", "DELE d/f", "DELE d/good/x", "RMD d/good"},
		says: `(?s)^xftp: rm [^ ]*/d/bad: a line of a list that cannot be read: "what is this"\n.*xftp: rm [^ ]*/d: 3 removed, 1 not\n`,
	}, {
		name: "rm -r leaves a directory whose list is cut",
		site: &ftptest.Site{
			Lists:  map[string]string{"MLSD": "type=dir; d\r\n", "MLSD d": "type=file; a\r\ntype=file; ab"},
			Refuse: map[string]string{"DELE d": "550 no", "DELE": "250 ok", "RMD": "250 ok"},
		},
		args: "rm -r URL/d", code: 1,
		log:  []string{"DELE d"},
		says: `^xftp: rm [^ ]*/d: a list that ends within a line\n`,
	}, {
		name: "rm -r does not touch names that lead elsewhere",
		site: &ftptest.Site{
			Lists:  map[string]string{"MLSD": "type=dir; d\r\n", "MLSD d": "type=file; ../x\r\ntype=file; a\r\ntype=dir; ..\r\n"},
			Refuse: map[string]string{"DELE d": "550 no", "DELE": "250 ok", "RMD": "250 ok"},
		},
		args: "rm -r URL/d", code: 1,
		log:  []string{"DELE d", "DELE d/a"},
		says: `^xftp: rm [^ ]*/d: a name that leads elsewhere: "../x"\n`,
	}, {
		name: "rm -r goes on after a refusal, and sums up",
		site: &ftptest.Site{
			Lists:  map[string]string{"MLSD": "type=dir; d\r\n", "MLSD d": "type=file; a\r\ntype=file; b\r\ntype=file; c\r\n"},
			Refuse: map[string]string{"DELE d": "550 no", "DELE d/b": "550 not yours", "DELE": "250 ok", "RMD": "250 ok"},
		},
		args: "rm -r URL/d", code: 1,
		log:  []string{"DELE d", "DELE d/a", "DELE d/b", "DELE d/c"},
		says: `(?s)^xftp: rm [^ ]*/d/b: 550 not yours\n.*/d: 2 removed, 1 not\n`,
	}, {
		name: "rm -r tells what may be left when the server hangs up",
		site: &ftptest.Site{
			Lists:  map[string]string{"MLSD": "type=dir; d\r\n", "MLSD d": "type=file; a\r\ntype=file; b\r\n"},
			Fault:  func(_, _ int, line string) ftptest.Fault { return ftptest.Fault{Hangup: line == "DELE d/a"} },
			Refuse: map[string]string{"DELE d": "550 no", "DELE d/b": "250 ok", "RMD": "250 ok"},
		},
		args: "rm -r URL/d", code: 1,
		log:  []string{"DELE d", "DELE d/a", "DELE d/b"},
		says: `^xftp: rm [^ ]*/d/a: .* closed by the server: .*\nxftp: rm [^ ]*/d: 1 removed, 1 not\n$`,
	}, {
		name: "rm -r ends where the server does",
		site: &ftptest.Site{
			Lists: map[string]string{"MLSD": "type=dir; d\r\n", "MLSD d": "type=file; a\r\ntype=dir; b\r\ntype=file; c\r\n"},
			Fault: func(session, _ int, line string) ftptest.Fault {
				return ftptest.Fault{Hangup: line == "DELE d/a" || session > 0}
			},
			Refuse: map[string]string{"DELE d": "550 no", "RMD": "250 ok"},
		},
		args: "rm -r URL/d", code: 1,
		log:  []string{"DELE d", "DELE d/a"},
		says: `^xftp: rm [^ ]*/d/a: .* closed by the server: .*\n$`,
	}, {
		name: "rm -r tells a file that cannot be deleted from a directory",
		site: &ftptest.Site{
			Files:  map[string]string{"f": "12345"},
			Lists:  map[string]string{"LIST f": file + "f\r\n"},
			Refuse: map[string]string{"DELE": "550 not yours"},
		},
		args: "rm -r URL/f", code: 1,
		log:  []string{"DELE f"},
		says: `^xftp: rm [^ ]*/f: 550 not yours\n`,
	}, {
		name: "rm -rf takes nothing for nothing",
		site: &ftptest.Site{
			Lists:  map[string]string{"LIST d": "", "LIST ": file + "other\r\n", "LIST": file + "other\r\n"},
			Refuse: map[string]string{"DELE": "550 failed", "RMD": "550 failed", "CWD": "550 failed"},
		},
		args: "rm -r -f URL/d",
		log:  []string{"DELE d", "CWD d"},
	}, {
		name: "rm -f does not take for nothing what the list may leave out",
		site: &ftptest.Site{
			Lists:  map[string]string{"LIST": file + "other\r\n"},
			Refuse: map[string]string{"DELE": "550 Permission denied", "SIZE": "500 what", "CWD": "550 failed"},
		},
		args: "rm -f URL/.b", code: 1,
		log:  []string{"DELE .b"},
		says: `^xftp: rm [^ ]*/.b: 550 Permission denied\n`,
	}, {
		name: "rm -f does not take for nothing what is listed, whatever MLST says",
		site: &ftptest.Site{
			Features: []string{"MLST type*;"},
			Lists:    map[string]string{"MLSD": "type=file; b\r\n"},
			Refuse:   map[string]string{"DELE": "550 failed", "MLST": "550 No such file or directory"},
		},
		args: "rm -f URL/b", code: 1,
		log:  []string{"DELE b"},
		says: `^xftp: rm [^ ]*/b: 550 failed\n`,
	}, {
		name: "rm -f takes nothing for nothing",
		site: &ftptest.Site{
			Features: []string{"MLST type*;"},
			Lists:    map[string]string{"MLSD": "type=file; other\r\n"},
			Refuse:   map[string]string{"DELE": "550 failed", "MLST": "550 No such file or directory"},
		},
		args: "rm -f URL/b",
		log:  []string{"DELE b"},
	}, {
		name: "rm names a directory that only its list shows to be one",
		site: &ftptest.Site{
			Lists:  map[string]string{"LIST": dir + "d\r\n"},
			Refuse: map[string]string{"DELE": "550 failed"},
		},
		args: "rm URL/d", code: 1,
		log:  []string{"DELE d"},
		says: `^xftp: rm [^ ]*/d: is a directory\n`,
	}, {
		name: "rm -r leaves the directory of the login, and those that it is in",
		site: &ftptest.Site{
			Refuse: map[string]string{"PWD": `257 "/home/u"`, "DELE": "250 ok"},
		},
		args: "rm -r URL/%2Fhome URL/%2Fhome/u/ URL/%2F/home//u URL/%2Fhome/us URL/%2Fhome/u/x", code: 1,
		log:  []string{"DELE /home/us", "DELE /home/u/x"},
		says: `(?s)^xftp: rm [^ ]*/%2Fhome: is the directory that the login begins in, or one that it is in\n(.*or one that it is in\n){2}$`,
	}, {
		name: "mv asks for the size where there is no MLST",
		site: &ftptest.Site{Files: map[string]string{"a": "1", "b": "2"}},
		args: "mv URL/a b", code: 1,
		says: `^xftp: mv [^ ]*/a: [^ ]*/b exists\n`,
	}, {
		name: "mv finds a directory in the list",
		site: &ftptest.Site{Files: map[string]string{"a": "1"}, Lists: map[string]string{"LIST": dir + "d\r\n" + file + "a\r\n"}},
		args: "mv URL/a d", code: 1,
		says: `^xftp: mv [^ ]*/a: [^ ]*/d is a directory\nxftp: hint: end it in / `,
	}, {
		name: "mv moves where the list shows that nothing is there",
		site: &ftptest.Site{Files: map[string]string{"a": "1"}, Lists: map[string]string{"LIST d": file + "b\r\n"}, Refuse: map[string]string{"CWD": "550 no"}},
		args: "mv URL/a d/",
		log:  []string{"CWD d/a", "RNFR a", "RNTO d/a"},
	}, {
		name: "mv does not move to a name that the list may leave out",
		site: &ftptest.Site{
			Files:  map[string]string{"a": "1", ".b": "2"},
			Lists:  map[string]string{"LIST": file + "a\r\n"},
			Refuse: map[string]string{"SIZE": "500 what", "MDTM": "550 failed", "CWD": "550 failed"},
		},
		args: "mv URL/a .b", code: 1,
		says: `^xftp: mv [^ ]*/a: [^ ]*/.b: not known whether it is there: a list that may leave out names with a dot\nxftp: hint: --force`,
	}, {
		name: "mv does not move to a name that is there in other letters",
		site: &ftptest.Site{
			Files:    map[string]string{"a": "1", "readme": "2"},
			Features: []string{"MLST type*;"},
			Lists:    map[string]string{"MLSD": "type=file; a\r\ntype=file; readme\r\n"},
			Refuse:   map[string]string{"MLST": "550 No such file or directory"},
		},
		args: "mv URL/a README", code: 1,
		says: `^xftp: mv [^ ]*/a: [^ ]*/README: not known whether it is there: a name that may be the same\n`,
	}, {
		name: "mv does not move where the server answers no question",
		site: &ftptest.Site{
			Files:  map[string]string{"a": "1", "b": "2"},
			Lists:  map[string]string{"LIST": file + "a\r\n"},
			Refuse: map[string]string{"SIZE": "500 what"},
		},
		args: "mv URL/a b", code: 1,
		says: `^xftp: mv [^ ]*/a: [^ ]*/b: not known whether it is there: the server answers no question about a name\n`,
	}, {
		name: "mv does not move where it is not known",
		site: &ftptest.Site{
			Files:  map[string]string{"a": "1"},
			Refuse: map[string]string{"MLST": "550 denied", "LIST": "550 denied", "MLSD": "550 denied"},
		},
		args: "mv URL/a d/b", code: 1,
		says: `^xftp: mv [^ ]*/a: [^ ]*/d/b: not known whether it is there: 550 denied\nxftp: hint: the directory that it is to be in may not exist, .*; --force does not ask\n`,
	}, {
		name: "mv does not take a list that was not understood for an empty one",
		site: &ftptest.Site{Files: map[string]string{"a": "1"}, Lists: map[string]string{"LIST d": "what is this\r\n"}},
		args: "mv URL/a d/b", code: 1,
		says: `^xftp: mv [^ ]*/a: [^ ]*/d/b: not known whether it is there: `,
	}, {
		name: "mv --force does not ask",
		site: &ftptest.Site{Files: map[string]string{"a": "1", "b": "2"}},
		args: "mv --force URL/a b",
		log:  []string{"RNFR a", "RNTO b"},
	}, {
		name: "mkdir -p takes what exists where nothing but CWD tells",
		site: &ftptest.Site{Refuse: map[string]string{"MKD a/b/c": "257 made", "MKD": "550 cannot", "CWD": "250 there"}},
		args: "mkdir -p URL/a/b",
		log:  []string{"MKD a/b", "CWD a/b", "CWD /"},
	}, {
		name: "mkdir -p tells what cannot be",
		site: &ftptest.Site{Refuse: map[string]string{"MKD": "550 cannot", "CWD": "550 no"}},
		args: "mkdir -p URL/a/b", code: 1,
		log:  []string{"MKD a/b", "CWD a/b", "MKD a", "MKD a/b", "CWD a/b"},
		says: `^xftp: mkdir [^ ]*/a/b: 550 cannot\nxftp: hint: something on the way `,
	}, {
		name: "chmod -R leaves links, and directories that it closes till last",
		site: &ftptest.Site{
			Lists:  map[string]string{"LIST": dir + "d\r\n", "LIST d": link + "l -> /etc\r\n" + file + "f\r\n"},
			Refuse: map[string]string{"SITE": "200 ok"},
		},
		args: "chmod -R 600 URL/d",
		log:  []string{"SITE CHMOD 600 d/f", "SITE CHMOD 600 d"},
	}, {
		name: "chmod -R opens directories first",
		site: &ftptest.Site{
			Lists:  map[string]string{"LIST": dir + "d\r\n", "LIST d": file + "f\r\n"},
			Refuse: map[string]string{"SITE": "200 ok"},
		},
		args: "chmod -R 2755 URL/d",
		log:  []string{"SITE CHMOD 2755 d", "SITE CHMOD 2755 d/f"},
	}, {
		name: "chmod -R asks once a server that cannot",
		site: &ftptest.Site{
			Lists:  map[string]string{"LIST": dir + "d\r\n", "LIST d": file + "f\r\n" + file + "g\r\n"},
			Refuse: map[string]string{"SITE": "500 what"},
		},
		args: "chmod -R 755 URL/d", code: 1,
		log:  []string{"SITE CHMOD 755 d"},
		says: `^xftp: chmod [^ ]*/d: 500 what\nxftp: hint: the server does not have that command, or not for this user\n$`,
	}, {
		name: "ls tells that it does not know what it has listed",
		site: &ftptest.Site{
			Lists: map[string]string{"LIST d": file + "d\r\n"},
			Fault: func(_, _ int, line string) ftptest.Fault { return ftptest.Fault{Hangup: line == "SIZE d"} },
		},
		args: "ls URL/d", code: 1,
		says: `^xftp: ls [^ ]*/d: .* closed by the server: .*\n`,
	}}
	matters := regexp.MustCompile(`^(DELE|RMD|MKD|RNFR|RNTO|SITE|CWD) `)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			lists := slices.Collect(maps.Keys(tt.site.Lists))
			if !slices.ContainsFunc(lists, func(line string) bool { return strings.HasPrefix(line, "MLSD") }) {
				withoutMLSD(tt.site)
			}
			url := serveSite(t, tt.site)
			_, stderr, code := runXftp(t, strings.Fields(strings.ReplaceAll(tt.args, "URL", url))...)
			log := slices.DeleteFunc(tt.site.Log(), func(line string) bool { return !matters.MatchString(line) })
			if code != tt.code || !slices.Equal(log, tt.log) {
				t.Errorf("exit code %d, commands %q\n%s", code, log, stderr)
			}
			if tt.says == "" && stderr != "" || !regexp.MustCompile(tt.says).MatchString(stderr) {
				t.Errorf("said:\n%s", stderr)
			}
		})
	}
}

// What stays on the server is told of, also if it is not known whether it does.
func TestPartStays(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, lost := range []bool{false, true} {
		var deleted bool
		site := &ftptest.Site{
			Files:  map[string]string{},
			Refuse: map[string]string{"RNFR": "550 no", "DELE": "550 no"},
			Fault: func(_, _ int, line string) ftptest.Fault {
				hangup := deleted && lost
				deleted = deleted || strings.HasPrefix(line, "DELE ")
				return ftptest.Fault{Hangup: hangup}
			},
		}
		_, stderr, code := runXftp(t, "put", file, serveSite(t, site)+"/f")
		if code != 0 || site.Stored()["f"] != "12345" || !regexp.MustCompile(`: \.f\S*\.xftp-part stays on the server \(550 no\)\n`).MatchString(stderr) {
			t.Errorf("lost %v: exit code %d, stored %q, said\n%s", lost, code, site.Stored(), stderr)
		}
	}
}

// A server without MLST is asked for what its lists leave out.
func TestStatByList(t *testing.T) {
	site := &ftptest.Site{
		Files: map[string]string{"d/f": "12345"},
		Times: map[string]string{"d/f": "20240229123456"},
		Lists: map[string]string{"LIST d": "lrwxrwxrwx 1 u g 5 Feb 29 2024 l -> f\r\n-rw-r----- 1 u g 5 Feb 29 2024 f\r\n"},
	}
	withoutMLSD(site)
	url := serveSite(t, site)
	stdout, stderr, code := runXftp(t, "stat", url+"/d/f", url+"/d/l")
	want := url + `/d/f
  type      file
  size      5
  modified  2024-02-29 12:34:56Z
  mode      0640 -rw-r-----
  owner     u
  group     g

` + url + `/d/l
  type      link
  size      ?
  modified  2024-02-29
  mode      0777 lrwxrwxrwx
  owner     u
  group     g
  target    f
`
	if code != 0 || stdout != want || stderr != "" {
		t.Errorf("exit code %d, printed\n%s%s", code, stdout, stderr)
	}
	if _, stderr, code = runXftp(t, "stat", url+"/d/none"); code != 1 || !strings.Contains(stderr, "/d/none: is not in the list of its directory\n") {
		t.Errorf("exit code %d, said\n%s", code, stderr)
	}
}
