package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
	"github.com/seed-54eb6215/xftp/internal/lab"
)

// A client is a program that fetches and stores files. Each is told to try
// once, to give up after some three seconds without progress, and to be quiet.
type client struct {
	name string // in the table

	// get and put are the programs; put is empty if there is none.
	get, put string

	// fetch and store return the arguments that fetch the file of a server into
	// localFile, or store localFile as storedFile. The working directory is an
	// empty one.
	fetch, store func(at target) []string

	// version holds the arguments that make it tell its version, and versionIn
	// what stands before that.
	version   []string
	versionIn string
}

const (
	localFile  = "local.bin"
	storedFile = "stored.bin"
)

// A target is a server and what it lies about.
type target struct {
	host, port string
	lie        ftptest.Lie
}

func (t target) url(name string) string { return "ftp://" + t.host + ":" + t.port + "/" + name }

// clients returns all that the table may have, xftp last.
func clients(xftp string) []client {
	return []client{
		{
			name: "curl", get: "curl", put: "curl", version: []string{"--version"}, versionIn: "curl ",
			fetch: func(at target) []string {
				return []string{"-q", "-sS", "-m", "9", "--speed-time", "4", "--speed-limit", "1", "-o", localFile, at.url(ftptest.LieFile)}
			},
			store: func(at target) []string {
				return []string{"-q", "-sS", "-m", "9", "-T", localFile, at.url(storedFile)}
			},
		},
		{
			name: "lftp", get: "lftp", put: "lftp", version: []string{"--version"}, versionIn: "LFTP | Version ",
			fetch: func(at target) []string {
				return []string{"-c", lftpSettings + "get " + at.url(ftptest.LieFile) + " -o " + localFile}
			},
			store: func(at target) []string {
				return []string{"-c", lftpSettings + "open " + at.url("") + " && put " + localFile + " -o " + storedFile}
			},
		},
		{
			name: "wget", get: "wget", version: []string{"--version"}, versionIn: "GNU Wget ",
			fetch: func(at target) []string {
				return []string{"--no-config", "-q", "-T", "3", "-t", "1", "-O", localFile, at.url(ftptest.LieFile)}
			},
		},
		{
			name: "aria2", get: "aria2c", version: []string{"--version"}, versionIn: "aria2 version ",
			fetch: func(at target) []string {
				return []string{"--no-conf", "-q", "--timeout=3", "--connect-timeout=3", "-m", "1", "-o", localFile, at.url(ftptest.LieFile)}
			},
		},
		{
			name: "ncftp", get: "ncftpget", put: "ncftpput", version: []string{"--help"}, versionIn: "NcFTPGet ",
			fetch: func(at target) []string {
				return []string{"-V", "-t", "3", "-r", "1", "-P", at.port, "-C", at.host, ftptest.LieFile, localFile}
			},
			store: func(at target) []string {
				return []string{"-V", "-t", "3", "-r", "1", "-P", at.port, "-C", at.host, localFile, storedFile}
			},
		},
		{
			name: "tnftp", get: "tnftp", put: "tnftp", // tells no version
			fetch: func(at target) []string {
				return []string{"-V", "-q", "3", "-o", localFile, at.url(ftptest.LieFile)}
			},
			store: func(at target) []string {
				return []string{"-V", "-q", "3", "-u", at.url(storedFile), localFile}
			},
		},
		{
			name: "rclone", get: "rclone", put: "rclone", version: []string{"version"}, versionIn: "rclone v",
			fetch: func(at target) []string {
				return append([]string{"copyto", rcloneRemote(at) + ftptest.LieFile, localFile}, rcloneFlags...)
			},
			store: func(at target) []string {
				return append([]string{"copyto", localFile, rcloneRemote(at) + storedFile}, rcloneFlags...)
			},
		},
		xftpClient("xftp", xftp, func(ftptest.Lie) string { return "auto" }),
		xftpClient("xftp, strict", xftp, func(lie ftptest.Lie) string {
			if lie.Truth == ftptest.HashOnly {
				return "hash"
			}
			return "size"
		}),
	}
}

const lftpSettings = "set net:timeout 3; set net:max-retries 1; set net:reconnect-interval-base 1; set cmd:fail-exit yes; "

// xftpClient returns xftp that is to verify files as verify says.
func xftpClient(name, program string, verify func(ftptest.Lie) string) client {
	flags := func(lie ftptest.Lie) []string {
		return []string{"--net", "kernel", "--timeout", "3s", "--retries", "0", "--verify", verify(lie)}
	}
	return client{
		name: name, get: program, put: program, version: []string{"version"}, versionIn: "xftp ",
		fetch: func(at target) []string {
			return append([]string{"get", at.url(ftptest.LieFile), "-o", localFile}, flags(at.lie)...)
		},
		store: func(at target) []string {
			return append([]string{"put", localFile, at.url(storedFile)}, flags(at.lie)...)
		},
	}
}

var rcloneFlags = []string{"-q", "--retries", "1", "--low-level-retries", "1", "--contimeout", "3s", "--timeout", "3s", "--ignore-times"}

// rclonePassword is "anonymous@", as rclone obscure writes it.
const rclonePassword = "RLm3BMCZfHTzbL2P6e7K6S-pJoyXm_D_fR8"

// rcloneRemote names a server without a configuration.
func rcloneRemote(at target) string {
	return ":ftp,host=" + at.host + ",port=" + at.port + ",user=anonymous,pass=" + rclonePassword + ",close_timeout=3s,shut_timeout=3s:"
}

// find returns where the program of a client is.
func find(name string) (lab.Program, error) {
	if strings.ContainsRune(name, '/') {
		path, err := filepath.Abs(name)
		if err != nil {
			return lab.Program{}, err
		}
		_, err = os.Stat(path)
		return lab.Program{Path: path}, err
	}
	return lab.FindProgram(name)
}

// tellVersion asks a client for its version, which is empty if it has no way to
// ask.
func (c *client) tellVersion(ctx context.Context, p lab.Program) (string, error) {
	if c.version == nil {
		return "", nil
	}
	cmd := exec.CommandContext(ctx, p.Path, c.version...)
	cmd.Env = append(os.Environ(), p.Env()...)
	out, err := cmd.CombinedOutput()
	for line := range bytes.Lines(out) {
		_, rest, ok := strings.Cut(string(line), c.versionIn)
		if version, _, _ := strings.Cut(strings.TrimSpace(rest), " "); ok && version != "" {
			return version, nil
		}
	}
	return "", errors.Join(errors.New("tells no version"), err)
}
