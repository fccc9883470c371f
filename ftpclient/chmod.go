package ftpclient

import (
	"context"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// Chmod sets the permissions of a file or directory, with the set-id and sticky
// bits: by MFF where FEAT names its fact UNIX.mode (draft-somers-ftp-mfxx-04,
// Section 5; proftpd), or else by SITE CHMOD (vsftpd for users that are not anonymous,
// pure-ftpd and most others). The other bits of mode are not looked at.
//
// The error is a [*ReplyError] if the server refuses, and a [*ProtocolError] if it says
// that it has set something else. If the server has neither command, it wraps
// errors.ErrUnsupported and the server's words; they are not sent again then, on
// no connection of a [Client].
func (c *Conn) Chmod(ctx context.Context, path string, mode fs.FileMode) error {
	return operation("chmod", c.chmod(ctx, path, mode))
}

func (c *Conn) chmod(ctx context.Context, path string, mode fs.FileMode) error {
	if err := c.checkName("SITE CHMOD", path); err != nil {
		return err
	}
	ways, err := c.chmodWays(ctx, path, mode)
	if err != nil {
		return err
	}
	return c.tryWays(ctx, purposeMode, ways)
}

const purposeMode = "set permissions"

// chmodWays returns the commands that set permissions.
func (c *Conn) chmodWays(ctx context.Context, path string, mode fs.FileMode) ([]way, error) {
	features, err := c.known(ctx)
	if err != nil {
		return nil, err
	}
	bits := unixMode(mode)
	var ways []way
	if listsFact(features["MFF"], modeFact) {
		ways = append(ways, way{
			name: "MFF mode", verb: "MFF", arg: fmt.Sprintf("UNIX.mode=%04o; %s", bits, behind(path)),
			check: func(reply Reply) error { return checkMode(reply, bits) },
		})
	}
	return append(ways, way{name: "SITE CHMOD", verb: "SITE", arg: fmt.Sprintf("CHMOD %03o %s", bits, behind(path))}), nil
}

// modeFact is the fact of MLST and MFF for permissions.
const modeFact = "unix.mode"

// unixMode returns mode as chmod(2) has it.
func unixMode(mode fs.FileMode) uint32 {
	bits := uint32(mode.Perm())
	for flag, bit := range map[fs.FileMode]uint32{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if mode&flag != 0 {
			bits |= bit
		}
	}
	return bits
}

// checkMode compares the permissions in a reply to MFF, if it tells them, with
// those that were asked for.
func checkMode(reply Reply, bits uint32) error {
	value, ok := factSet(reply, modeFact)
	if !ok {
		return nil
	}
	if got, err := strconv.ParseUint(value, 8, 32); err == nil && uint32(got) == bits {
		return nil
	}
	return &ProtocolError{Problem: "a reply to MFF with other permissions", Line: shorten(reply.Text())}
}

// listsFact reports whether the parameters of a feature, such as
// "modify;UNIX.group;UNIX.mode;", name a fact, which is in lower case. MLST marks
// those that it sends by an asterisk.
func listsFact(params, fact string) bool {
	for name := range strings.SplitSeq(params, ";") {
		if strings.EqualFold(strings.TrimSuffix(strings.TrimSpace(name), "*"), fact) {
			return true
		}
	}
	return false
}

// factSet returns the value of a fact, which is in lower case, in a reply such as
// "213 Modify=20200229123456; dir/file". Servers that do not say what they have
// set answer other things: pure-ftpd "UTIME OK".
func factSet(reply Reply, fact string) (string, bool) {
	facts, _, _ := strings.Cut(strings.TrimLeft(reply.Lines[len(reply.Lines)-1], " "), " ")
	for pair := range strings.SplitSeq(facts, ";") {
		name, value, ok := strings.Cut(pair, "=")
		if ok && strings.EqualFold(name, fact) {
			return value, true
		}
	}
	return "", false
}
