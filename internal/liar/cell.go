package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
	"github.com/seed-54eb6215/xftp/internal/lab"
)

// A cell is what one client made of one lie.
type cell struct {
	code   int  // exit code
	hung   bool // it was killed, because it did not end
	warned bool // it said so on standard error
	whole  bool // the bytes under the final name are those of the file
	some   bool // there is a file under the final name
}

// text is the cell in the table.
func (c cell) text() string {
	text := strconv.Itoa(c.code)
	switch {
	case c.hung:
		text = "hang"
	case c.fooled() && c.warned:
		return "**!!** warned"
	case c.fooled():
		return "**!!**"
	}
	if c.some && !c.whole {
		text += "*"
	}
	return text
}

// fooled reports whether the client took wrong bytes for the file.
func (c cell) fooled() bool { return !c.hung && c.code == 0 && !c.whole }

// patience is how long a client may take. It is told to give up sooner.
const patience = 15 * time.Second

// tell tells a lie to a client, over loopback.
func tell(ctx context.Context, lie ftptest.Lie, c *client, p lab.Program) (cell, error) {
	dir, err := os.MkdirTemp("", "xftp-liar-")
	if err != nil {
		return cell{}, err
	}
	defer os.RemoveAll(dir)
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return cell{}, err
	}
	server := lie.Serve(ln, &ftptest.Kernel{}, nil)
	defer server.Close()
	host, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		return cell{}, err
	}
	local := filepath.Join(dir, localFile)
	args := c.fetch
	if lie.Direction == ftptest.Upload {
		args = c.store
		if err := os.WriteFile(local, ftptest.LieContent(), 0o600); err != nil {
			return cell{}, err
		}
	}
	var stderr bytes.Buffer
	code, err := runIn(ctx, dir, p, args(target{host, port, lie}), &stderr)
	result := cell{code: code, hung: errors.Is(err, context.DeadlineExceeded)}
	result.warned = strings.Contains(stderr.String(), "warning: ")
	if err != nil && !result.hung {
		return cell{}, err
	}
	content, err := os.ReadFile(local)
	result.some = err == nil
	if lie.Direction == ftptest.Upload {
		server.Close()
		content, result.some = server.Files()[storedFile]
	}
	// A file that became another one may be fetched as that.
	now := server.Files()[ftptest.LieFile]
	result.whole = bytes.Equal(content, ftptest.LieContent()) || lie.Direction == ftptest.Download && bytes.Equal(content, now)
	return result, nil
}

// runIn runs a program in dir, which is also its home, and returns its exit
// code. The error wraps context.DeadlineExceeded if it had to be killed.
func runIn(ctx context.Context, dir string, p lab.Program, args []string, stderr io.Writer) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.Path, args...)
	cmd.Dir, cmd.Stderr = dir, stderr
	cmd.Env = append([]string{"HOME=" + dir, "XDG_CONFIG_HOME=" + dir, "PATH=" + os.Getenv("PATH"), "LC_ALL=C"}, p.Env()...)
	// It is the only process of a group, with what it starts.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, nil
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case errors.As(err, &exit) && exit.Exited():
		return exit.ExitCode(), nil
	case errors.As(err, &exit): // by a signal, as a shell counts it
		status, _ := exit.Sys().(syscall.WaitStatus)
		return 128 + int(status.Signal()), nil
	default:
		return 0, fmt.Errorf("%s: %w", filepath.Base(p.Path), err)
	}
}
