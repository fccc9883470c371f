package main

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A dataWriter is standard output for data. In contrast to [os.Stdout] a write
// that blocks, as to a pager that is not scrolled, ends with the context.
type dataWriter struct {
	again *os.File // standard output, opened once more; nil if that cannot be
}

// openData opens standard output for the data of one run. The end of ctx
// unblocks its writes. Where standard output can be opened a second time, as
// pipes and terminals can, that is done without blocking: the flag belongs to
// the opening, and whoever shares ours must not get it. Elsewhere, as in
// files, writes do not block for long; in sockets they may.
func openData(ctx context.Context) (w *dataWriter, closeData func()) {
	var st unix.Stat_t
	if unix.Fstat(1, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFIFO && st.Mode&unix.S_IFMT != unix.S_IFCHR {
		return new(dataWriter), func() {}
	}
	f, err := os.OpenFile("/proc/self/fd/1", os.O_WRONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return new(dataWriter), func() {}
	}
	release := context.AfterFunc(ctx, func() {
		_ = f.SetWriteDeadline(time.Unix(1, 0)) // cannot block if it has none, as /dev/null
	})
	return &dataWriter{f}, func() { release(); f.Close() }
}

// Write writes to standard output. If its reader has gone, the process ends by
// SIGPIPE, as cat does.
func (w *dataWriter) Write(b []byte) (n int, err error) {
	if w.again != nil {
		n, err = w.again.Write(b)
		if !errors.Is(err, unix.EPIPE) {
			return n, asStdout(err)
		}
	}
	m, err := os.Stdout.Write(b[n:]) // here Go raises the signal
	return n + m, err
}

// asStdout gives an error the name that the user knows the file by.
func asStdout(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		path.Path = os.Stdout.Name()
	}
	return err
}

// toStdout says whether -o names what standard output is, as - and /dev/stdout
// do, so that nothing else may be written there.
func toStdout(output string) bool {
	if output == "-" {
		return true
	}
	t := target{path: output}
	if output == "" || t.follow() != nil || !t.direct {
		return false
	}
	info, err1 := os.Stat(output)
	stdout, err2 := os.Stdout.Stat()
	return err1 == nil && err2 == nil && os.SameFile(info, stdout) && !isNull(stdout)
}

// isNull says whether a file is /dev/null, where nothing can get mixed up.
func isNull(info os.FileInfo) bool {
	null, err := os.Stat(os.DevNull)
	return err == nil && os.SameFile(info, null)
}
