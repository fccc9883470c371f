package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// verbSteps are what is done with each server, in this order.
var verbSteps = []struct {
	name string // its column
	do   func(*verbCell) error
}{
	{"get -c", (*verbCell).resumeDown},
	{"put -c", (*verbCell).resumeUp},
	{"get -n 4", (*verbCell).segmentsDown},
	{"put -n 4", (*verbCell).segmentsUp},
	{"get -r", (*verbCell).treeDown},
	{"put -r", (*verbCell).treeUp},
	{"get --verify hash", (*verbCell).hashDown},
	{"put --verify hash", (*verbCell).hashUp},
	{"mirror down", (*verbCell).mirrorDown},
	{"mirror up", (*verbCell).mirrorUp},
	{"times", (*verbCell).times},
	{"mkdir -p", (*verbCell).makeDirs},
	{"rmdir", (*verbCell).removeDir},
	{"chmod", (*verbCell).chmod},
	{"mv", (*verbCell).move},
	{"rm", (*verbCell).remove},
	{"rm -r", (*verbCell).removeAll},
}

// verbLacks are what the servers are known to lack.
var verbLacks = []verbLack{
	{lab.Vsftpd, "put -n 4", "segments of uploads: it writes to a file for one at a time", "two uploads to a file at the same time, so one connection sends it"},
	{lab.Proftpd, "put -n 4", "segments of uploads: it refuses what begins behind the end of a file", "so one connection sends it"},
	{lab.Pureftpd, "put -n 4", "segments of uploads: it keeps nothing behind the end of a file", "so one connection sends it"},
	{lab.Vsftpd, "get --verify hash", "hashes", "hash"},
	{lab.Vsftpd, "put --verify hash", "hashes", "hash"},
	{lab.Vsftpd, "chmod", "chmod for anonymous users", "550 Permission denied"},
	{lab.Proftpd, "get --verify hash", "hashes, without mod_digest", "hash"},
	{lab.Proftpd, "put --verify hash", "hashes, without mod_digest", "hash"},
	{lab.Pureftpd, "get --verify hash", "hashes", "hash"},
	{lab.Pureftpd, "put --verify hash", "hashes", "hash"},
}

// overlap is how many bytes of what is there may be moved again to compare
// them.
const overlap = 64 << 10

// serveFile makes a file on the server, of the day before.
func (c *verbCell) serveFile(name string, data []byte) error {
	path := filepath.Join(c.stored, name)
	when := time.Now().Add(-24 * time.Hour).Truncate(time.Second)
	return errors.Join(os.WriteFile(path, data, 0o666), os.Chmod(path, 0o666), os.Chtimes(path, when, when))
}

// localFile makes a file here, of the day before that.
func (c *verbCell) localFile(name string, data []byte) error {
	path := filepath.Join(c.local, name)
	when := time.Now().Add(-48 * time.Hour).Truncate(time.Second)
	return errors.Join(os.WriteFile(path, data, 0o666), os.Chtimes(path, when, when))
}

// cut returns where a file was cut: at any byte of it.
func (c *verbCell) cut(data []byte) int { return 1 + c.random.IntN(len(data)-1) }

// resumeDown continues a part that was cut at some byte.
func (c *verbCell) resumeDown() error {
	data := c.data[:400_000]
	at := c.cut(data)
	if err := c.serveFile("down", data); err != nil {
		return err
	}
	info, err := os.Stat(filepath.Join(c.stored, "down"))
	if err != nil {
		return err
	}
	r, err := parseRemote(c.url("down"))
	if err != nil {
		return err
	}
	state, err := json.Marshal(partState{URL: r.source(), Size: int64(len(data)), ModTime: info.ModTime().UTC()})
	if err != nil {
		return err
	}
	part := filepath.Join(c.local, ".down"+partSuffix)
	if err := errors.Join(os.WriteFile(part, data[:at], 0o666), os.WriteFile(part+".json", state, 0o666)); err != nil {
		return err
	}
	reports, err := c.moves(1, "get", "-c", c.url("down"), "-o", c.local+"/")
	if err == nil && reports[0].Bytes > int64(len(data)-at+overlap) {
		err = fmt.Errorf("cut at byte %d, and %d bytes came", at, reports[0].Bytes)
	}
	return errors.Join(err, holdsData(filepath.Join(c.local, "down"), data))
}

// resumeUp continues a part on the server that was cut at some byte, of an upload
// that there is a record of.
func (c *verbCell) resumeUp() error {
	data := c.data[1 : 400_000+1]
	at := c.cut(data)
	from := filepath.Join(c.local, "up")
	err := errors.Join(c.localFile("up", data), c.serveFile(".up"+partSuffix, data[:at]))
	if err != nil {
		return err
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	to, err := parseRemote(c.url(""))
	if err != nil {
		return err
	}
	record := recordOf(to.join("up").source(), from, info)
	record.path = filepath.Join(c.dir, ".local/state/xftp/uploads", filepath.Base(record.path))
	record.write()
	reports, err := c.moves(1, "put", "-c", from, c.url(""))
	if err == nil && reports[0].Bytes > int64(len(data)-at+overlap) {
		err = fmt.Errorf("cut at byte %d, and %d bytes went", at, reports[0].Bytes)
	}
	return errors.Join(err, holdsData(filepath.Join(c.stored, "up"), data))
}

func (c *verbCell) segmentsDown() error {
	if err := c.serveFile("segments", c.data); err != nil {
		return err
	}
	reports, err := c.moves(1, "get", "-n", "4", c.url("segments"), "-o", c.local+"/")
	if err == nil && (reports[0].Segments < 1 || reports[0].Segments > 4) {
		err = fmt.Errorf("it came in %d segments", reports[0].Segments)
	}
	return errors.Join(err, holdsData(filepath.Join(c.local, "segments"), c.data))
}

// segmentsUp sends a file in segments. A server that does not take that gets it all the
// same, and xftp says why it goes in one stream.
func (c *verbCell) segmentsUp() error {
	if err := c.localFile("segments up", c.data); err != nil {
		return err
	}
	reports, err := c.moves(1, "put", "-n", "4", filepath.Join(c.local, "segments up"), c.url(""))
	if err == nil {
		err = holdsData(filepath.Join(c.stored, "segments up"), c.data)
	}
	left, _ := filepath.Glob(filepath.Join(c.stored, ".segments up*")) // the pattern is right
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("left: %v", left)
	}
	if err == nil && reports[0].Segments < 2 {
		err = fmt.Errorf("it went in %d segments: %s", reports[0].Segments, c.said)
	}
	return err
}

// verbTree is a tree that no server has trouble with.
var verbTree = []node{
	{"a", 1}, {"b c", 2000}, {"none", 0}, {"d/e/f", 3000}, {"d/e/empty", isDir}, {"-x/%41;type=a", 41}, {"\u00fc", 5},
}

// verbFiles is how many files are in it.
const verbFiles = 6

func (c *verbCell) treeDown() error {
	makeNodes(c.t, filepath.Join(c.stored, "tree"), verbTree)
	_, err := c.moves(verbFiles, "get", "-r", c.url("tree/"), "-o", filepath.Join(c.local, "tree"))
	return errors.Join(err, sameTrees(filepath.Join(c.local, "tree"), filepath.Join(c.stored, "tree")))
}

func (c *verbCell) treeUp() error {
	source := filepath.Join(c.local, "source")
	makeNodes(c.t, source, verbTree)
	_, err := c.moves(verbFiles, "put", "-r", source, c.url(""))
	return errors.Join(err, sameTrees(filepath.Join(c.stored, "source"), source))
}

// sameTrees says how two trees differ in names or bytes.
func sameTrees(got, want string) error {
	g, err1 := hashTree(got)
	w, err2 := hashTree(want)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if !maps.Equal(g, w) {
		return fmt.Errorf("%s has %d names, %s %d:\n%v\n%v", got, len(g), want, len(w), g, w)
	}
	return nil
}

func (c *verbCell) hashDown() error {
	data := c.data[2 : 50_000+2]
	if err := c.serveFile("hashed", data); err != nil {
		return err
	}
	reports, err := c.moves(1, "get", "--verify", "hash", c.url("hashed"), "-o", c.local+"/")
	if err != nil {
		return err
	}
	if reports[0].Verified != "hash" {
		err = fmt.Errorf("verified by %s", reports[0].Verified)
	}
	return errors.Join(err, holdsData(filepath.Join(c.local, "hashed"), data))
}

func (c *verbCell) hashUp() error {
	data := c.data[3 : 50_000+3]
	from := filepath.Join(c.local, "tohash")
	if err := c.localFile("tohash", data); err != nil {
		return err
	}
	reports, err := c.moves(1, "put", "--verify", "hash", from, c.url(""))
	if err != nil {
		return err
	}
	if reports[0].Verified != "hash" {
		err = fmt.Errorf("verified by %s", reports[0].Verified)
	}
	return errors.Join(err, holdsData(filepath.Join(c.stored, "tohash"), data))
}
