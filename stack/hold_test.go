package stack

import (
	"net"
	"testing"

	"gvisor.dev/gvisor/pkg/tcpip"
	gstack "gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/seed-54eb6215/xftp/frame"
)

// TestTransmitHold shows when a transmitter that is held makes the device
// send: when many frames wait, and at release.
func TestTransmitHold(t *testing.T) {
	r := newRing(t, 256)
	tx := newTransmitter(r, func(err error) { t.Errorf("the device is lost: %v", err) })
	defer tx.close()
	write := func(n int) {
		t.Helper()
		if sent := tx.write(packets(t, n)); sent != n {
			t.Fatalf("%d packets of %d were sent", sent, n)
		}
	}
	want := func(flushes, sent int) {
		t.Helper()
		if r.asked() != flushes || r.sent != sent {
			t.Fatalf("%d flushes have sent %d frames, want %d and %d", r.asked(), r.sent, flushes, sent)
		}
	}
	tx.hold()
	tx.release()
	want(0, 0) // there is nothing to send
	tx.hold()
	write(1)
	write(3)
	want(0, 0)
	tx.release()
	want(1, 16)
	write(1)
	want(2, 20) // not held
	tx.hold()
	write(7)
	want(2, 20)
	write(1) // 32 frames
	want(3, 52)
	write(1)
	want(3, 52)
	tx.release()
	want(4, 56)
	r.whole()
}

// single is a ring that receives one batch.
type single struct {
	*ring
	batch []frame.Frame
}

func (s *single) Receive(deliver func([]frame.Frame)) error {
	if s.batch == nil {
		return net.ErrClosed
	}
	deliver(s.batch)
	s.batch = nil
	return nil
}

// TestReceiveHolds shows that what the stack sends while it takes a batch of
// frames goes out with one flush after it, and nothing is left held.
func TestReceiveHolds(t *testing.T) {
	dev := &single{ring: newRing(t, 64)}
	s := segmentSpec{flags: flagAck, options: []byte{1, 1, 5, 10, 0, 0, 1, 0, 0, 0, 2, 0}}
	for range 5 {
		s.ack++
		dev.batch = append(dev.batch, frame.Frame{B: s.frame()})
	}
	tx := newTransmitter(dev, func(err error) { t.Errorf("the device is lost: %v", err) })
	defer tx.close()
	answers := 0
	r := newReceiver(dev, nil, func(tcpip.NetworkProtocolNumber, *gstack.PacketBuffer) {
		answers += tx.write(packets(t, 1))
		if dev.asked() != 0 {
			t.Error("the device was made to send within the batch")
		}
	})
	r.tx = tx
	if err := r.run(); err != nil {
		t.Fatal(err)
	}
	if answers != 5 || dev.asked() != 1 || dev.sent != 4*answers {
		t.Errorf("%d answers, %d flushes, %d frames sent; want 5, 1 and 20", answers, dev.asked(), dev.sent)
	}
	if tx.write(packets(t, 1)); dev.asked() != 2 {
		t.Error("the transmitter is still held after the batch")
	}
}
