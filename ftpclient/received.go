package ftpclient

import (
	"context"
	"errors"
	"strings"
)

// compareReceived judges a download that ended well by the sizes that are known:
// result.Size, if that is not negative, and the count in the first reply. It asks
// for nothing.
func (c *Conn) compareReceived(t *transfer, result *Result) error {
	got := t.offset + t.moved
	told := result.Size >= 0
	if told && got != result.Size {
		kind := KindSize
		if t.unclosed && got < result.Size {
			kind = KindUnclosed
		}
		return &IntegrityError{Kind: kind, Want: result.Size, Got: got}
	}
	n, counted := announced(t.first, t.path)
	counted = counted && c.sent == Binary
	// Behind an offset servers differ: some count the file, some the rest.
	if counted && n != got && n != t.moved {
		kind := KindAnnounced
		if t.unclosed && got < n {
			kind = KindUnclosed
		}
		return &IntegrityError{Kind: kind, Want: n, Got: got}
	}
	if counted && n == got {
		result.Size = n
	}
	// A count of the rest is none of the file: one from its beginning, by a server
	// that has forgotten the offset, would look the same.
	if told || counted && n == got {
		result.Verified = VerifiedSize
	}
	return nil
}

// checkReceived judges a download that ended well, and asks the server what it
// needs for that. asked is how the server was asked for the size before, or "".
func (c *Conn) checkReceived(ctx context.Context, t *transfer, asked string, d *digest, result *Result) error {
	err := c.compareReceived(t, result)
	if err == nil && result.Verified == VerifiedNone && result.Size < 0 && asked != "MLST" && c.sizing() {
		if result.Size, err = c.listedSize(ctx, t.path); err != nil {
			return err
		}
		err = c.compareReceived(t, result)
	}
	var wrong *IntegrityError
	if errors.As(err, &wrong) {
		return c.remeasure(ctx, t.path, result.Size, wrong)
	}
	if c.cfg.Verify == VerifyHash {
		if err := c.checkHash(ctx, t.path, d, result); err != nil {
			return err
		}
	}
	return c.concludeReceived(t, result)
}

// concludeReceived judges a download of which nothing more is to be learned.
func (c *Conn) concludeReceived(t *transfer, result *Result) error {
	switch {
	case t.unclosed && result.Verified == VerifiedNone:
		return unclosed(t)
	case c.cfg.Verify == VerifySize && result.Verified == VerifiedNone:
		return unverified(unsized(result))
	}
	result.Unclosed = t.unclosed
	return nil
}

// unclosed is the error of a transfer whose end only TLS could have told.
func unclosed(t *transfer) error {
	return &IntegrityError{Kind: KindUnclosed, Want: -1, Got: t.offset + t.moved}
}

// unsized returns why there is no size, or nil.
func unsized(result *Result) error {
	if result.Unsized == nil {
		return nil
	}
	return result.Unsized
}

// remeasure asks once more for the size of a file of which the wrong number of
// bytes arrived: if that is another one than before, the file has changed.
func (c *Conn) remeasure(ctx context.Context, path string, size int64, wrong *IntegrityError) error {
	if !c.sizing() {
		return wrong
	}
	if size < 0 {
		size = wrong.Want
	}
	now, err := c.toldSize(ctx, path, &Result{})
	if err == nil && now >= 0 && now != size {
		return &IntegrityError{Kind: KindChanged, Want: size, Got: now}
	}
	return wrong // also where the Conn was lost: the bytes are wrong without it
}

// announced returns the byte count at the end of a reply such as "150 Opening
// BINARY mode data connection for x (1234 bytes)." A count that is rounded, in
// another unit, or part of the path is none.
func announced(first Reply, path string) (int64, bool) {
	text := strings.TrimRight(first.Text(), " .")
	open := strings.LastIndexByte(text, '(')
	if !first.preliminary() || open < 0 || strings.Contains(path, text[open:]) {
		return 0, false
	}
	digits, unit, ok := strings.Cut(text[open+1:], " ")
	if !ok || !strings.EqualFold(unit, "bytes)") {
		return 0, false
	}
	return parseCount(digits)
}
