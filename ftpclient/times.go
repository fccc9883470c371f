package ftpclient

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// SetModTime sets when a file or directory was last changed, in whole seconds:
// what is less is cut off. It is told to the server by the first of these that it
// has: MFMT (draft-somers-ftp-mfxx-04, Section 3; proftpd, pure-ftpd), the two forms
// of SITE UTIME, or MDTM with a time, where the server is known for that (vsftpd, for
// files only) or its FEAT says so. What the last three do is compared with what MDTM
// then tells, until that was right once. A time that is up to two seconds off counts
// as set, since there are file systems that keep no other (FAT).
//
// Errors are as with [Conn.Chmod]. A year that has not four digits is an
// [*ArgumentError].
func (c *Conn) SetModTime(ctx context.Context, path string, t time.Time) error {
	return operation("setmodtime", c.setModTime(ctx, path, t))
}

func (c *Conn) setModTime(ctx context.Context, path string, t time.Time) error {
	if err := c.checkName("MFMT", path); err != nil {
		return err
	}
	ways, err := c.timeWays(ctx, path, t)
	if err != nil {
		return err
	}
	return c.tryWays(ctx, purposeTime, ways)
}

// SetsModTime reports whether the server is known for a command by which
// [Conn.SetModTime] sets times, or its FEAT names one. If not, it may have one all the
// same: nothing is tried here. Whether this user may use it is another question.
func (c *Conn) SetsModTime(ctx context.Context) (bool, error) {
	features, err := c.known(ctx)
	if err != nil {
		return false, operation("setsmodtime", err)
	}
	utime := slices.Contains(strings.Fields(strings.ToUpper(features["SITE"])), "UTIME")
	return features.Has("MFMT") && c.lore.lacks("MFMT") == nil ||
		utime && c.lore.lacks("SITE UTIME") == nil ||
		c.setsByMDTM(features) && c.lore.lacks("MDTM time") == nil, nil
}

// setsByMDTM reports whether MDTM with a time before the name sets that.
func (c *Conn) setsByMDTM(features Features) bool {
	return quirksOf(c.greeting).mdtmSets || strings.HasPrefix(strings.ToUpper(features["MDTM"]), "YYYYMMDDHHMMSS")
}

const (
	purposeTime   = "set times"
	purposeCreate = "set times of creation"
)

// SetCreateTime sets when a file or directory was made (MFCT,
// draft-somers-ftp-mfxx-04, Section 4). It is otherwise as [Conn.SetModTime]. None
// of vsftpd, proftpd and pure-ftpd has it.
func (c *Conn) SetCreateTime(ctx context.Context, path string, t time.Time) error {
	return operation("setcreatetime", c.setCreateTime(ctx, path, t))
}

func (c *Conn) setCreateTime(ctx context.Context, path string, t time.Time) error {
	if err := c.checkName("MFCT", path); err != nil {
		return err
	}
	ways, err := createWays(path, t)
	if err != nil {
		return err
	}
	return c.tryWays(ctx, purposeCreate, ways)
}

func createWays(path string, t time.Time) ([]way, error) {
	stamp, err := stamp("MFCT", t)
	if err != nil {
		return nil, err
	}
	return []way{modify("MFCT", "create", stamp, path)}, nil
}

// stampLayout is the form of a time (RFC 3659, Section 2.3), always in UTC.
const stampLayout = "20060102150405"

func stamp(verb string, t time.Time) (string, error) {
	t = t.UTC()
	if t.Year() < 0 || t.Year() > 9999 {
		return "", &ArgumentError{Command: verb, Problem: "is a year that has not four digits"}
	}
	return t.Format(stampLayout), nil
}

// modify returns MFMT or MFCT as a way.
func modify(verb, fact, stamp, path string) way {
	return way{
		name: verb, verb: verb, arg: stamp + " " + behind(path),
		check: func(reply Reply) error { return checkTime(reply, verb, fact, stamp) },
	}
}

// timeWays returns the commands that set a time of modification. The shorter form
// of SITE UTIME is that of proftpd's mod_site_misc and of pure-ftpd, the longer
// that of NcFTPd.
func (c *Conn) timeWays(ctx context.Context, path string, t time.Time) ([]way, error) {
	stamp, err := stamp("MFMT", t)
	if err != nil {
		return nil, err
	}
	features, err := c.known(ctx)
	if err != nil {
		return nil, err
	}
	told := func(ctx context.Context) (bool, error) { return c.confirmByMDTM(ctx, path, stamp) }
	ways := []way{
		modify("MFMT", "modify", stamp, path),
		{name: "SITE UTIME", verb: "SITE", arg: "UTIME " + stamp + " " + behind(path), confirm: told},
		{
			name: "SITE UTIME name", verb: "SITE", confirm: told,
			arg: fmt.Sprintf("UTIME %s %[2]s %[2]s %[2]s UTC", behind(path), stamp),
		},
	}
	if c.setsByMDTM(features) {
		ways = append(ways, way{name: "MDTM time", verb: "MDTM", arg: stamp + " " + behind(path), confirm: told})
	}
	return ways, nil
}

// coarse is what times in file systems are cut to at most: FAT has whole numbers
// of two seconds.
const coarse = 2 * time.Second

// checkTime compares the time in a reply to MFMT or MFCT, if it tells one, with
// the one that was asked for.
func checkTime(reply Reply, verb, fact, stamp string) error {
	value, ok := factSet(reply, fact)
	if !ok {
		return nil
	}
	if got, ok := parseTime(value); ok && near(got, stamp) {
		return nil
	}
	return &ProtocolError{Problem: "a reply to " + verb + " with another time", Line: shorten(reply.Text())}
}

// confirmByMDTM compares a time that was set with what the server tells, if it does:
// of directories some do not. One that is off, perhaps by the server's zone, means
// that it is not set by this command. A server without MDTM is believed.
func (c *Conn) confirmByMDTM(ctx context.Context, path, stamp string) (told bool, err error) {
	got, err := c.toldTime(ctx, path)
	switch {
	case err != nil:
		return false, err
	case got.IsZero():
		return c.lacks("MDTM"), nil
	case near(got, stamp):
		return true, nil
	default:
		return false, fmt.Errorf("%s instead of %s: %w", got.Format(stampLayout), stamp, errOther)
	}
}

func near(got time.Time, stamp string) bool {
	want, err := time.Parse(stampLayout, stamp)
	return err == nil && got.Sub(want).Abs() <= coarse
}
