package stack

import "github.com/seed-54eb6215/xftp/frame"

// A Device moves Ethernet frames between a [Stack] and a link. An AF_XDP
// socket is a Device, and so is each end of the in-memory wire in stacktest.
//
// One goroutine calls Receive. Reserve, Submit and Flush are called by any
// goroutine, but never by two at once, and possibly while Receive runs; the
// goroutine inside deliver calls them as well. Wake and Close may be called at
// any time by anyone.
type Device interface {
	// Receive waits for frames, hands one batch of them to deliver and
	// returns nil. The frames, and the slice that holds them, are valid until
	// deliver returns. Wake makes a waiting Receive return nil without a
	// batch. After Close it returns an error that wraps [net.ErrClosed]; any
	// other error means that the device is lost for good.
	Receive(deliver func([]frame.Frame)) error

	// Reserve fills bufs from its start with empty transmit buffers, each
	// Info().MaxFrame bytes long and with undefined contents, and returns how
	// many it had. The buffers are the caller's until the next Submit.
	Reserve(bufs [][]byte) int

	// Submit queues the first len(lengths) buffers of the last Reserve for
	// transmission, in order, the i-th with lengths[i] bytes; a length of 0
	// gives the buffer back. Buffers beyond those go back to the device. An
	// error means that nothing was queued.
	Submit(lengths []int) error

	// Flush makes the device send what Submit queued, and takes back the
	// buffers that have been sent. It does not block. It returns nil also
	// when the link is down: the frames stay queued and go out with a later
	// Flush. Any error means that the device is lost for good.
	Flush() error

	// Pending returns the number of frames that were submitted and are not
	// yet taken back by Flush.
	Pending() int

	// Wake unblocks Receive once: now, or if it is not running the next time.
	Wake()

	// Close unblocks Receive and frees the device. It must not be called
	// while another goroutine is in Receive's deliver, Reserve, Submit or
	// Flush. Buffers and frames are invalid afterwards. Further calls do
	// nothing.
	Close() error

	// Info returns the facts of the device.
	Info() frame.Info
}
