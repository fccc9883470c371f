package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// stdinName is what stands for standard input.
const stdinName = "-"

// checkStdin refuses what cannot be done with standard input, if it is one of
// the files that are to be sent.
func (o *options) checkStdin(files []string, to remote) error {
	for _, file := range files {
		switch {
		case file != stdinName:
		case to.base() == "":
			return &usageError{to.String() + ": standard input has no name", "end the URL in the name that it gets; a file called - is ./-"}
		case o.resume:
			return &usageError{"-c: what was read from standard input cannot be read again", "a file called - is ./-"}
		case o.trees:
			return &usageError{"-r: standard input is no directory", "a directory called - is ./-"}
		}
	}
	return nil
}

// openStdin opens standard input as the source of an upload. Where it can be
// opened a second time, as pipes and terminals can, that is done without
// blocking, so that [endWith] ends its reads: the flag belongs to the opening, and
// whoever shares ours must not get it.
func openStdin() (*os.File, fs.FileInfo, error) {
	info, err := os.Stdin.Stat()
	if err != nil {
		return nil, nil, err
	}
	if info.IsDir() {
		return nil, nil, &fs.PathError{Op: "read", Path: os.Stdin.Name(), Err: errors.New("is a directory")}
	}
	f := os.Stdin
	if info.Mode()&(fs.ModeNamedPipe|fs.ModeCharDevice) != 0 {
		if again, err := os.OpenFile("/proc/self/fd/0", os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0); err == nil {
			f = again
		}
	}
	return f, streamInfo{info}, nil
}

// A streamInfo is that of what is read once, from where it is: of a file, too,
// somebody may have read the beginning.
type streamInfo struct{ fs.FileInfo }

func (streamInfo) Mode() fs.FileMode { return fs.ModeNamedPipe }
func (streamInfo) Size() int64       { return -1 }

// endWith makes the end of ctx end the reads of f, if it is not an ordinary
// file. release ends that.
func endWith(ctx context.Context, f *os.File) (release func() bool) {
	return context.AfterFunc(ctx, func() {
		_ = f.SetReadDeadline(time.Unix(1, 0)) // cannot block if it has none
	})
}
