package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// uploaded makes a file on the server that belongs to its user.
func (c *verbCell) uploaded(name string) error {
	if err := c.localFile(name, c.data[:1000]); err != nil {
		return err
	}
	_, err := c.moves(1, "put", filepath.Join(c.local, name), c.url(""))
	return err
}

// gone says what is still there.
func (c *verbCell) gone(name string) error {
	if _, err := os.Lstat(filepath.Join(c.stored, name)); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is still there (%v)", name, err)
	}
	return nil
}

func (c *verbCell) makeDirs() error {
	if _, err := c.xftp("mkdir", "-p", c.url("made/a b/c")); err != nil {
		return err
	}
	if _, err := c.xftp("mkdir", "-p", c.url("made/a b/c")); err != nil {
		return fmt.Errorf("it is there: %w", err)
	}
	info, err := os.Stat(filepath.Join(c.stored, "made", "a b", "c"))
	if err == nil && !info.IsDir() {
		err = errors.New("it is no directory")
	}
	return err
}

func (c *verbCell) removeDir() error {
	if _, err := c.xftp("rmdir", c.url("made/a b")); err == nil {
		return errors.New("a directory that is not empty was removed")
	}
	if _, err := c.xftp("rmdir", c.url("made/a b/c"), c.url("made/a b")); err != nil {
		return err
	}
	_, err := os.Stat(filepath.Join(c.stored, "made"))
	return errors.Join(err, c.gone("made/a b"))
}

func (c *verbCell) chmod() error {
	if err := c.uploaded("private"); err != nil {
		return err
	}
	for _, mode := range []fs.FileMode{0o600, 0o751} {
		if _, err := c.xftp("chmod", fmt.Sprintf("%o", mode), c.url("private")); err != nil {
			return err
		}
		info, err := os.Stat(filepath.Join(c.stored, "private"))
		if err != nil {
			return err
		}
		if info.Mode().Perm() != mode {
			return fmt.Errorf("it has the mode %v, and not %v", info.Mode(), mode)
		}
	}
	return nil
}

func (c *verbCell) move() error {
	if err := errors.Join(c.uploaded("from here"), c.uploaded("in the way")); err != nil {
		return err
	}
	if _, err := c.xftp("mv", c.url("from here"), c.url("in the way")); err == nil {
		return errors.New("it has replaced a file")
	}
	if _, err := c.xftp("mv", c.url("from here"), c.url("made/to there")); err != nil {
		return err
	}
	return errors.Join(c.gone("from here"), holdsData(filepath.Join(c.stored, "made", "to there"), c.data[:1000]))
}

func (c *verbCell) remove() error {
	if err := c.uploaded("not wanted"); err != nil {
		return err
	}
	if _, err := c.xftp("rm", c.url("not wanted")); err != nil {
		return err
	}
	if _, err := c.xftp("rm", c.url("not wanted")); err == nil {
		return errors.New("what is not there was removed")
	}
	return c.gone("not wanted")
}

func (c *verbCell) removeAll() error {
	source := filepath.Join(c.local, "unwanted")
	makeNodes(c.t, source, verbTree)
	if _, err := c.moves(verbFiles, "put", "-r", source, c.url("")); err != nil {
		return err
	}
	if _, err := c.xftp("rm", "-r", c.url("unwanted")); err != nil {
		return err
	}
	return c.gone("unwanted")
}
