package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/seed-54eb6215/xftp/bench/record"
)

// devNull is where what nobody wants goes.
const devNull = "/dev/null"

// command makes the command of a peer, with an environment in which neither
// the user's settings nor his proxies have a say.
func (b *bench) command(ctx context.Context, p peer, words []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.program.Path, words...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.home, "LC_ALL=C", "TERM=dumb"}, p.program.Env()...)
	cmd.Dir = b.home
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// once runs a command on the client's side and measures it. Its standard
// output goes nowhere; cat's is read until the first byte, which is what is
// timed then. The error is in the run, too.
func (b *bench) once(ctx context.Context, cmd *exec.Cmd, firstByte bool) record.Run {
	run := record.Run{Start: time.Now().UTC().Truncate(time.Millisecond)}
	if err := b.measure(cmd, firstByte, &run); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		run.Error = err.Error()
	}
	return run
}

func (b *bench) measure(cmd *exec.Cmd, firstByte bool, run *record.Run) error {
	var stderr bytes.Buffer
	cmd.Stderr = &limited{&stderr, 64 << 10}
	var stdout, stdoutEnd *os.File
	if firstByte {
		var err error
		if stdout, stdoutEnd, err = os.Pipe(); err != nil {
			return err
		}
		defer stdout.Close()
		cmd.Stdout = stdoutEnd
	}
	serverBefore, clientBefore := b.site.retransmits()
	before, err := readCPU()
	if err != nil {
		return errors.Join(err, closeIf(stdoutEnd))
	}
	start := time.Now()
	if err := b.site.start(cmd); err != nil {
		return errors.Join(err, closeIf(stdoutEnd))
	}
	w := newWatch(cmd.Process.Pid)
	if firstByte {
		stdoutEnd.Close() // the child has its own
		if _, err := io.ReadFull(stdout, make([]byte, 1)); err == nil {
			run.Seconds = time.Since(start).Seconds()
		}
		_, _ = io.Copy(io.Discard, stdout)
	}
	waitErr := cmd.Wait()
	whole := time.Since(start).Seconds()
	run.PeakRSS = w.end()
	if firstByte {
		run.Items = map[string]float64{"whole": whole}
	} else {
		run.Seconds = whole
	}
	after, err := readCPU()
	if err != nil {
		return err
	}
	run.MachineCPU, run.Stolen = after.busy-before.busy, after.stolen-before.stolen
	server, client := b.site.retransmits()
	run.ServerRetransmits, run.ClientRetransmits = delta(server, serverBefore), delta(client, clientBefore)
	run.User, run.System = usage(cmd.ProcessState)
	run.XDP = parseStats(stderr.Bytes())
	if waitErr != nil {
		return fmt.Errorf("%w: %s", waitErr, lastLines(stderr.String()))
	}
	if firstByte && run.Seconds == 0 {
		return errors.New("nothing came")
	}
	return nil
}

func closeIf(f *os.File) error {
	if f == nil {
		return nil
	}
	return f.Close()
}

func delta(after, before int64) int64 {
	if after < 0 || before < 0 {
		return -1
	}
	return after - before
}

// lastLines returns the end of what a program complained, without its
// counters.
func lastLines(stderr string) string {
	var lines []string
	for line := range strings.Lines(strings.TrimSpace(stderr)) {
		if !strings.HasPrefix(line, "xftp: stats: ") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return strings.Join(lines[max(len(lines)-3, 0):], "; ")
}

// limited takes what is written and keeps the last bytes of it.
type limited struct {
	buf  *bytes.Buffer
	keep int
}

func (l *limited) Write(p []byte) (int, error) {
	l.buf.Write(p)
	if l.buf.Len() > 2*l.keep {
		l.buf.Next(l.buf.Len() - l.keep)
	}
	return len(p), nil
}
