package ftpclient

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// ErrNoHash is wrapped by the errors of [Conn.Hash], and of transfers with
// [VerifyHash], where the server's FEAT names no command for it.
var ErrNoHash = errors.New("the server offers no hash")

// Hash returns the hash that the server computes of a whole file, by the best
// of HASH (draft-bryan-ftp-hash-08), XSHA512, XSHA256, XSHA1, XMD5, MD5 and XCRC
// that its FEAT names.
//
// The error wraps [ErrNoHash] if there is no such command, a [*ReplyError] if the
// server refuses, a [*ProtocolError] if its reply holds no hash of the right
// length, or more than one.
func (c *Conn) Hash(ctx context.Context, path string) (Sum, error) {
	h, err := c.hashing(ctx)
	if err != nil {
		return Sum{}, operation("hash", err)
	}
	sum, err := c.hash(ctx, h, path, -1)
	return sum, operation("hash", err)
}

// Hash is [Conn.Hash] on a connection of the pool.
func (c *Client) Hash(ctx context.Context, path string) (sum Sum, err error) {
	err = c.Do(ctx, func(conn *Conn) error {
		sum, err = conn.Hash(ctx, path)
		return err
	})
	return sum, err
}

// A hashing is how a server is asked for hashes.
type hashing struct {
	verb      string
	algorithm string // as in Sum
	option    string // how the server spells it, to be chosen by OPTS HASH; empty if it is in force
}

// hashVerbs are the commands that hash a file by an algorithm each, best first.
// XSHA is an older name of XSHA1.
var hashVerbs = []hashing{
	{verb: "XSHA512", algorithm: "SHA-512"},
	{verb: "XSHA256", algorithm: "SHA-256"},
	{verb: "XSHA1", algorithm: "SHA-1"},
	{verb: "XSHA", algorithm: "SHA-1"},
	{verb: "XMD5", algorithm: "MD5"},
	{verb: "MD5", algorithm: "MD5"},
	{verb: "XCRC", algorithm: "CRC32"},
}

// hashOrder are the algorithms of HASH, best first: those of the same strength by
// their cost.
var hashOrder = []string{"SHA-256", "SHA-512", "SHA-1", "MD5", "CRC32"}

// hashingOf returns how the server with these features is to be asked.
func hashingOf(features Features) (hashing, bool) {
	if h, ok := parseHashFeature(features["HASH"]); ok {
		return h, true
	}
	for _, h := range hashVerbs {
		if features.Has(h.verb) {
			return h, true
		}
	}
	return hashing{}, false
}

// parseHashFeature reads the parameters of HASH: algorithms that are separated by
// semicolons, that in force marked by an asterisk.
func parseHashFeature(params string) (hashing, bool) {
	best, rank := hashing{verb: "HASH"}, len(hashOrder)
	for name := range strings.SplitSeq(params, ";") {
		name, inForce := strings.CutSuffix(strings.TrimSpace(name), "*")
		algorithm := algorithmNamed(name)
		if i := slices.Index(hashOrder, algorithm); i >= 0 && i < rank {
			best.algorithm, rank = algorithm, i
			best.option = name
			if inForce {
				best.option = ""
			}
		}
	}
	return best, rank < len(hashOrder)
}

// hashing chooses how to ask, and tells the server where it has a choice. That
// holds until the next login.
func (c *Conn) hashing(ctx context.Context) (hashing, error) {
	if c.features != nil && c.hashes.verb != "" {
		return c.hashes, nil
	}
	features, err := c.Features(ctx)
	if err != nil {
		return hashing{}, err
	}
	h, ok := hashingOf(features)
	if !ok {
		return hashing{}, ErrNoHash
	}
	if h.option != "" {
		if _, err := c.do(ctx, "OPTS", "HASH "+h.option); err != nil {
			return hashing{}, err
		}
	}
	c.hashes = h
	return h, nil
}

// hashRate is what any server hashes in a second, in bytes.
const hashRate = 16 << 20

// hash asks for the hash of a file of size bytes, or -1. The server reads the
// file before it answers, which may take longer than the answer to other
// commands.
func (c *Conn) hash(ctx context.Context, h hashing, path string, size int64) (Sum, error) {
	if err := c.checkName(h.verb, path); err != nil {
		return Sum{}, err
	}
	defer func(timeout time.Duration) { c.cfg.Timeout = timeout }(c.cfg.Timeout)
	c.cfg.Timeout += time.Duration(max(size, 0)/hashRate) * time.Second
	reply, err := c.do(ctx, h.verb, hashArgument(h.verb, path))
	if err != nil {
		return Sum{}, err
	}
	return parseHash(reply, h.algorithm, path)
}

// hashArgument returns the argument for path. The older commands take more
// arguments behind it, so that a path with spaces is put in quotes.
func hashArgument(verb, path string) string {
	if verb == "HASH" || !strings.Contains(path, " ") || strings.Contains(path, `"`) {
		return path
	}
	return `"` + path + `"`
}

// parseHash finds the hash in a reply: the one word that has the right number of
// hex digits. HASH gives "SHA-256 0-49 hex name", MD5 "name hex", the others the
// hex alone, some in a line of its own; a name may look like a hash, too.
func parseHash(reply Reply, algorithm, path string) (Sum, error) {
	bad := func(problem string) (Sum, error) {
		return Sum{}, &ProtocolError{Problem: problem, Line: shorten(reply.Text())}
	}
	digits := 2 * algorithms[algorithm].size
	var found, names []string
	for _, line := range reply.Lines {
		for _, word := range strings.FieldsFunc(line, splitsHash) {
			switch other := algorithmNamed(word); {
			case other != "" && other != algorithm && !strings.Contains(path, word):
				return bad("a hash of another algorithm than " + algorithm)
			case len(word) != digits || strings.Trim(strings.ToLower(word), "0123456789abcdef") != "":
			case strings.Contains(path, word):
				names = append(names, strings.ToLower(word))
			default:
				found = append(found, strings.ToLower(word))
			}
		}
	}
	if len(found) == 0 {
		found = names // the file is named by its hash
	}
	found = slices.Compact(found)
	switch len(found) {
	case 0:
		return bad("a reply without a hash of " + algorithm)
	case 1:
		return Sum{Algorithm: algorithm, Hex: found[0]}, nil
	default:
		return bad("a reply with more than one hash")
	}
}

// splitsHash reports whether r stands between words of a reply with a hash.
func splitsHash(r rune) bool { return strings.ContainsRune(" \t\"'=:;,.()<>", r) }
