package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A user without a password is asked for it on the terminal, which shows
// nothing of it and is as before when xftp has ended, also by a signal.
func TestAskPassword(t *testing.T) {
	for _, tt := range []struct {
		name, typed string
		code        int
		out         string
	}{
		{"right", "s3cret-pw\n", 0, "data"},
		{"wrong", "other-pw\n", 1, ""},
		{"interrupted", "half\x03", 130, ""},
		{"none", "\x04", 2, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serverWith(t, 4)
			master, slave := openTerminal(t)
			defer slave.Close()
			before, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
			if err != nil {
				t.Fatal(err)
			}
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			url := strings.Replace(s.url(), "//", "//user@", 1) + "/file"
			cmd := exec.Command(self, "cat", "-v", url, url) // is asked for once
			cmd.Env = []string{asXftp + "=1", "XFTP_NET=kernel", "XFTP_RETRIES=0", "HOME=" + t.TempDir()}
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			cmd.ExtraFiles = []*os.File{slave}
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 3}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			shown := readUntil(t, master, "Password of user at 127.0.0.1: ")
			if _, err := master.WriteString(tt.typed); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // its code is what counts
			if code := cmd.ProcessState.ExitCode(); code != tt.code || stdout.String() != strings.Repeat(tt.out, 2) {
				t.Errorf("exit code %d, want %d; %q\n%s", code, tt.code, &stdout, &stderr)
			}
			after, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
			if err != nil {
				t.Fatal(err)
			}
			if *after != *before {
				t.Errorf("the terminal is %+v, and was %+v", after, before)
			}
			if _, err := slave.WriteString("<end>"); err != nil {
				t.Fatal(err)
			}
			shown += readUntil(t, master, "<end>")
			typed := strings.TrimRight(tt.typed, "\n\x03\x04")
			if typed != "" && strings.Contains(shown+stderr.String(), typed) || strings.Count(shown, "Password") != 1 {
				t.Errorf("shown: %q\n%s", shown, &stderr)
			}
		})
	}
}

// Without a terminal nobody is asked.
func TestAskNobody(t *testing.T) {
	s := serverWith(t, 4)
	var stderr bytes.Buffer
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "cat", "-q", strings.Replace(s.url(), "//", "//user@", 1)+"/file")
	cmd.Env = []string{asXftp + "=1", "XFTP_NET=kernel", "XFTP_RETRIES=0", "HOME=" + t.TempDir()}
	cmd.Stderr = &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	_ = cmd.Run() // its code is what counts
	if code := cmd.ProcessState.ExitCode(); code != exitTransfer || !strings.Contains(stderr.String(), "530") {
		t.Errorf("exit code %d\n%s", code, &stderr)
	}
}

// readUntil reads what a terminal shows, up to text.
func readUntil(t *testing.T, master *os.File, text string) (shown string) {
	t.Helper()
	buf := make([]byte, 1)
	for !strings.HasSuffix(shown, text) {
		if _, err := master.Read(buf); err != nil {
			t.Fatalf("%v after %q", err, shown)
		}
		shown += string(buf)
	}
	return shown
}

// leaveTerminal gives up the terminal that the tests were started from, if there
// is one, so that nobody is asked anything there.
func leaveTerminal() {
	if tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0); err == nil {
		_ = unix.IoctlSetInt(int(tty.Fd()), unix.TIOCNOTTY, 0) // or else a test will hang
		tty.Close()
	}
}
