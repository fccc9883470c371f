package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/seed-54eb6215/xftp/internal/lab"
)

// The scripts in testdata/script run the real program over kernel sockets
// against a server of this process on the loopback interface. They know these
// commands besides testscript's own:
//
//	server [FAULT...]         start a server with the faults (see testServer),
//	                          set $FTP to its URL, and $HOSTPORT to the end of that;
//	                          its files are in $WORK/remote, its certificate, if it
//	                          has one, in server.pem, with $PIN the pin of its key
//	certificate NAME          make one, in NAME.pem, with its key in NAME.key
//	random FILE BYTES         make a file with random bytes
//	same FILE FILE            compare two files by hash
//	tree DIR N BYTES          make N files of BYTES random bytes below a directory
//	sametree DIR DIR          compare the names, and the files by hash, below two
//	exits CODE COMMAND...     run a command that must exit with CODE
//	signal SIG CODE PART COMMAND...
//	                          run a command, send it SIG when the server has
//	                          stalled and the file PART has bytes in it, and in
//	                          its state, if it has one with segments; it must
//	                          exit with CODE, -1 after KILL; with SIG "none" it is the server
//	                          that dies
//	size FILE BYTES           the length of a file
//	absent FILE...            none of the files exists
//	mode FILE OCTAL           the permissions of a file
//	owner FILE UID            the owner of a file
//	stalled                   wait until the server has stalled
func TestMain(m *testing.M) {
	lab.Main() // the lab starts this binary as its server
	if os.Getenv(asXftp) != "" {
		if every, err := time.ParseDuration(os.Getenv(crashRecords)); err == nil {
			recordEvery = every
		}
		main()
		return
	}
	testscript.Main(m, map[string]func(){
		"xftp":      func() { leaveTerminal(); main() },
		"smalldisk": func() { smallDisk(0) },
		"rodisk":    func() { smallDisk(syscall.MS_RDONLY) },
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: false,
		Setup: func(env *testscript.Env) error {
			for _, v := range os.Environ() {
				if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "XFTP_") && name != "XFTP_REQUIRE" && name != "XFTP_SKIPS" && name != "XFTP_LONG" || strings.HasPrefix(name, "SUDO_") {
					return fmt.Errorf("the tests must not run with %s set", name)
				}
			}
			env.Values[serverKey{}] = new(*testServer)
			env.Setenv("XFTP_NET", "kernel")
			env.Setenv("XFTP_RETRIES", "0") // which is quicker; retries.txtar has them
			env.Setenv("HOME", env.WorkDir+"/home")
			env.Setenv("LONG", strings.Repeat("long-", 50))
			// For the scripts that have xftp change its user.
			if err := os.Chmod(filepath.Dir(env.WorkDir), 0o755); err != nil {
				return err
			}
			return os.MkdirAll(env.WorkDir+"/remote", 0o777)
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "root":
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"server":   scriptServer,
			"random":   scriptRandom,
			"same":     scriptSame,
			"tree":     scriptTree,
			"sametree": scriptSameTree,
			"exits":    scriptExits,
			"signal":   scriptSignal,
			"size":     scriptSize,
			"absent":   scriptAbsent,
			"mode":     scriptMode,
			"owner":    scriptOwner,
			"certificate": func(ts *testscript.TestScript, _ bool, args []string) {
				cert, err := makeCertificate("")
				ts.Check(err)
				ts.Check(writeCertificate(ts.MkAbs("."), args[0], cert))
			},
			"stalled": func(ts *testscript.TestScript, _ bool, _ []string) { <-(*serverOf(ts)).stalled },
		},
	})
}

func scriptServer(ts *testscript.TestScript, neg bool, args []string) {
	s, err := startServer(ts.MkAbs("remote"), args)
	ts.Check(err)
	ts.Defer(s.stop)
	ts.Setenv("FTP", s.url())
	ts.Setenv("HOSTPORT", strings.TrimPrefix(s.url(), "ftp://"))
	ts.Setenv("PORT", strconv.Itoa(s.port()))
	if s.has("tls") {
		ts.Check(writeCertificate(ts.MkAbs("."), "server", s.cert))
		ts.Setenv("PIN", pinOf(s.cert))
	}
	*serverOf(ts) = s
}

// serverKey is where a script keeps its last server, as a **testServer.
type serverKey struct{}

func serverOf(ts *testscript.TestScript) **testServer { return ts.Value(serverKey{}).(**testServer) }

func scriptRandom(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	_, err = io.CopyN(f, rand.NewChaCha8([32]byte{}), n)
	ts.Check(errors.Join(err, f.Close()))
}

func scriptSame(ts *testscript.TestScript, neg bool, args []string) {
	if equal := hashText(ts, args[0]) == hashText(ts, args[1]); equal == neg {
		ts.Fatalf("%s and %s: same is %v", args[0], args[1], equal)
	}
}

func hashText(ts *testscript.TestScript, path string) string {
	data, err := os.ReadFile(ts.MkAbs(path))
	ts.Check(err)
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Every tenth file is in a directory of its own, one in another.
func scriptTree(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	size, err := strconv.Atoi(args[2])
	ts.Check(err)
	ts.Check(makeTree(ts.MkAbs(args[0]), n, size))
}

func makeTree(dir string, n, size int) error {
	random := rand.NewChaCha8([32]byte{2})
	at := dir
	for i := range n {
		if i%10 == 0 {
			at = filepath.Join(dir, fmt.Sprint(i/30), fmt.Sprint(i))
			if err := os.MkdirAll(at, 0o777); err != nil {
				return err
			}
		}
		data := make([]byte, size+i)
		random.Read(data)
		if err := os.WriteFile(filepath.Join(at, fmt.Sprintf("file %d", i)), data, 0o666); err != nil {
			return err
		}
	}
	return nil
}

func scriptSameTree(ts *testscript.TestScript, neg bool, args []string) {
	a, err := hashTree(ts.MkAbs(args[0]))
	ts.Check(err)
	b, err := hashTree(ts.MkAbs(args[1]))
	ts.Check(err)
	if maps.Equal(a, b) == neg {
		ts.Fatalf("%s has %d names, %s %d:\n%v\n%v", args[0], len(a), args[1], len(b), a, b)
	}
}

// hashTree returns what is below a directory: for files a hash.
func hashTree(dir string) (map[string]string, error) {
	all := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, dir)
		all[name] = e.Type().String()
		if e.Type().IsRegular() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			sum := sha256.Sum256(data)
			all[name] = hex.EncodeToString(sum[:])
		}
		return nil
	})
	return all, err
}

func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	checkCode(ts, err, want)
}

func checkCode(ts *testscript.TestScript, err error, want int) {
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func scriptSignal(ts *testscript.TestScript, neg bool, args []string) {
	number, known := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}[args[0]]
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	part := ts.MkAbs(args[2])
	path, err := exec.LookPath(args[3])
	ts.Check(err)

	cmd := exec.Command(path, args[4:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = os.Environ()
	for _, name := range []string{"XFTP_NET", "XFTP_RETRIES", "HOME", "PATH", "SUDO_UID", "SUDO_GID"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	ts.Check(cmd.Start())
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }() // waited for below
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	stalled := (*serverOf(ts)).stalled
	least := int64(1) // bytes of the part
	if (*serverOf(ts)).number("stall") >= 1e6 {
		least = 128 << 10 // more than is compared when it is continued
	}
	for sent := false; ; {
		select {
		case err := <-exited:
			io.Copy(ts.Stdout(), &stdout)
			io.Copy(ts.Stderr(), &stderr)
			if !sent {
				ts.Fatalf("ended before the signal: %v\n%s", err, stderr.String())
			}
			checkCode(ts, err, want)
			return
		case <-poll.C:
			select {
			case <-stalled:
			default:
				continue
			}
			state, _ := os.ReadFile(part + ".json") // perhaps there is none yet
			if bytes.Contains(state, []byte(`"done":[]`)) {
				continue
			}
			if info, err := os.Stat(part); !sent && err == nil && info.Size() >= least {
				if known {
					ts.Check(cmd.Process.Signal(number))
				} else {
					(*serverOf(ts)).die()
				}
				sent = true
			}
		}
	}
}

func scriptSize(ts *testscript.TestScript, neg bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := fmt.Sprint(info.Size()); (got == args[1]) == neg {
		ts.Fatalf("%s has %s bytes", args[0], got)
	}
}

func scriptAbsent(ts *testscript.TestScript, neg bool, args []string) {
	for _, path := range args {
		if _, err := os.Lstat(ts.MkAbs(path)); err == nil {
			ts.Fatalf("%s exists", path)
		}
	}
}

func scriptMode(ts *testscript.TestScript, neg bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := fmt.Sprintf("%o", info.Mode().Perm()); (got == args[1]) == neg {
		ts.Fatalf("%s has mode %s", args[0], got)
	}
}

func scriptOwner(ts *testscript.TestScript, neg bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := fmt.Sprint(info.Sys().(*syscall.Stat_t).Uid); (got == args[1]) == neg {
		ts.Fatalf("%s belongs to %s", args[0], got)
	}
}

// smallDisk is a command for scripts: it mounts a file system of 1 MB on a
// directory, for itself alone, runs the rest of its arguments, prints what is
// in the directory afterwards and exits as the command did. That of rodisk can only
// be read.
func smallDisk(flags uintptr) {
	dir := os.Args[1]
	err := withSmallDisk(dir, flags, func() error {
		cmd := exec.Command(os.Args[2], os.Args[3:]...)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		return cmd.Run()
	})
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(99)
	}
	names, _ := filepath.Glob(filepath.Join(dir, ".*"))
	for _, name := range names {
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			fmt.Println("left:", filepath.Base(name), info.Size() > 0)
		}
	}
	if exit != nil {
		os.Exit(exit.ExitCode())
	}
}
