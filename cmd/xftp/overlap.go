package main

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// overlapLength is how many bytes, at most, come again of each piece that a part
// holds, to be compared: a file that was replaced by another one of the same length
// and time, or a part that somebody has touched, is seen where the pieces meet.
const overlapLength = 64 << 10

// errOverlap is why a part cannot be continued whose bytes came again.
var errOverlap = errors.New("what the server sends again is not what is here")

// overlaps returns what is to come again of a file of size bytes: the end of each
// piece, and of one that ends with the file the beginning, if that is where it meets
// another.
func (all spans) overlaps(size int64) spans {
	var again spans
	for _, s := range all {
		switch n := min(overlapLength, s.To-s.From); {
		case s.To == size && s.From > 0:
			again = again.add(span{s.From, s.From + n})
		default:
			again = again.add(span{s.To - n, s.To})
		}
	}
	return again
}

// An overlapping writer compares what comes again with what a part holds, and writes the rest.
// Write goes on at at; WriteAt may be called by several goroutines at once.
type overlapping struct {
	part interface {
		io.ReaderAt
		io.WriterAt
	}
	again spans
	at    int64
}

// ReadAt reads the part.
func (o *overlapping) ReadAt(p []byte, at int64) (int, error) { return o.part.ReadAt(p, at) }

func (o *overlapping) Write(p []byte) (int, error) {
	n, err := o.WriteAt(p, o.at)
	o.at += int64(n)
	return n, err
}

func (o *overlapping) WriteAt(p []byte, at int64) (n int, err error) {
	for n < len(p) && err == nil {
		here := at + int64(n)
		end, held := here+int64(len(p)-n), false
		for _, s := range o.again {
			switch {
			case s.From <= here && here < s.To:
				end, held = min(end, s.To), true
			case s.From > here:
				end = min(end, s.From)
			}
		}
		piece := p[n:][:end-here]
		if !held {
			var written int
			written, err = o.part.WriteAt(piece, here)
			n += written
			continue
		}
		have := make([]byte, len(piece))
		if _, err := o.ReadAt(have, here); err != nil {
			return n, err
		}
		if !bytes.Equal(piece, have) {
			return n, errOverlap
		}
		n += len(piece)
	}
	return n, err
}

// joined compares a file whose pieces came in several runs with the server's hash of
// it, where it offers one. They are kept apart by nothing else if the file was
// replaced by one that has the same length, time, and bytes where they meet.
func (s *session) joined(ctx context.Context, client *ftpclient.Client, path string, file io.ReaderAt, result *ftpclient.Result) error {
	if s.o.verify == "none" || result.Verified == ftpclient.VerifiedHash {
		return nil
	}
	sum, err := hashOf(ctx, client, path)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return context.Cause(ctx)
	default:
		return nil // the server does not say
	}
	result.Verified = ftpclient.VerifiedNone
	if err := checkHash(ctx, sum, file); err != nil {
		return err
	}
	result.Verified = ftpclient.VerifiedHash
	return nil
}
