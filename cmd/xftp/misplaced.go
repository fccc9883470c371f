package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// A URL without a slash at its end is the name that a file gets, which may be that
// of a directory on the server. A file gets its name last, so that this would be
// found out when everything was sent.

// askAbove is the size in bytes from which on the server is asked whether the name
// is that of a directory before it is sent the file. A smaller one is sent in less
// time than many servers are away.
const askAbove = 1 << 20

// checkPlace returns an error if a file that is not sent in no time would be sent to
// a directory, or if there is no way to the server.
func (u *upload) checkPlace(ctx context.Context, info fs.FileInfo) error {
	if info.Mode().IsRegular() && info.Size() < askAbove {
		return nil
	}
	isDir, err := u.isMisplaced(ctx)
	switch {
	case isDir:
		return u.misplaced()
	case ctx.Err() != nil, errors.As(err, new(*ftpclient.ConnectError)):
		return err
	}
	return nil // the upload will show
}

func (u *upload) misplaced() error {
	return &hintedError{fmt.Errorf("%s is a directory", u.remote), "end the URL in / to put it into that directory"}
}

// isMisplaced says whether the name that the URL gives the file is that of a
// directory, as far as the server tells.
func (u *upload) isMisplaced(ctx context.Context) (isDir bool, err error) {
	if !u.named {
		return false, nil
	}
	err = u.client.Do(ctx, func(conn *ftpclient.Conn) (err error) {
		isDir, err = isEntered(ctx, conn, u.Path)
		return err
	})
	return isDir, err
}

// isEntered says whether path is a directory: whether the server enters it (CWD),
// which every server can be asked in one round trip. Those of mainframes and others
// enter whatever they are told, and do not count. If it is one, conn is used up.
func isEntered(ctx context.Context, conn *ftpclient.Conn, path string) (bool, error) {
	if err := conn.ChangeDir(ctx, path); err != nil {
		return false, err
	}
	err := conn.ChangeDir(ctx, temporaryName("xftp", partSuffix)) // of which there is none
	return isRefused(err), err
}
