package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// A caller is the user who typed sudo. xftp needs root to set up the network
// path and for nothing else, so everything after that is done as the caller:
// their files, their config, their connections.
type caller struct {
	uid, gid int
	groups   []int
	home     string
}

// sudoCaller returns the user who started this process through sudo, or nil
// if it was not started that way.
func sudoCaller() (*caller, error) {
	id := os.Getenv("SUDO_UID")
	if id == "" || os.Geteuid() != 0 {
		return nil, nil
	}
	uid, err1 := strconv.Atoi(id)
	gid, err2 := strconv.Atoi(os.Getenv("SUDO_GID"))
	if err1 != nil || err2 != nil || uid < 0 || gid < 0 {
		return nil, usagef("SUDO_UID and SUDO_GID are not a user and a group")
	}
	c := &caller{uid: uid, gid: gid, groups: []int{gid}}
	u, err := user.LookupId(id)
	if err != nil {
		return c, nil // a user without an entry: no home, no further groups
	}
	c.home = u.HomeDir
	if ids, err := u.GroupIds(); err == nil {
		for _, id := range ids {
			if n, err := strconv.Atoi(id); err == nil && n != gid {
				c.groups = append(c.groups, n)
			}
		}
	}
	return c, nil
}

// become makes the whole process, all its threads, the caller's. There is no
// way back.
func (c *caller) become() error {
	if c == nil || c.uid == 0 {
		return nil
	}
	// The syscall package applies these to every thread; x/sys/unix would
	// change only this one.
	err := syscall.Setgroups(c.groups)
	if err == nil {
		err = syscall.Setresgid(c.gid, c.gid, c.gid)
	}
	if err == nil {
		err = syscall.Setresuid(c.uid, c.uid, c.uid)
	}
	if err != nil {
		return fmt.Errorf("become user %d: %w", c.uid, err)
	}
	if c.home != "" {
		os.Setenv("HOME", c.home)
	}
	return nil
}

// readFile reads a file with the rights of the caller, while the process still
// has those of root: a config file that is a link to /etc/shadow must not be
// read, and quoted in an error.
func (c *caller) readFile(path string) ([]byte, error) {
	data, _, err := c.readPrivate(path)
	return data, err
}

// readPrivate is readFile, and tells the permissions of what it has read.
func (c *caller) readPrivate(path string) (data []byte, mode fs.FileMode, err error) {
	if c == nil || c.uid == 0 {
		return readWithMode(path)
	}
	done := make(chan struct{})
	go func() { // waited for below
		defer close(done)
		// The thread keeps the caller's identity, so it is not unlocked and
		// ends with this goroutine.
		runtime.LockOSThread()
		if err = actAs(c); err == nil {
			data, mode, err = readWithMode(path)
		}
	}()
	<-done
	return data, mode, err
}

func readWithMode(path string) (data []byte, mode fs.FileMode, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	data, err = io.ReadAll(f)
	return data, info.Mode(), err
}

// actAs gives the calling thread the file rights of c. With the file system
// user ID also the capabilities go that would overrule permissions.
func actAs(c *caller) error {
	// Linux keeps these per thread, and x/sys/unix changes this one only.
	if err := unix.Setgroups(c.groups); err != nil {
		return fmt.Errorf("setgroups: %w", err)
	}
	return errors.Join(unix.Setfsgid(c.gid), unix.Setfsuid(c.uid))
}
