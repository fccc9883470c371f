package ftpclient

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"sync"
	"time"
)

// A stream is a download whose bytes somebody reads, at his own pace. It holds a
// connection from start to the end of the file, or to close.
type stream struct {
	path   string
	offset int64 // of the first byte
	size   int64 // of the whole file, which has to arrive; if not positive, the server is asked

	// expect is where the file is expected to end, or negative. The bytes that end
	// there are not given out before the transfer is known to be good, so that who
	// reads as much as he expects, and no more, has not read half a file.
	expect int64

	// listed returns the size that a list tells, or a negative number. It is asked for
	// where the server tells no other.
	listed func() int64

	at    int64 // of the next byte
	r     *bufio.Reader
	pipe  *io.PipeReader
	wait  time.Duration
	stop  context.CancelFunc
	begun chan struct{} // closed when the server has agreed to send the file
	ended chan struct{} // closed when the transfer has ended and its connection is free
}

// streamBuffer is what a stream reads ahead of small reads.
const streamBuffer = 64 << 10

// start begins the transfer, in a goroutine that close waits for.
func (s *stream) start(ctx context.Context, c *Client) {
	ctx, s.stop = context.WithCancel(ctx)
	r, w := io.Pipe()
	s.pipe, s.r, s.at, s.wait = r, bufio.NewReaderSize(r, streamBuffer), s.offset, c.cfg.AbortTimeout
	s.begun, s.ended = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(s.ended)
		err := s.run(ctx, c, w)
		_ = w.CloseWithError(err) // nil is io.EOF for the reader; it returns nil
		s.stop()
	}()
}

// run moves the file to w.
func (s *stream) run(ctx context.Context, c *Client, w io.Writer) (err error) {
	var result Result
	var once sync.Once
	j := &job{
		verb: "RETR", path: s.path, offset: s.offset, size: s.size,
		writer: func() (io.Writer, error) { once.Do(func() { close(s.begun) }); return w, nil },
		done:   func(r Result, failure error) { result, err = r, failure },
	}
	one := func(_ context.Context, yield func(*job) bool) { yield(j) }
	if ended := c.workAs(ctx, Binary, one, 1); err == nil {
		err = ended
	}
	if err != nil || result.Verified != VerifiedNone || c.cfg.Verify == VerifyNone || s.listed == nil {
		return err
	}
	if size, got := s.listed(), s.offset+result.Bytes; size >= 0 && size != got {
		return &IntegrityError{Kind: KindSize, Want: size, Got: got}
	}
	return nil
}

// Read is that of an io.Reader, for one goroutine at a time. io.EOF is that of a
// file that has arrived as a whole.
func (s *stream) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if errors.Is(err, io.ErrClosedPipe) {
		err = fs.ErrClosed
	}
	if n > 0 && (s.expect < 0 || s.at+int64(n) >= s.expect) {
		if _, end := s.r.Peek(1); end != nil && !errors.Is(end, io.EOF) {
			return 0, end
		}
	}
	s.at += int64(n)
	return n, err
}

// close ends the transfer and waits for that. Where the server answers within
// [Config.AbortTimeout], its connection is free for others. It may be called while
// Read runs, which it ends, and more than once.
func (s *stream) close() {
	_ = s.pipe.CloseWithError(fs.ErrClosed) // it returns nil
	select {
	case <-s.begun:
		// What comes next ends the transfer, and the server is told.
		grace := time.AfterFunc(max(s.wait, 0), s.stop)
		defer grace.Stop()
	case <-s.ended:
	default:
		s.stop()
	}
	<-s.ended
}
