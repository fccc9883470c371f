package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
)

// UploadSegments describe an upload of one file over several connections.
type UploadSegments struct {
	// Path is the remote file. It has its whole length from the beginning, with
	// holes in it, so that only this upload should use the name.
	Path string

	// Rename, if not empty, is the name that the file gets when it is complete and
	// was found right (RNFR and RNTO), as for [Upload].
	Rename string

	// Size is the size of the file in bytes.
	Size int64

	// Count is the most connections that are used; if zero, that is found out as
	// for [Segments].
	Count int

	// Missing are the parts to send, as Written told them of an earlier upload to
	// Path; what lies between them is on the server. If nil, that is the whole
	// file, anew.
	Missing []Range

	// Progress, if not nil, is called while bytes go, with those that this call
	// has sent and those that it is to send. It is never called twice at the same
	// time. What goes a second time is counted once.
	Progress func(done, total int64)

	// Written, if not nil, is called each time the server has confirmed a part,
	// with the parts that it has not: what Missing has to be to continue later.
	// It is never called twice at the same time.
	Written func(missing []Range)
}

// ErrNoSegments is wrapped by the error of [Client.UploadSegments] where the server
// does not take a file in segments. What it holds as Path then is of no use.
var ErrNoSegments = errors.New("the server does not take an upload in segments")

// UploadSegments sends one file over several connections at once, each of which sends
// one part after the other to where it belongs (REST and STOR). src is read by
// several goroutines at once.
//
// Not every server lets a file be written so: some cut it where an upload restarts,
// some refuse what begins behind its end, or write to a file for one at a time. That
// is found out first, by a few bytes, whatever the server is called; then the error
// wraps [ErrNoSegments] and says why. A server that offers no hash must also let the
// file be read, or what the segments have become could not be seen. vsftpd
// writes for one at a time (as its lock_upload_files is on by default), proftpd
// refuses what is behind the end, pure-ftpd cuts the file; ftpserverlib takes it.
//
// If the server allows fewer connections, or refuses a further upload to the file
// later, there are fewer. A part that breaks is sent again from its start,
// [Config.Retries] times in all. A part that Written does not name any more is one
// that the server has confirmed.
//
// Result.Bytes is what was sent by this call and confirmed. When all is, the size
// that the server tells must be that of the file, and the hash, if it offers one;
// without one, the bytes around the end of each part are fetched again and compared.
// Otherwise the error is an [*IntegrityError], of [KindContent] in the last case.
// With [VerifyNone] that is left out. The other errors are those of [Conn.Stor], and
// for the new name those of [Client.Upload].
func (c *Client) UploadSegments(ctx context.Context, src io.ReaderAt, s *UploadSegments) (Result, error) {
	result := Result{Size: -1}
	err := c.uploadSegments(ctx, src, s, &result)
	return result, operation("upload segments", err)
}

func (c *Client) uploadSegments(ctx context.Context, src io.ReaderAt, s *UploadSegments, result *Result) error {
	if err := checkPath("STOR", s.Path); err != nil {
		return err
	}
	if s.Rename != "" {
		if err := checkPath("RNTO", s.Rename); err != nil {
			return err
		}
	}
	err := c.Do(ctx, func(conn *Conn) error {
		err := conn.checkTaken("STOR", s.Path)
		if err == nil {
			err = conn.checkTaken("RNTO", s.Rename)
		}
		return err
	})
	if err != nil {
		return err
	}
	w := &sending{client: c, path: s.Path, src: src, size: s.Size, progress: s.Progress, written: s.Written}
	missing := s.Missing
	if missing == nil || slices.ContainsFunc(missing, func(r Range) bool { return r.From <= 0 }) {
		if err := w.prove(ctx); err != nil {
			return err
		}
		missing = []Range{{1, s.Size}} // STOR without REST would cut the file
	} else if err := w.found(ctx); err != nil {
		return err
	}
	w.cut(missing)
	err = w.run(ctx, max(s.Count, 0), result)
	if err == nil {
		err = w.check(ctx, max(s.Count, 1), result)
	}
	if err != nil || s.Rename == "" {
		return err
	}
	return c.ask(ctx, func(conn *Conn) error { return conn.renameStored(ctx, s.Path, s.Rename, result) })
}

// noSegments is the error of a server that does not take an upload in segments.
func noSegments(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrNoSegments, fmt.Errorf(format, args...))
}

// partsOf is the most parts that a file of up to 16 GiB is sent in. Each is an upload
// of its own, so that few are better, and what a client that was killed
// has sent of one is lost, so that many are.
const (
	partsOf     = 64
	largestPart = 256 << 20
)

// partLength returns how long the parts of a file are. It depends on the size alone, so
// that the ends of the parts are known later.
func partLength(size int64) int64 {
	share := (size + partsOf - 1) / partsOf
	share = (share + minRange - 1) / minRange * minRange
	return min(max(share, minRange), largestPart)
}

// cut makes parts of what is missing.
func (w *sending) cut(missing []Range) {
	length := partLength(w.size)
	for _, r := range missing {
		r.To = min(r.To, w.size)
		for r.From < r.To {
			to := min((r.From/length+1)*length, r.To)
			w.free = append(w.free, Range{r.From, to})
			w.total += to - r.From
			r.From = to
		}
	}
	w.total += w.sent // what prove has sent, and counted
}

// A refusedSegments is why the server of a Client does not take an upload in
// segments.
type refusedSegments struct {
	mu   sync.Mutex
	why  error
	late bool // a second upload was not begun with in time
}

func (r *refusedSegments) get() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.why
}

// set notes why. That a second upload was not begun with in time may be so by chance,
// once.
func (r *refusedSegments) set(why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if errors.Is(why, errInTurn) && !r.late {
		r.late = true
		return
	}
	r.why = why
}
