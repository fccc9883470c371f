package ftpclient

import (
	"context"
	"io"
	"net"
)

// Stor uploads r until its end to a file, which it replaces or, with Offset,
// continues (STOR; REST and STOR). In [Binary] the server is then asked for
// the file's size, which must be that of what it was meant to hold: an Offset
// before the end of a file that the server does not cut there is an
// [*IntegrityError], since an old tail is left behind the new bytes. A server that
// tells no size is asked for a hash, if r is an io.Seeker: what was sent is then
// read again.
//
// Errors are those of [Conn.Retr]. After a broken upload the connection is
// reset, so that the server need not take what it has for the whole; what it
// keeps is for [Conn.Size] to tell.
func (c *Conn) Stor(ctx context.Context, path string, r io.Reader, opts *TransferOptions) (Result, error) {
	result := Result{Size: -1}
	err := c.stor(ctx, "STOR", path, given(r), opts, new(digest), &result)
	return result, operation("stor", err)
}

// Append uploads r until its end to the end of a file (APPE), which is made if
// there is none. The Offset in opts must be 0. Otherwise it is as [Conn.Stor].
func (c *Conn) Append(ctx context.Context, path string, r io.Reader, opts *TransferOptions) (Result, error) {
	result := Result{Size: -1}
	if opts != nil && opts.Offset != 0 {
		return result, operation("append", &ArgumentError{Command: "APPE", Problem: "has an offset"})
	}
	err := c.stor(ctx, "APPE", path, given(r), opts, new(digest), &result)
	return result, operation("append", err)
}

// given opens what is open already.
func given(r io.Reader) func() (io.Reader, error) {
	return func() (io.Reader, error) { return r, nil }
}

func (c *Conn) stor(ctx context.Context, verb, path string, open func() (io.Reader, error), opts *TransferOptions, d *digest, result *Result) error {
	o, err := c.prepare(ctx, verb, path, opts)
	if err != nil {
		return err
	}
	before := o.Offset
	if verb == "APPE" {
		before = -1
		if c.sizing() {
			if before, err = c.toldSize(ctx, path, &Result{}); err != nil {
				return err
			}
		}
	}
	if err := d.begin(ctx, c, max(before, 0), o.Before); err != nil {
		return err
	}
	m := &meter{progress: o.Progress, total: -1}
	s := sent{transfer: &transfer{verb: verb, path: path, offset: o.Offset, upload: true, meter: m}, before: before}
	var r io.Reader
	s.open = func() (err error) {
		if r, err = open(); err == nil {
			s.again = rereader(r)
		}
		return err
	}
	s.copy = func(data net.Conn) (int64, error) { return c.deliver(data, d.reader(r), m) }
	err = c.run(ctx, s.transfer)
	result.Bytes = s.moved
	if err != nil {
		return err
	}
	if c.sizing() {
		if result.Size, err = c.toldSize(ctx, path, result); err != nil {
			return err
		}
	}
	return c.checkStored(ctx, s, d, result)
}
