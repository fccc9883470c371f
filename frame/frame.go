// Package frame says what an Ethernet frame is to the packages that hand
// frames to one another: a device on one side, a network stack on the other.
// It is a leaf; it imports nothing.
package frame

// HeaderLen is the length in bytes of an Ethernet header without a VLAN tag.
const HeaderLen = 14

// Frame is one received frame, or a part of one, as it lies in the memory of
// the device that received it.
type Frame struct {
	// B holds the bytes from the destination address on, without the frame
	// check sequence. It may be longer than the packet inside: short frames
	// are padded. It belongs to the device: see the device's Receive for how
	// long it is valid.
	B []byte

	// More says that the frame goes on in the next Frame of the same batch,
	// whose B then continues it without a header of its own.
	More bool

	// ChecksumOK says that the device has verified every checksum in the
	// frame, so that no one else needs to.
	ChecksumOK bool
}

// Info says what a device is. It is constant for the life of the device.
type Info struct {
	MAC      [6]byte // hardware address of the device
	MTU      int     // largest network-layer packet in bytes, Ethernet header excluded
	MaxFrame int     // bytes that one transmit buffer holds, Ethernet header included
	Queue    int     // NIC queue that the device receives from and sends to
}
