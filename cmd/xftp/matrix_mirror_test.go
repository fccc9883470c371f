package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A mirrorSummary is the last object that mirror prints with --json.
type mirrorSummary struct {
	Action                                string
	Moved, Same, Deleted, LeftOut, Failed int
	Bytes                                 int64
}

// mirror runs xftp mirror, which must end well.
func (c *verbCell) mirror(args ...string) (last mirrorSummary, err error) {
	stdout, err := c.xftp(append(append([]string{"mirror"}, args...), "--json")...)
	if err != nil {
		return last, err
	}
	for line := range bytes.Lines(stdout) {
		last = mirrorSummary{}
		if err := json.Unmarshal(line, &last); err != nil {
			return last, fmt.Errorf("xftp mirror: %w in %q", err, line)
		}
	}
	if last.Action != "summary" {
		err = fmt.Errorf("xftp mirror: no summary in %q", stdout)
	}
	return last, err
}

// mirrorTwice mirrors verbTree and compares both sides. The second run moves
// nothing, and changes nothing on either.
func (c *verbCell) mirrorTwice(from, to, source, got string) error {
	first, err := c.mirror(from, to, "--parallel", "2")
	if err != nil {
		return err
	}
	if first.Moved != verbFiles || first.Failed != 0 {
		return fmt.Errorf("the first run: %+v", first)
	}
	if err := sameTrees(got, source); err != nil {
		return err
	}
	before, err := inodes(source, got)
	if err != nil {
		return err
	}
	second, err := c.mirror(from, to)
	if err != nil {
		return err
	}
	if second.Moved != 0 || second.Bytes != 0 || second.Same != verbFiles || second.Failed != 0 {
		return fmt.Errorf("the second run: %+v", second)
	}
	after, err := inodes(source, got)
	if err == nil && !maps.Equal(before, after) {
		err = fmt.Errorf("the second run changed something:\n%v\n%v", before, after)
	}
	return err
}

// inodes describes all that is below some directories, so that nothing can be
// replaced, written or touched without a difference. Of directories, servers may
// change what nobody asked them for.
func inodes(dirs ...string) (map[string]string, error) {
	all := make(map[string]string)
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := e.Info()
			if err != nil {
				return err
			}
			st, ok := info.Sys().(*syscall.Stat_t)
			if !ok {
				return errors.ErrUnsupported
			}
			all[path] = fmt.Sprint(st.Ino, st.Mode)
			if !e.IsDir() {
				all[path] += fmt.Sprint(" ", st.Size, st.Mtim, st.Ctim)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (c *verbCell) mirrorDown() error {
	source, got := filepath.Join(c.stored, "mirrored"), filepath.Join(c.local, "mirrored")
	makeNodes(c.t, source, verbTree)
	return errors.Join(c.mirrorTwice(c.url("mirrored"), got, source, got), sameTimes(got, source))
}

func (c *verbCell) mirrorUp() error {
	source := filepath.Join(c.local, "tomirror")
	makeNodes(c.t, source, verbTree)
	return c.mirrorTwice(source, c.url("gotten"), source, filepath.Join(c.stored, "gotten"))
}

// times: a mirror has set them, and stat reads them.
func (c *verbCell) times() error {
	source, got := filepath.Join(c.local, "tomirror"), filepath.Join(c.stored, "gotten")
	if err := sameTimes(got, source); err != nil {
		return err
	}
	info, err := os.Stat(filepath.Join(source, "b c"))
	if err != nil {
		return err
	}
	stdout, err := c.xftp("stat", c.url("gotten/b c"), "--json")
	if err != nil {
		return err
	}
	var told struct {
		Size int64
		Time time.Time
	}
	if err := json.Unmarshal(stdout, &told); err != nil {
		return fmt.Errorf("xftp stat: %w in %q", err, stdout)
	}
	if told.Size != info.Size() || !told.Time.Equal(info.ModTime()) {
		return fmt.Errorf("xftp stat tells %+v of what has %d bytes and is of %v", told, info.Size(), info.ModTime().UTC())
	}
	return nil
}

// sameTimes says which files of two trees are of different times.
func sameTimes(got, want string) error {
	var wrong []string
	err := filepath.WalkDir(want, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel := strings.TrimPrefix(path, want)
		a, err1 := os.Stat(path)
		b, err2 := os.Stat(got + rel)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		if !a.ModTime().Equal(b.ModTime()) {
			wrong = append(wrong, fmt.Sprintf("%s is of %v, and not of %v", rel, b.ModTime().UTC(), a.ModTime().UTC()))
		}
		return nil
	})
	if err == nil && wrong != nil {
		err = errors.New(strings.Join(wrong, "\n"))
	}
	return err
}
